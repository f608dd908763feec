"""The settings as frozen models. A value is checked here and nowhere else; a message says what to do.

A check that needs a second key is a validator of the later field, so that it speaks up with all the others.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bridge.channels.capabilities import BURST, FASTEST, SLOWEST
from bridge.secret import MASK, Secret
from bridge.translate import DEFAULT_TEXTS

NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")
REDIS_SCHEMES: Final = ("redis", "rediss", "unix")


def _secret(value: object) -> object:
    if isinstance(value, str):
        if not value:
            raise ValueError("is empty: set the secret, or leave the key out")
        return Secret(value)
    return value


def _listed(value: object) -> object:
    """An environment variable holds a list as JSON; one string alone is a list of one."""
    if isinstance(value, str):
        try:
            return orjson.loads(value) if value.startswith("[") else [value]
        except orjson.JSONDecodeError:
            raise ValueError('is no list: write ["one", "two"], or one string alone') from None
    return value


def _text(value: object) -> str | Literal[False]:
    """From the environment everything is a string, also what switches a text off."""
    if value is False or value == "false":
        return False
    if isinstance(value, str):
        return value
    raise ValueError("must be a text, or false to switch it off")


def _text_key(key: str) -> str:
    if key in DEFAULT_TEXTS:
        return key
    near = difflib.get_close_matches(key, DEFAULT_TEXTS, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(DEFAULT_TEXTS)}"
    raise ValueError(f"unknown text: {hint}")


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("must be an address that starts with http:// or https://")
    return value.rstrip("/")


def _rate(value: float) -> float:
    if value != 0 and not SLOWEST <= value <= FASTEST:
        raise ValueError(f"must be 0 for no pace, or {SLOWEST} to {FASTEST} a second")
    return value


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError('must be an address or a network, as "10.0.0.5" or "10.0.0.0/8"') from None


Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Rate: TypeAlias = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_rate)]
Burst: TypeAlias = Annotated[int, Field(ge=1, le=BURST)]
SecretString: TypeAlias = Annotated[Secret, BeforeValidator(_secret)]
TextKey: TypeAlias = Annotated[str, AfterValidator(_text_key)]
NoticeText: TypeAlias = Annotated[str | Literal[False], PlainValidator(_text)]


class Model(BaseModel):
    """Frozen, closed to unknown keys, and silent about the values it was given."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        validate_default=True,
    )


