"""The scripted agent: what it does when the user says something. Pure, so that every path is a table.

agent ──"handover"──> human ──"bye"──> closed ──anything──> agent
  └──"close"──> closed           "expire", "end": the session is gone, from anywhere

What the user sends is named, and shown back where it is a picture, so that one sees that it arrived.
"numbers" asks with more options than the web chat has buttons for: they become numbered lines, and a number
answers.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from bridge.events.responses import RESPONSE_TYPES
from bridge.samples import AGENT, BRAIN_SEND, guide, message, response

READ_SECONDS: Final = 0.6
TYPE_SECONDS: Final = 1.2
HEIGHTS: Final = ("full", "tall", "compact", "new_window")
FAREWELLS: Final = frozenset({"bye", "goodbye", "close"})
ALIASES: Final = {
    "picture": "image", "photo": "image", "film": "video", "sound": "audio", "voice": "audio", "pdf": "file",
    "document": "file", "link": "url", "cards": "carousel", "form": "webview", "wait": "pause",
    "all": "everything", "person": "handover", "human": "handover", "bye": "close", "goodbye": "close",
    "list": "numbers",
}  # fmt: skip
ENDS: Final = {"expire": "session:expired", "end": "session:closed"}
FIRST: Final = ("everything", "carousel", "handover")
"""What a visitor should see first."""
LAST: Final = ("numbers", "pause", "close")
SHOWS: Final = (*FIRST, *(name for name in RESPONSE_TYPES if name not in (*FIRST, *LAST)), *LAST)
"""What the agent shows when it is named, anywhere in a message."""
MENU: Final = (*SHOWS, "expire")
EVERYTHING: Final = tuple(name for name in RESPONSE_TYPES if name not in ("handover", "close"))
ISLANDS: Final = (
    "Aegina", "Agistri", "Alonissos", "Amorgos", "Anafi", "Andros", "Antiparos", "Astypalea", "Chios",
    "Corfu",
    "Crete", "Donoussa", "Euboea", "Folegandros", "Hydra", "Ikaria", "Ios", "Ithaca", "Kalymnos", "Karpathos",
    "Kasos", "Kastellorizo", "Kea", "Kefalonia", "Kimolos", "Kos", "Kythira", "Kythnos", "Lefkada", "Lemnos",
    "Leros", "Lesbos", "Lipsi", "Milos", "Mykonos", "Naxos", "Nisyros", "Paros", "Patmos", "Paxos", "Poros",
    "Psara", "Rhodes", "Samos", "Samothrace", "Santorini", "Serifos", "Sifnos", "Sikinos", "Skiathos",
    "Skopelos", "Skyros", "Spetses", "Symi", "Syros", "Thasos", "Tilos", "Tinos", "Zakynthos",
)  # fmt: skip
"""More than the web chat has buttons for (its capability is 50)."""
EXPIRED: Final = (
    "This session ends now, as it would after a day of silence. Write again: a new one begins by itself."
)
_CHOICE: Final = re.compile(r"\s*choose_(\w+)\s*")
_QUOTED_MAX: Final = 200


class Talk(Struct, frozen=True):
    """Where a conversation stands."""

    who: Literal["agent", "human"] = "agent"
    closed: bool = False
    ended: bool = False
    """The session is gone: no message reaches it any more."""
    greeted: bool = False


class Post(Struct, frozen=True):
    """A webhook; `fields` are those beside the base fields."""

    event_type: str
    fields: dict[str, Any] = {}


class Sleep(Struct, frozen=True):
    """The time a person takes, before what follows."""

    seconds: float


class Received(Struct, frozen=True):
    """A file of the user's, and where it can be loaded."""

    name: str
    type: str
    url: str


Action: TypeAlias = Post | Sleep
Turn: TypeAlias = tuple[Talk, tuple[Action, ...]]


def hear(talk: Talk, text: str, files: tuple[Received, ...], media_url: str) -> Turn:
    """What a message of the user leads to; `files` are what came along."""
    before: tuple[Action, ...] = ()
    if (command := text.strip().lower()) in ENDS:
        talk, actions = end(talk, ENDS[command])
        return talk, (_say(_text(EXPIRED if command == "expire" else "As you wish.")), *actions)
    if talk.closed:
        talk, before = reopen(talk)
    if talk.who == "human":
        talk, after = _human(talk, text, files)
    else:
        talk, after = _agent(talk, text, files, media_url)
        after = (Post("message:delivered", {"author_type": "brain"}), *after)
    return talk, (*before, *after)


