"""A message as it looks after one of its buttons was pressed: that button stands out, all still work.

Slack shows nothing by itself when a button was pressed, so people press again. The blocks come with the
press, and go back by chat.update. They are read field by field, since Slack adds some that it does not take
back (https://github.com/slackapi/bolt-js/issues/1841); a message with other blocks than these is left alone.
Buttons are not taken away: others in the channel see the same message, and may want another one.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class _Words(msgspec.Struct, frozen=True, omit_defaults=True):
    type: Literal["plain_text", "mrkdwn"]
    text: str
    emoji: bool | None = None
    verbatim: bool | None = None


class _Button(msgspec.Struct, frozen=True, tag="button", omit_defaults=True):
    action_id: str
    text: _Words
    value: str | None = None
    url: str | None = None
    style: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    text: _Words
    value: str


class _Menu(msgspec.Struct, frozen=True, tag="static_select", omit_defaults=True):
    action_id: str
    placeholder: _Words
    options: list[_Choice]


class _Picture(msgspec.Struct, frozen=True, tag="image", omit_defaults=True):
    image_url: str
    alt_text: str
    block_id: str | None = None
    title: _Words | None = None


class _Section(msgspec.Struct, frozen=True, tag="section", omit_defaults=True):
    text: _Words
    block_id: str | None = None
    accessory: _Picture | None = None
    expand: bool | None = None


class _Actions(msgspec.Struct, frozen=True, tag="actions", omit_defaults=True):
    elements: list[_Button | _Menu]
    block_id: str | None = None


_decoder = msgspec.json.Decoder(list[_Section | _Picture | _Actions])


def marked(blocks: msgspec.Raw, action_id: str, value: str) -> list[dict[str, Any]]:
    """The blocks with this button made to stand out, and no other; none where that cannot be done."""
    try:
        shown = _decoder.decode(blocks)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    found = False
    made: list[_Section | _Picture | _Actions] = []
    for block in shown:
        if isinstance(block, _Actions):
            elements = [_styled(element, action_id, value) for element in block.elements]
            found = found or any(isinstance(each, _Button) and each.style for each in elements)
            made.append(msgspec.structs.replace(block, elements=elements))
        else:
            made.append(block)
    return msgspec.to_builtins(made) if found else []


def _styled(element: _Button | _Menu, action_id: str, value: str) -> _Button | _Menu:
    if isinstance(element, _Menu):
        return element
    pressed = element.action_id == action_id and element.value == value
    return msgspec.structs.replace(element, style="primary" if pressed else None)