class RedisConfig(Model):
    url: str = Field(default="redis://127.0.0.1:6379/0", repr=False)
    """May hold a password, so it is never shown as it is: see `shown`."""
    replicas: int = Field(default=0, ge=0)
    """How many replicas must have an event before it is answered 2xx."""

    @field_validator("url")
    @classmethod
    def _parts(cls, url: str) -> str:
        scheme = url.partition("://")[0]
        if scheme not in REDIS_SCHEMES:
            raise ValueError("must start with redis://, rediss:// or unix://")
        try:
            parts = urlsplit(url)
            whole = bool(parts.path if scheme == "unix" else parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(
                "cannot be read: in a password, write / ? # @ : and % as %2F %3F %23 %40 %3A and %25"
            )
        return url

    @property
    def shown(self) -> str:
        """The URL without user, password and query, for logs and messages."""
        scheme, _, rest = self.url.partition("://")
        credentials, at, place = rest.rpartition("@")
        return f"{scheme}://{MASK + at if credentials else ''}{place.partition('?')[0]}"


class IngressConfig(Model):
    host: str = "0.0.0.0"  # noqa: S104 -- webhooks come from outside
    port: Port = 8080
    public_url: str = ""
    """The address under which platforms reach the ingress, where a proxy stands before it."""
    spool: Path | None = None
    """The folder that keeps events while Redis does not take them; each ingress has its own."""
    spool_bytes: Count = 1_073_741_824
    """What the spool holds at most."""
    max_body_bytes: Count = 8_388_608
    """A Matrix homeserver says up to 100 events of 64 KB at once, WhatsApp up to 3 MB."""
    max_connections: Count = 10_000
    """Open at once; from nine tenths of it on, others make room for new ones. Event streams have half."""
    streams_per_address: Count = 100
    """Event streams of the web chat for one address, or for one /64 of IPv6, where the address is known."""
    trusted_proxies: Annotated[
        tuple[Annotated[Network, PlainValidator(_network)], ...], BeforeValidator(_listed)
    ] = ()
    """Addresses of the proxies whose X-Forwarded-For is believed."""
    window_seconds: float = Field(default=300, ge=0, allow_inf_nan=False)
    """How far a signed event's timestamp may be from the clock, either way; 0: any timestamp will do."""
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9464
    admin_token: SecretString | None = None
    """What a scrape of the metrics has to show, where it is set."""

    @field_validator("public_url")
    @classmethod
    def _public(cls, url: str) -> str:
        return _http_url(url) if url else url


class WorkerConfig(Model):
    concurrency: Count = 256
    """Deliveries in flight for each queue."""
    lease_seconds: Seconds = 5.0
    media_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Hosts that files may be loaded from though their address is not public; over plain http too."""
    admin_host: str = "127.0.0.1"
    admin_port: Port = 9465
    admin_token: SecretString | None = None


class MoveoConfig(Model):
    url: str = "https://channels.moveo.ai"
    timeout_seconds: Seconds = 10.0

    _url = field_validator("url")(_http_url)


class QueueConfig(Model):
    depth: Count = 1_000_000
    """Events that one queue holds at most."""
    session_depth: Count = 100_000
    """Events that one session holds at most; from a hundredth of it on, it takes no typing and receipts."""
    seen_seconds: Seconds = 900.0
    """How long a repeated webhook is recognised."""
    dead: Count = 100_000
    """Dead letters that one queue keeps at most."""
    dead_days: float = Field(default=30, ge=0, le=36_500)
    """How long a dead letter is kept; 0: until there are too many."""


class LogConfig(Model):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    """auto: console on a terminal, else json."""


class Integration(Model):
    """One configured pair of Moveo integration and channel."""

    name: str
    """The key of its table."""
    channel: str = Field(min_length=1)
    unsigned: bool = False
    secrets: Annotated[tuple[SecretString, ...], BeforeValidator(_listed)] = ()
    """Any one of them matches, so that a secret can be changed without losing an event."""
    integration_id: str = ""
    api_key: SecretString | None = None
    moveo_url: str = ""
    """Instead of [moveo] url, where it is set."""
    recipient: str = Field(default="external_session_id", min_length=1)
    """Where the payload names the chat, as a dotted path."""
    texts: dict[TextKey, NoticeText] = {}
    """In place of those in bridge.translate.DEFAULT_TEXTS."""
    resend: Literal["resend", "hold"] = "resend"
    """What to do with a part whose outcome is unknown."""
    max_age_seconds: Seconds = 3600.0
    """An event that could not be delivered within this time is buried."""
    max_crashes: Count = 5
    """An event is buried when this many workers vanished over it in a row."""
    ephemeral_seconds: Seconds = 10.0
    """The useful life of typing signs and receipts."""
    pause_max_seconds: Seconds = 30.0
    chat_per_second: Rate | None = None
    """Calls a second to one chat in the long run, in place of the channel's own pace; 0: no pace."""
    chat_burst: Burst | None = None
    """Calls to one chat that may go at once."""
    channel_per_second: Rate | None = None
    """The same for all chats together."""
    channel_burst: Burst | None = None
    extra: dict[str, dict[str, Any]] = Field(default={}, repr=False)
    """The channel's own table, by name, as it was written: it may hold the channel's secrets."""

    @model_validator(mode="before")
    @classmethod
    def _set_aside_channel_tables(cls, table: object) -> object:
        if not isinstance(table, Mapping):
            return table
        own = {
            key: value
            for key, value in table.items()
            if isinstance(value, dict) and key not in cls.model_fields
        }
        rest = {key: value for key, value in table.items() if key not in own}
        return {**rest, "extra": {**rest["extra"], **own} if isinstance(rest.get("extra"), dict) else own}

    @field_validator("name")
    @classmethod
    def _spelled(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("is in URLs and keys: use 1 to 64 of a-z, 0-9, _ and -")
        return name

    @field_validator("unsigned")
    @classmethod
    def _unsigned_stays_home(cls, unsigned: bool, info: ValidationInfo) -> bool:
        host = (info.context or {}).get("host", "localhost")
        if unsigned and not loopback(host):
            raise ValueError(
                f"anyone who reaches {host} could post events: "
                'set secrets = ["..."] instead, or ingress.host = "127.0.0.1"'
            )
        return unsigned

    @field_validator("secrets")
    @classmethod
    def _signed_unless_asked(cls, secrets: tuple[Secret, ...], info: ValidationInfo) -> tuple[Secret, ...]:
        if not secrets and info.data.get("unsigned") is False:
            raise ValueError(
                "is missing: set the webhook's secret, or unsigned = true and a loopback ingress.host"
            )
        if secrets and info.data.get("unsigned"):
            raise ValueError("contradicts unsigned = true: remove one of them")
        if len(set(secrets)) < len(secrets):
            raise ValueError("holds the same secret twice: remove one")
        return secrets

    @field_validator("api_key")
    @classmethod
    def _key_for_something(cls, api_key: Secret | None, info: ValidationInfo) -> Secret | None:
        if api_key and info.data.get("integration_id") == "":
            raise ValueError("is of no use without integration_id: set that too")
        return api_key

    @field_validator("chat_burst", "channel_burst")
    @classmethod
    def _burst_of_something(cls, burst: int | None, info: ValidationInfo) -> int | None:
        rate = f"{str(info.field_name).removesuffix('_burst')}_per_second"
        if burst is not None and info.data.get(rate) == 0:
            raise ValueError(f"contradicts {rate} = 0, which is no pace: remove one of them")
        return burst

    @field_validator("moveo_url")
    @classmethod
    def _url(cls, url: str) -> str:
        return _http_url(url) if url else url


class Settings(Model):
    redis: RedisConfig = RedisConfig()
    ingress: IngressConfig = IngressConfig()
    worker: WorkerConfig = WorkerConfig()
    moveo: MoveoConfig = MoveoConfig()
    queue: QueueConfig = QueueConfig()
    log: LogConfig = LogConfig()
    integrations: dict[str, Integration] = {}

    @field_validator("integrations", mode="before")
    @classmethod
    def _name_by_key(cls, integrations: object) -> object:
        if not isinstance(integrations, Mapping):
            return integrations
        return {
            key: {"name": key, **value} if isinstance(value, Mapping) else value
            for key, value in integrations.items()
        }

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        owner: dict[str, str] = {}
        for key, integration in self.integrations.items():
            if integration.name != key:
                raise ValueError(f"integrations.{key}.name: leave it out, the name is the table's key")
            first = owner.setdefault(integration.integration_id or f"no id, {key}", key)
            if first != key:
                raise ValueError(
                    f"integrations.{key}.integration_id: is the same as that of integrations.{first}; "
                    "a Moveo integration has one webhook, so give each its own"
                )
        return self


def loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
