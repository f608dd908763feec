"""Settings: every problem at once, each on one line with its key path, and never a value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.config import Integration, RedisConfig, Settings, load, loopback
from bridge.errors import ConfigError
from bridge.secret import Secret

SUPPORT = """
[integrations.support]
channel = "telegram"
secrets = ["canary-secret"]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str) -> Path:
    path = Path("bridge.toml").absolute()
    path.write_text(text, encoding="utf-8")
    return path


def lines(text: str = "", environ: Mapping[str, str] | None = None) -> list[str]:
    """The problems of a configuration."""
    with pytest.raises(ConfigError) as caught:
        load(write(text), environ or {})
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return str(caught.value).splitlines()


def test_nothing_configured_is_settings_with_no_integrations() -> None:
    assert load(None, {}) == Settings()
    assert Settings().integrations == {}


def test_the_default_file_is_read_when_it_is_there() -> None:
    write("[ingress]\nport = 1234\n")
    assert load(None, {}).ingress.port == 1234


def test_bridge_config_names_another_file(tmp_path: Path) -> None:
    write("[ingress]\nport = 1234\n")
    other = tmp_path / "other.toml"
    other.write_text("[ingress]\nport = 4321\n")
    assert load(None, {"BRIDGE_CONFIG": str(other)}).ingress.port == 4321


def test_a_full_integration_is_read_with_its_channel_table_raw() -> None:
    settings = load(
        write("""
[moveo]
url = "http://127.0.0.1:9/"
[integrations.support]
channel = "telegram"
secrets = ["one", "two"]
integration_id = "intg"
api_key = "key"
recipient = "context.user.chat"
resend = "hold"
[integrations.support.texts]
close = "Bye."
handover = false
[integrations.support.telegram]
token = "t"
"""),
        {},
    )
    assert settings.moveo.url == "http://127.0.0.1:9"
    assert settings.integrations["support"] == Integration(
        name="support",
        channel="telegram",
        secrets=(Secret("one"), Secret("two")),
        integration_id="intg",
        api_key=Secret("key"),
        recipient="context.user.chat",
        resend="hold",
        texts={"close": "Bye.", "handover": False},
        extra={"telegram": {"token": "t"}},
    )


@pytest.mark.parametrize(
    ("environ", "url", "port"),
    [
        pytest.param({}, "redis://file", 1, id="file"),
        pytest.param({"BRIDGE_INGRESS__PORT": "2"}, "redis://file", 2, id="environment-over-file"),
        pytest.param({"REDIS_URL": "redis://bare"}, "redis://bare", 1, id="bare-redis-url"),
        pytest.param(
            {"REDIS_URL": "redis://bare", "BRIDGE_REDIS__URL": "redis://own"},
            "redis://own",
            1,
            id="own-over-bare",
        ),
        pytest.param(
            {"BRIDGE_PORT": "tcp://10.0.0.1:80"}, "redis://file", 1, id="no-setting-without-two-underscores"
        ),
    ],
)
def test_environment_over_file(environ: dict[str, str], url: str, port: int) -> None:
    settings = load(write('[redis]\nurl = "redis://file"\n[ingress]\nport = 1\n'), environ)
    assert (settings.redis.url, settings.ingress.port) == (url, port)