def _agent(talk: Talk, text: str, files: tuple[Received, ...], media_url: str) -> Turn:
    words = re.findall(r"[a-z]+", text.lower())
    commands = [word for word in (ALIASES.get(word, word) for word in words) if word in (*SHOWS, "menu")]
    first, talk = not talk.greeted, replace(talk, greeted=True)
    match commands[:1]:
        case _ if choice := _CHOICE.fullmatch(text):
            name = choice[1].replace("_", " ")
            return talk, (_say(_text(f"You chose {name}. A good choice!", "carousel", "menu")),)
        case _ if files:
            shown = [{"type": "image", "url": file.url, "name": file.name} for file in files if _seen(file)]
            like_so = " This is how it came:" if shown else ""
            return talk, (_say(_text(f"Thank you, I have received {_named(files)}.{like_so}"), *shown),)
        case ["handover"]:
            return handover(talk, media_url)
        case ["close"]:
            talk, actions = close(talk)
            return talk, (_say({"type": "close"}), *actions)
        case [command] if command in SHOWS:
            return talk, (_say(*_show(command, text, media_url)),)
        case _ if first:
            hello = "Hello! I am the demo agent, and this is what I can show you. Send me a photo, too."
            return talk, (_say(_text(hello, *MENU)),)
        case ["menu"]:
            return talk, (_say(_text("This is what I can show you.", *MENU)),)
        case _:
            return talk, (_say(_text("I do not know that one. This is what I can show you.", *MENU)),)


def _show(command: str, text: str, media_url: str) -> list[dict[str, Any]]:
    match command:
        case "text":
            return [_text("This is a text. The buttons under it are quick replies.", "menu", "carousel")]
        case "pause":
            return [_text("Let me think."), response("pause", 1, media_url), _text("There you are.", "menu")]
        case "everything":
            return [part for name in EVERYTHING for part in _show(name, text, media_url)]
        case "webview":
            height = next((height for height in HEIGHTS if height in text.lower()), "tall")
            return [response("webview", 1, media_url) | {"height": height}]
        case "numbers":
            asked = {"type": "text", "text": "Which island would you like to see? Answer with its number."}
            options = [{"label": name, "text": f"choose_{name}"} for name in ISLANDS]
            return [asked | {"options": options}]
        case _:
            return [response(command, 1, media_url)]


def _human(talk: Talk, text: str, files: tuple[Received, ...]) -> Turn:
    read = (Post("message:read", {"author_type": "agent"}), Sleep(READ_SECONDS))
    if FAREWELLS.intersection(re.findall(r"[a-z]+", text.lower())):
        answer = _typed("Thank you for writing. Goodbye!")
        left = Post("conversation:member_leave", dict(AGENT))
        talk, actions = close(talk, by_agent=True)
        return talk, (*read, *answer, left, *actions)
    if files:
        return talk, (*read, *_typed(f"Thank you, I have received {_named(files)}."))
    quoted = text if len(text) <= _QUOTED_MAX else text[:_QUOTED_MAX] + "…"
    return talk, (
        *read,
        *_typed(f"I am looking into “{quoted}” for you. Say bye when you have what you need."),
    )


def handover(talk: Talk, media_url: str) -> Turn:
    """A human joins, greets and attaches a guide."""
    return replace(talk, who="human"), (
        _say(response("handover", 1, media_url)),
        Sleep(READ_SECONDS),
        Post("conversation:member_join", dict(AGENT)),
        *_typed(
            "Hi! I am Sarah from support. Here is a guide while I read what you wrote.", guide(media_url)
        ),
    )


def close(talk: Talk, *, by_agent: bool = False) -> Turn:
    """The conversation is resolved; the session lives on."""
    agent = {"agent_id": AGENT["author_id"], "agent_name": AGENT["author_name"]} if by_agent else {}
    closed = Post("conversation:closed", {"status": "resolved"} | agent)
    return replace(talk, who="agent", closed=True), (closed,)


def reopen(talk: Talk) -> Turn:
    """The agent is back, and says hello again."""
    return replace(talk, closed=False, greeted=False), (Post("conversation:reopened"),)


def end(talk: Talk, event_type: str) -> Turn:
    """The session is gone, by session:expired or session:closed."""
    fields = {"status": "closed"} if event_type == "session:closed" else {}
    return replace(talk, ended=True), (Post(event_type, fields),)


def _named(files: tuple[Received, ...]) -> str:
    return ", ".join(file.name for file in files)


def _seen(file: Received) -> bool:
    return file.type == "image"


def _typed(text: str, *attachments: dict[str, Any]) -> tuple[Action, ...]:
    return (
        Post("message:compose", AGENT | {"action": "start"}),
        Sleep(TYPE_SECONDS),
        Post("message:compose", AGENT | {"action": "stop"}),
        Post("message:send", message(text, *attachments)),
    )


def _say(*responses: dict[str, Any]) -> Post:
    return Post(BRAIN_SEND, {"output": {"responses": list(responses)}})


def _text(text: str, *options: str) -> dict[str, Any]:
    """A text; each quick reply says what it is called."""
    said: dict[str, Any] = {"type": "text", "text": text}
    if options:
        said["options"] = [{"label": option.capitalize(), "text": option} for option in options]
    return said
