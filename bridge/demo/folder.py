"""The demo's data folder: its settings, its secrets, its logs, and the server's files.

The secrets are made once and stay; the settings are written anew at each start, since ports change. They are
ordinary settings: every command works on the demo with `--config FOLDER/bridge.toml`.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from bridge.embedded import in_use

INTEGRATION: Final = "demo"
INTEGRATION_ID: Final = "demo-integration"
HOST: Final = "127.0.0.1"

TOML: Final = """\
# Written by `moveo-bridge demo` at each start; changes are lost.
[redis]
url = {redis_url}

[ingress]
host = "{host}"
port = {ports.ingress}
admin_port = {ports.ingress_admin}
spool = {spool}
window_seconds = 0  # samples of any age are welcome here

[worker]
admin_port = {ports.worker_admin}

[moveo]
url = "http://{host}:{ports.emulator}"

[log]
format = "json"

[integrations.{integration}]
channel = "webchat"
secrets = ["file:webhook-secret"]
integration_id = "{integration_id}"
api_key = "file:api-key"
[integrations.{integration}.webchat]
title = "Demo agent"
greeting = "Hello! Write anything to begin, send a photo, or ask to see what a chat can show."
starters = ["Everything", "Carousel", "Menu", "Talk to a person"]
"""


class Ports(msgspec.Struct, frozen=True):
    """Where the demo's processes listen, on the loopback address."""

    ingress: int
    ingress_admin: int
    worker_admin: int
    emulator: int


def default_folder() -> Path:
    """`moveo-bridge/demo` among the user's data files (XDG_DATA_HOME, else ~/.local/share)."""
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local/share") / "moveo-bridge" / "demo"


def config_of(folder: Path) -> Path:
    return folder / "bridge.toml"


def running(folder: Path) -> Path | None:
    """The settings of the demo that runs over the folder; None when none does."""
    config = config_of(folder)
    return config if config.is_file() and in_use(folder) else None


def write(folder: Path, redis_url: str, ports: Ports) -> str:
    """Writes the settings, and the secrets where there are none yet. Gives the webhook's secret."""
    webhook_secret = _secret(folder / "webhook-secret")
    _secret(folder / "api-key")
    config_of(folder).write_text(
        TOML.format(
            redis_url=json.dumps(redis_url, ensure_ascii=False),  # a TOML string is quoted as in JSON
            spool=json.dumps(str((folder / "spool").absolute()), ensure_ascii=False),
            host=HOST,
            ports=ports,
            integration=INTEGRATION,
            integration_id=INTEGRATION_ID,
        ),
        encoding="utf-8",
    )
    return webhook_secret


def _secret(path: Path) -> str:
    """The secret in the file, which its owner alone may read; made if there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if kept := path.read_text(encoding="ascii").strip():
            return kept
        path.unlink()  # a demo that was killed between making and writing it
        return _secret(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        made = secrets.token_hex(24)
        file.write(made)
    return made
