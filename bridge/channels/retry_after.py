"""How long a platform asks us to wait: the Retry-After header, in seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]*)?")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The header in seconds (a number, or a date as RFC 9110 allows), None when it is missing or unreadable.

    A date is measured from the reply's own Date header: no clock is read here, and the platform's is the one
    its date was written by.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    then, now = http_date(value), http_date(headers.get("date", ""))
    if then is None or now is None:
        return None
    return max(0.0, (then - now).total_seconds())


def http_date(value: str) -> datetime | None:
    """An HTTP date; None for what is none, and for one without a time zone (it could not be compared)."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else None
