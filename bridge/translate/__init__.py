"""What an event says to the user: event -> contents. Pure, and never fails.

Every element of the event becomes one content or one Loss; nothing is left out silently, unless the
integration switched its text off. Paths of Losses are those of the payload, counting the elements that could
be read. What a human agent does carries an Author; the AI agent speaks without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from msgspec import Struct

from bridge.content import (
    Audio,
    Author,
    Content,
    File,
    Image,
    Loss,
    Notice,
    Receipt,
    Text,
    Typing,
    Video,
)
from bridge.events import (
    AgentSend,
    AttachmentIn,
    BrainSend,
    Compose,
    ConversationClosed,
    ConversationReopened,
    Delivered,
    Event,
    MemberJoin,
    MemberLeave,
    Output,
    Read,
    SessionClosed,
    SessionExpired,
    Unknown,
    event_type,
)
from bridge.events.salvage import unknown
from bridge.translate.bounds import bounded
from bridge.translate.responses import NO_TEXT, NO_URL, contents, places, sift
from bridge.translate.texts import DEFAULT_TEXTS, NAMELESS, Say, Texts, speaker

__all__ = ["DEFAULT_TEXTS", "Texts", "Translation", "translate"]


class Translation(Struct, frozen=True):
    """What to show, in order, and what of the event is not shown."""

    contents: tuple[Content, ...] = ()
    losses: tuple[Loss, ...] = ()


def translate(event: Event, texts: Texts = DEFAULT_TEXTS) -> Translation:
    """The contents of an event. `texts` overrides DEFAULT_TEXTS; False or "" says nothing at all."""
    found: tuple[tuple[Content, ...], tuple[Loss, ...]] = sift(bounded(_event(event, speaker(event, texts))))
    return Translation(*found)


def _event(event: Event, say: Say) -> Iterator[Content | Loss]:
    match event:
        case BrainSend(output=Output(responses=())):
            yield Loss("output.responses", "no responses")
        case BrainSend(output=output):
            for path, response in places(output.responses, "output.responses"):
                yield from contents(response, path, say)
        case AgentSend():
            yield from _message(event)
        case Compose(author_type="visitor") | Read(author_type="visitor") | Delivered(author_type="visitor"):
            yield Loss("author_type", "what the user does, told to the user")
        case Compose(action="start" | "stop" as action):
            yield Typing(action == "start", _author(event))
        case Compose():
            yield Loss("action", "neither start nor stop")
        case Read(author_type=author):
            yield Receipt("read", author)
        case Delivered(author_type=author):
            yield Receipt("delivered", author)
        case MemberJoin() | MemberLeave():
            yield from _notice(event, _author(event), say)
        case ConversationClosed(agent_name=name, agent_id=agent):
            yield from _notice(event, Author(name, agent) if name else None, say)
        case ConversationReopened() | SessionClosed() | SessionExpired():
            yield from _notice(event, None, say)
        case Unknown(event_type=kind):
            yield Loss("event_type", unknown(kind))
        case _:
            assert_never(event)


def _notice(event: Event, author: Author | None, say: Say) -> Iterator[Content | Loss]:
    if (text := say(event_type(event))) is not None:
        yield Notice(event_type(event), text, author) if text else Loss("event_type", NO_TEXT)


def _author(event: Compose | MemberJoin | MemberLeave) -> Author | None:
    if event.author_type != "agent":
        return None
    return Author(event.author_name or NAMELESS, event.author_id)


def _message(event: AgentSend) -> Iterator[Content | Loss]:
    """A human agent's message: the text first, then what is attached."""
    agent = event.sender
    author = Author(agent.agent_name or NAMELESS, agent.agent_id, agent.agent_avatar)
    attachments = event.body.attachments
    if event.body.text.strip():
        yield Text(event.body.text, author=author)
    elif not attachments:
        yield Loss("body", "neither text nor attachments")
    for path, attachment in places(attachments, "body.attachments"):
        yield _attachment(attachment, path, author)


def _attachment(attachment: AttachmentIn, path: str, author: Author) -> Content | Loss:
    """A type that is none of the four is shown as a file."""
    url, name = attachment.url, attachment.title or _without_folders(attachment.filename)
    match attachment.type:
        case _ if not url:
            return Loss(path, NO_URL)
        case "image":
            return Image(url, name, author=author)
        case "video":
            return Video(url, name, author=author)
        case "audio":
            return Audio(url, name, author=author)
        case _:
            return File(url, name, author=author)


def _without_folders(filename: str) -> str:
    return filename.replace("\\", "/").rpartition("/")[2]
