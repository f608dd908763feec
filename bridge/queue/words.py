"""How what the queue is asked becomes the words of a command."""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import assert_never

from bridge.queue.commit import Argument
from bridge.queue.keys import encode
from bridge.queue.values import Ack, Bury, Delivery, Held, Park, Refuse, Settle


def digest_of(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=16).digest()


def ms_of(seconds: float) -> int:
    """No less than was asked for."""
    return max(0, math.ceil(seconds * 1000))


def held_of(delivery: Delivery) -> Held:
    return delivery.session, delivery.token


def words_of_cursor(cursor: bytes | None) -> bytes:
    """As the scripts beat and turn take it."""
    return b"" if cursor is None else b"=" + cursor


def words_of_text(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def text_of(words: bytes) -> str:
    """What `words_of_text` wrote."""
    return words.decode("utf-8", "replace")


def words_of(settle: Settle) -> tuple[Argument, ...]:
    """As the script turn takes it."""
    name, token = encode(settle.delivery.session), settle.delivery.token
    match settle:
        case Ack(_, said):
            return b"ack", name, token, b"", b"", said
        case Park(_, seconds, cursor, counted, said):
            verb = b"retry" if counted else b"wait"
            return verb, name, token, ms_of(seconds), words_of_cursor(cursor), said
        case Bury(_, reason, error, said):
            return b"bury", name, token, reason, words_of_text(error), said
        case Refuse(_, error, chat, cursor, account):
            verb = b"deny" if account else b"refuse"
            return verb, name, token, encode(chat), words_of_cursor(cursor), words_of_text(error)
    assert_never(settle)
