"""Responses of the AI agent -> contents: each one gives one content or one Loss, and the Losses inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar, assert_never

from bridge.content import (
    Audio,
    Button,
    Card,
    Carousel,
    Content,
    File,
    Handover,
    Image,
    Link,
    Loss,
    Media,
    Notice,
    OpenWebview,
    Option,
    Pause,
    Postback,
    Text,
    Video,
    Webview,
)
from bridge.events.responses import (
    AudioResponse,
    ButtonIn,
    CardIn,
    CarouselResponse,
    CloseResponse,
    FileResponse,
    HandoverResponse,
    ImageResponse,
    MediaIn,
    OptionIn,
    PauseResponse,
    PostbackButton,
    Response,
    TextResponse,
    UrlButton,
    UrlResponse,
    VideoResponse,
    WebviewButton,
    WebviewResponse,
)
from bridge.events.salvage import unknown
from bridge.translate.texts import Say

PAUSE_SECONDS: Final = 1.0  # Moveo's own default, by its page "operations: pause"
NO_URL: Final = "no url"
NO_TEXT: Final = "a text with nothing in it"
"""Of an integration's own text, whose fields are all empty in this event."""
In = TypeVar("In")
Out = TypeVar("Out")
Sifted: TypeAlias = tuple[tuple[Out, ...], tuple[Loss, ...]]


def places(items: Sequence[In], path: str) -> Iterator[tuple[str, In]]:
    """Each item with its path."""
    for index, item in enumerate(items):
        yield f"{path}[{index}]", item


def sift(mixed: Iterable[Out | Loss]) -> Sifted[Out]:
    """What there is, and what is lost."""
    found, losses = [], []
    for item in mixed:
        if isinstance(item, Loss):
            losses.append(item)
        else:
            found.append(item)
    return tuple(found), tuple(losses)


def contents(response: Response, path: str, say: Say) -> Iterator[Content | Loss]:
    """The content of one response. Only a text that the integration switched off gives nothing."""
    match response:
        case TextResponse():
            yield from _text(response, path)
        case ImageResponse(url=url, name=name):
            yield Image(url, name) if url else Loss(path, NO_URL)
        case VideoResponse(url=url, name=name, size=size):
            yield Video(url, name, size) if url else Loss(path, NO_URL)
        case AudioResponse(url=url, name=name, size=size):
            yield Audio(url, name, size) if url else Loss(path, NO_URL)
        case FileResponse(url=url, name=name, size=size):
            yield File(url, name, size) if url else Loss(path, NO_URL)
        case UrlResponse(url=url):
            yield Webview(url, height="new_window") if url else Loss(path, NO_URL)
        case WebviewResponse():  # and the survey, which is one
            yield _webview(response) if response.url else Loss(path, NO_URL)
        case CarouselResponse(cards=cards):
            shown, losses = sift(
                part for at, card in places(cards, f"{path}.cards") for part in _card(card, at)
            )
            yield from losses
            yield Carousel(shown) if shown else Loss(path, "no cards")
        case PauseResponse(duration=duration, show_typing=typing):
            seconds = PAUSE_SECONDS if duration is None else duration
            yield Pause(seconds, typing) if seconds > 0 else Loss(path, "a pause of no length")
        case HandoverResponse(text=text, name=name, desk_id=desk, department_id=department):
            if (said := text.strip() or say("handover")) is not None:
                yield Handover(said, name, desk, department) if said else Loss(path, NO_TEXT)
        case CloseResponse():
            if (said := say("close")) is not None:
                yield Notice("close", said) if said else Loss(path, NO_TEXT)
        case _:
            assert_never(response)


def _text(response: TextResponse, path: str) -> Iterator[Content | Loss]:
    """Quick replies are shown even where the text over them is missing."""
    options, losses = sift(_option(option, at) for at, option in places(response.options, f"{path}.options"))
    yield from losses
    text = response.text if response.text.strip() else ""
    yield Text(text, options) if text or options else Loss(path, "neither text nor options")


def _option(option: OptionIn, path: str) -> Option | Loss:
    """Either half stands for the other where one is missing."""
    if option.label or option.text:
        return Option(option.label or option.text, option.text or option.label)
    return Loss(path, "neither label nor text")


def _webview(response: WebviewResponse) -> Webview:
    return Webview(response.url, response.label, response.height, response.name, response.trigger_node_id)


def _card(card: CardIn, path: str) -> Iterator[Card | Loss]:
    """A card shows what it has; one that has nothing is lost."""
    media = _media(card.media, f"{path}.media") if card.media else None
    action = (
        _button(card.default_action, f"{path}.default_action", card.title) if card.default_action else None
    )
    buttons: Sifted[Button] = sift(_button(one, at) for at, one in places(card.buttons, f"{path}.buttons"))
    yield from buttons[1]
    if isinstance(media, Loss):
        yield media
        media = None
    if isinstance(action, Loss):
        yield action
        action = None
    if card.title or card.subtitle or media or buttons[0]:
        yield Card(card.title, card.subtitle, media, buttons[0], action)
    else:
        yield Loss(path, "an empty card")


def _media(media: MediaIn, path: str) -> Media | Loss:
    match media:
        case MediaIn(url=""):
            return Loss(path, NO_URL)
        case MediaIn(type="image" | "video" as kind, url=url):
            return Media(kind, url)
        case _:
            return Loss(path, unknown(media.type))


def _button(button: ButtonIn, path: str, title: str = "") -> Button | Loss:
    """A button without a label is labelled with the title of its card, or with what it does."""
    match button:
        case PostbackButton(value="", label=""):
            return Loss(path, "neither label nor value")
        case PostbackButton(label=label, value=value, trigger_node_id=node):
            return Postback(label or title or value, value or label, node)
        case UrlButton(url="") | WebviewButton(url=""):
            return Loss(path, NO_URL)
        case UrlButton(label=label, url=url):
            return Link(label or title or url, url)
        case WebviewButton(label=label, url=url, height=height, trigger_node_id=node):
            return OpenWebview(label or title or url, url, height, node)
        case _:
            assert_never(button)
