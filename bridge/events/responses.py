"""What an AI agent's answer is made of: one Struct for each response type.

After Moveo's pages "webhook event payloads" and "websocket: response types" (docs.moveo.ai). Every field
has a default: "" for a text that is not there, None for anything else.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, get_args

from msgspec import Meta, Struct

from bridge.content import WebviewHeight

Size: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
"""Bytes."""


class OptionIn(Struct, frozen=True):
    """A quick reply under a text."""

    label: str = ""
    text: str = ""


class TextResponse(Struct, frozen=True, tag_field="type", tag="text"):
    text: str = ""
    options: tuple[OptionIn, ...] = ()
    action_id: str = ""


class ImageResponse(Struct, frozen=True, tag_field="type", tag="image"):
    url: str = ""
    name: str = ""


class VideoResponse(Struct, frozen=True, tag_field="type", tag="video"):
    """`size` in bytes."""

    url: str = ""
    name: str = ""
    size: Size | None = None


class AudioResponse(Struct, frozen=True, tag_field="type", tag="audio"):
    """`size` in bytes."""

    url: str = ""
    name: str = ""
    size: Size | None = None


class FileResponse(Struct, frozen=True, tag_field="type", tag="file"):
    """`size` in bytes."""

    url: str = ""
    name: str = ""
    size: Size | None = None


class UrlResponse(Struct, frozen=True, tag_field="type", tag="url"):
    url: str = ""


class MediaIn(Struct, frozen=True):
    """The picture or video of a card; `type` is "image" or "video"."""

    type: str = "image"
    url: str = ""


class PostbackButton(Struct, frozen=True, tag_field="type", tag="postback"):
    label: str = ""
    value: str = ""
    trigger_node_id: str = ""


class UrlButton(Struct, frozen=True, tag_field="type", tag="url"):
    label: str = ""
    url: str = ""


class WebviewButton(Struct, frozen=True, tag_field="type", tag="webview"):
    label: str = ""
    url: str = ""
    height: WebviewHeight = "full"
    trigger_node_id: str = ""


ButtonIn: TypeAlias = PostbackButton | UrlButton | WebviewButton


class CardIn(Struct, frozen=True):
    title: str = ""
    subtitle: str = ""
    media: MediaIn | None = None
    buttons: tuple[ButtonIn, ...] = ()
    default_action: ButtonIn | None = None


class CarouselResponse(Struct, frozen=True, tag_field="type", tag="carousel"):
    cards: tuple[CardIn, ...] = ()


class HandoverResponse(Struct, frozen=True, tag_field="type", tag="handover"):
    text: str = ""
    name: str = ""
    desk_id: str = ""
    department_id: str = ""


class WebviewResponse(Struct, frozen=True, tag_field="type", tag="webview"):
    url: str = ""
    label: str = ""
    height: WebviewHeight = "full"
    name: str = ""
    trigger_node_id: str = ""


class SurveyResponse(WebviewResponse, frozen=True, tag="survey"):
    """A form about the conversation, in the shape of a webview."""


class PauseResponse(Struct, frozen=True, tag_field="type", tag="pause"):
    """`duration` in seconds; without one a pause lasts a second."""

    duration: float | None = None
    show_typing: bool = True


class CloseResponse(Struct, frozen=True, tag_field="type", tag="close"):
    """The agent ends the conversation."""


Response: TypeAlias = (
    TextResponse
    | ImageResponse
    | VideoResponse
    | AudioResponse
    | FileResponse
    | UrlResponse
    | CarouselResponse
    | HandoverResponse
    | WebviewResponse
    | SurveyResponse
    | PauseResponse
    | CloseResponse
)


RESPONSE_TYPES: Final[dict[str, type[Response]]] = {
    str(cls.__struct_config__.tag): cls for cls in get_args(Response)
}