@pytest.mark.parametrize("value", ["", "false"])
def test_the_environment_switches_a_text_off(value: str) -> None:
    settings = load(write(SUPPORT), {"BRIDGE_INTEGRATIONS__SUPPORT__TEXTS__CLOSE": value})
    assert not settings.integrations["support"].texts["close"]


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        pytest.param("one", ("one",), id="one"),
        pytest.param('["one", "two"]', ("one", "two"), id="json-list"),
        pytest.param("a,b", ("a,b",), id="a-comma-is-no-separator"),
    ],
)
def test_an_integration_from_the_environment_alone(value: str, secrets: tuple[str, ...]) -> None:
    settings = load(
        None,
        {
            "BRIDGE_INTEGRATIONS__SUPPORT__CHANNEL": "telegram",
            "BRIDGE_INTEGRATIONS__SUPPORT__SECRETS": value,
            "BRIDGE_INTEGRATIONS__SUPPORT__TELEGRAM__TOKEN": "t",
        },
    )
    integration = settings.integrations["support"]
    assert tuple(secret.reveal() for secret in integration.secrets) == secrets
    assert integration.extra == {"telegram": {"token": "t"}}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("${NAME}", "canary value", id="variable"),
        pytest.param("a${NAME}b${NAME}", "acanary valuebcanary value", id="within-a-string"),
        pytest.param("$${NAME}", "${NAME}", id="escaped"),
        pytest.param("${INDIRECT}", "${NAME}", id="a-value-is-not-expanded-again"),
        pytest.param("file:secret.txt", "from a file", id="file-beside-the-configuration"),
        pytest.param("file:${STEM}.txt", "from a file", id="variable-in-a-file-name"),
        pytest.param("$NAME {NAME}", "$NAME {NAME}", id="neither"),
    ],
)
def test_expansion_in_any_string(written: str, value: str) -> None:
    Path("secret.txt").write_text("from a file\n")
    settings = load(
        write(
            f'[integrations.a]\nchannel = "x"\nsecrets = ["{written}"]\n'
            f'[integrations.a.x]\nlist = ["{written}"]\n'
        ),
        {"NAME": "canary value", "INDIRECT": "${NAME}", "STEM": "secret"},
    )
    assert settings.integrations["a"].secrets == (Secret(value),)
    assert settings.integrations["a"].extra == {"x": {"list": [value]}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[ingress]\nport = "abc"', "ingress.port: must be a whole number", id="number"),
        pytest.param(
            '[ingress]\ntrusted_proxies = ["10.0.0.0/8", "proxy.example"]',
            'ingress.trusted_proxies.1: must be an address or a network, as "10.0.0.5" or "10.0.0.0/8"',
            id="proxy",
        ),
        pytest.param("[ingress]\nport = 70000", "ingress.port: must be at most 65535", id="range"),
        pytest.param("[ingress]\nwindow_seconds = nan", "ingress.window_seconds: must be a number", id="nan"),
        *(
            pytest.param(
                SUPPORT + f"chat_per_second = {rate}\n",
                "integrations.support.chat_per_second: must be 0 for no pace, or 0.001 to 1000 a second",
                id=f"rate-{rate}",
            )
            for rate in ("-1", "0.0009", "1001")
        ),
        pytest.param(
            SUPPORT + "channel_per_second = inf\n",
            "integrations.support.channel_per_second: must be a number",
            id="rate-inf",
        ),
        pytest.param(
            SUPPORT + "chat_burst = 0\n", "integrations.support.chat_burst: must be at least 1", id="burst"
        ),
        pytest.param(
            SUPPORT + "channel_burst = 5\nchannel_per_second = 0\n",
            "integrations.support.channel_burst: contradicts channel_per_second = 0, which is no pace: "
            "remove one of them",
            id="burst-of-no-pace",
        ),
        pytest.param("[ingress]\nprot = 1", 'ingress.prot: unknown key: did you mean "port"?', id="nearest"),
        pytest.param(
            "[ingres]\nport = 1", 'ingres: unknown key: did you mean "ingress"?', id="nearest-table"
        ),
        pytest.param("ingress = 3", "ingress: must be a table", id="no-table"),
        pytest.param(
            '[log]\nlevel = "loud"', "log.level: must be 'debug', 'info', 'warning' or 'error'", id="choice"
        ),
        pytest.param(
            '[redis]\nurl = "http://user:canary@h"',
            "redis.url: must start with redis://, rediss:// or unix://",
            id="redis-scheme",
        ),
        pytest.param(
            '[moveo]\nurl = "canary"',
            "moveo.url: must be an address that starts with http:// or https://",
            id="moveo-url",
        ),
        pytest.param(
            SUPPORT + 'api_key = "canary"\n',
            "integrations.support.api_key: is of no use without integration_id: set that too",
            id="api-key-alone",
        ),
        pytest.param(
            SUPPORT.replace("secrets", "secret"),
            'integrations.support.secret: unknown key: did you mean "secrets"?',
            id="nearest-in-integration",
        ),
        pytest.param(
            SUPPORT.replace('["canary-secret"]', '["canary", "canary"]'),
            "integrations.support.secrets: holds the same secret twice: remove one",
            id="secret-twice",
        ),
        pytest.param(
            '[ingress]\nhost = "127.0.0.1"\n' + SUPPORT + "unsigned = true\n",
            "integrations.support.secrets: contradicts unsigned = true: remove one of them",
            id="signed-and-unsigned",
        ),
        pytest.param(
            SUPPORT.replace('"canary-secret"', '""'),
            "integrations.support.secrets.0: is empty: set the secret, or leave the key out",
            id="empty-secret",
        ),
        pytest.param(
            SUPPORT.replace('"canary-secret"', "7"),
            "integrations.support.secrets.0: must be a text in quotes",
            id="secret-no-text",
        ),
        pytest.param(
            SUPPORT + "texts = {close = true}",
            "integrations.support.texts.close: must be a text, or false to switch it off",
            id="text",
        ),
        pytest.param(
            SUPPORT + 'texts = {clos = "Bye."}',
            'integrations.support.texts.clos: unknown text: did you mean "close"?',
            id="nearest-text",
        ),
        pytest.param(
            '[redis]\nurl = "redis://:can/ary@h:6379/0"',
            "redis.url: cannot be read: in a password, write / ? # @ : and % as %2F %3F %23 %40 %3A and %25",
            id="password-with-a-slash",
        ),
        pytest.param(
            '[redis]\nurl = "redis://:#canary@h:6379/0"',
            "redis.url: cannot be read: in a password, write / ? # @ : and % as %2F %3F %23 %40 %3A and %25",
            id="password-with-a-hash",
        ),
        pytest.param(
            '[moveo]\nurl = "http://[canary"',
            "moveo.url: must be an address that starts with http:// or https://",
            id="moveo-url-that-is-none",
        ),
        pytest.param(
            SUPPORT + 'name = "other"\n',
            "integrations.support.name: leave it out, the name is the table's key",
            id="own-name",
        ),
        pytest.param(
            SUPPORT.replace("support", "Support"),
            "integrations.Support.name: is in URLs and keys: use 1 to 64 of a-z, 0-9, _ and -",
            id="name-rule",
        ),
        pytest.param(
            SUPPORT + 'integration_id = "i"\n' + SUPPORT.replace("support", "b") + 'integration_id = "i"\n',
            "integrations.b.integration_id: is the same as that of integrations.support; "
            "a Moveo integration has one webhook, so give each its own",
            id="integration-id-twice",
        ),
        pytest.param(
            SUPPORT.replace("canary-secret", "${MISSING}"),
            "integrations.support.secrets.0: the environment variable MISSING is not set: set it",
            id="missing-variable",
        ),
        pytest.param(
            SUPPORT.replace("canary-secret", "file:missing.txt"),
            "integrations.support.secrets.0: the file missing.txt cannot be read: No such file or directory",
            id="missing-file",
        ),
    ],
)
def test_a_problem_is_one_line(text: str, expected: str) -> None:
    assert expected in lines(text)


