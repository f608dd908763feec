"""What Moveo's API takes and how it refuses."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Meta, Struct

_Body = TypeVar("_Body", bound=Struct)
_log: Final = structlog.get_logger()


class Refused(Exception):  # noqa: N818 -- an answer, as HTTPNotFound is
    """Becomes the answer {error_code, error_message}."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NewSession(Struct, frozen=True):
    external_session_id: str = ""
    channel_user_id: str = ""
    context: dict[str, Any] = {}


class ContextChange(Struct, frozen=True):
    context: dict[str, Any]


class Attachment(Struct, frozen=True):
    """A file by `url`, or by the `id` of an upload."""

    type: Literal["audio", "image", "video", "file"]
    mime_type: str = ""
    url: str = ""
    id: str = ""
    filename: str = ""


class Input(Struct, frozen=True):
    text: str = ""
    attachments: tuple[Attachment, ...] = ()


class UserSays(Struct, frozen=True):
    input: Input
    context: dict[str, Any] = {}


class Agent(Struct, frozen=True):
    agent_id: str
    agent_name: str = ""
    agent_avatar: str = ""


class AgentSays(Struct, frozen=True):
    input: Input
    agent: Agent


class Upload(Struct, frozen=True):
    filename: str
    content_type: Annotated[str, Meta(pattern=r"^[\w.+-]+/[\w.+-]+(; *[\w=.+-]+)*\Z")]


class Download(Struct, frozen=True):
    file_id: str


async def read(request: web.Request, kind: type[_Body]) -> _Body:
    """The request's JSON as `kind`. Raises Refused(400)."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "invalid-payload", str(error)) from error


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors in the form of Moveo's, whatever goes wrong."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Refused as refused:
        return _error(refused.status, refused.code, str(refused))
    except Exception:  # noqa: BLE001 -- logged, and answered as Moveo documents it
        _log.exception("emulator.error", path=request.path)
        return _error(500, "internal-server-error", "Something went wrong.")


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error_code": code, "error_message": message}, status=status)
