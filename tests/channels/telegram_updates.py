"""What Telegram posts: updates as its users make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def person(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "is_bot": False, "first_name": "Ada", "language_code": "en", **fields}


def message_update(update_id: int, chat: int, text: str = "", **fields: Any) -> dict[str, Any]:
    """An update with a message of the user; further fields as `photo`, `caption` or `location`."""
    message = {
        "message_id": update_id,
        "date": 1_700_000_000,
        "chat": {"id": chat, "type": "private"},
        "from": person(chat),
        **fields,
    }
    if text:
        message["text"] = text
    return {"update_id": update_id, "message": message}


def press_update(update_id: int, chat: int, button: Mapping[str, Any]) -> dict[str, Any]:
    """An update with a press on a button as it was sent ({"text", "callback_data"})."""
    under = message_update(update_id, chat, "…", reply_markup={"inline_keyboard": [[button]]})["message"]
    return {
        "update_id": update_id,
        "callback_query": {
            "id": f"press-{update_id}",
            "from": person(chat),
            "chat_instance": "1",
            "message": under,
            "data": button["callback_data"],
        },
    }