def test_a_line_names_the_variable_it_came_from() -> None:
    assert lines("", {"BRIDGE_INGRESS__PORT": "canary"}) == [
        "ingress.port (from BRIDGE_INGRESS__PORT): must be a whole number"
    ]
    assert lines("", {"BRIDGE_INGRES__PORT": "1"}) == ['ingres: unknown key: did you mean "ingress"?']


def test_all_problems_come_at_once() -> None:
    found = lines("""
[ingress]
port = "canary"
[worker]
concurrency = 0
[integrations.a]
chanel = "canary"
secrets = ["${MISSING}"]
[integrations.b]
channel = "webchat"
[integrations.c]
channel = "webchat"
unsigned = true
""")
    assert [line.partition(":")[0] for line in found] == [
        "integrations.a.secrets.0",
        "ingress.port",
        "worker.concurrency",
        "integrations.a.channel",
        "integrations.a.chanel",
        "integrations.b.secrets",
        "integrations.c.unsigned",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "[::1]", "127.1.2.3"])
def test_unsigned_is_allowed_on_loopback(host: str) -> None:
    text = f'[ingress]\nhost = "{host}"\n[integrations.a]\nchannel = "x"\nunsigned = true\n'
    assert load(write(text), {}).integrations["a"].unsigned
    assert loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.0.1", "bridge.example"])  # noqa: S104
def test_unsigned_is_refused_elsewhere(host: str) -> None:
    text = f'[ingress]\nhost = "{host}"\n[integrations.a]\nchannel = "x"\nunsigned = true\n'
    assert any(line.startswith("integrations.a.unsigned: ") for line in lines(text))
    assert not loopback(host)


def test_an_integration_without_secrets_cannot_even_be_made() -> None:
    with pytest.raises(ValidationError, match="is missing: set the webhook's secret"):
        Integration(name="a", channel="x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"[ingress\n", "is not valid TOML", id="syntax"),
        pytest.param(b"a = 1\na = 2\n", "is not valid TOML", id="key-twice"),
        pytest.param(b"\xff", "is not UTF-8", id="encoding"),
        pytest.param(None, "cannot be read: No such file or directory", id="missing"),
    ],
)
def test_a_broken_file_is_one_line(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load(path, {})
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_no_repr_shows_a_secret() -> None:
    settings = load(
        write(
            '[redis]\nurl = "redis://user:canary@h/0?password=canary"\n'
            + SUPPORT
            + 'integration_id = "i"\napi_key = "canary"\n[integrations.support.telegram]\ntoken = "canary"\n'
        ),
        {},
    )
    assert "canary" not in repr(settings) + str(settings)
    assert "canary" not in repr(settings.integrations["support"])
    assert settings.redis.shown == "redis://***@h/0"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("redis://h:1/0", "redis://h:1/0", id="plain"),
        pytest.param("rediss://:p@ss@h", "rediss://***@h", id="at-sign-in-the-password"),
        pytest.param("unix:///run/redis.sock?password=p", "unix:///run/redis.sock", id="query"),
    ],
)
def test_the_redis_url_is_shown_without_credentials(url: str, shown: str) -> None:
    assert RedisConfig(url=url).shown == shown


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().ingress.port = 1
