"""The channel of the tests with files that only its account can load, or that are handed over to it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.channels import Call, Inbound, Loaded, Reading, Reply, Request, Upload
from bridge.content import Content, Image
from bridge.errors import ContentRefused, Rejected, Unavailable
from tests.workers.plain import Plain


class Files(Plain):
    """A source "at:x" is at /file/x; where any other is, /where/ says."""

    def verify(self, inbound: Inbound) -> bool:
        return False

    def read(self, inbound: Inbound) -> Reading:
        return Reading()

    def locate(self, source: str) -> Request | None:
        return None if source.startswith("at:") else Request(method="GET", url=f"{self._url}/where/{source}")

    def download(self, source: str, located: Reply | None) -> Request:
        if located is None:
            return Request(method="GET", url=f"{self._url}/file/{source.removeprefix('at:')}")
        match located.json():
            case {"path": str(path)} if located.status == 200:
                return Request(method="GET", url=f"{self._url}/file/{path}")
            case _:
                raise Unavailable("down") if located.status >= 500 else Rejected("no such file")

    def render(self, content: Content, to: str) -> Sequence[Call]:
        calls = super().render(content, to)
        if isinstance(content, Image):
            upload = Upload(url=content.url, name=content.name, max_bytes=100)
            return [msgspec.structs.replace(call, upload=upload, recall=("home",)) for call in calls]
        return [
            msgspec.structs.replace(call, recall=("message",)) if call.ephemeral else call for call in calls
        ]

    def upload(self, file: Loaded) -> Request:
        return Request(
            url=f"{self._url}/upload/{file.name}", headers={"content-type": file.mime_type}, body=file.body
        )

    def uploaded(self, reply: Reply) -> str:
        match reply.status:
            case 200:
                return str(reply.json()["at"])
            case 413:
                raise ContentRefused("too large")
            case _:
                raise Unavailable("down")

    def request(self, call: Call) -> Request:
        if call.uploaded:
            file = msgspec.to_builtins(call.uploaded)
            call = msgspec.structs.replace(call, body={**call.body, "file": file, "memo": dict(call.memo)})
        return super().request(call)
