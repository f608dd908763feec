"""A queue's script with something in it changed."""

from __future__ import annotations

import hashlib

from bridge.queue.scripts import Script


def rewritten(script: Script, *changes: tuple[str, str]) -> Script:
    """Each is what stands there and what shall; it must be there once."""
    source = script.source.decode()
    for old, new in changes:
        if source.count(old) != 1:
            raise RuntimeError(
                f"{script.verb}: the place to change is there {source.count(old)} times: {old}"
            )
        source = source.replace(old, new)
    changed = Script.__new__(Script)
    vars(changed).update(
        verb=script.verb,
        source=source.encode(),
        sha=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest().encode(),
    )
    return changed
