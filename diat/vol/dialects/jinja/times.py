"""Times in templates; none of it reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from diat.vol.dialects.jinja.bounds import MISSING, date_format, known
from diat.vol.dialects.words import Unfit, quoted


def _moment(value: Any) -> datetime:
    """Take a time as a template has it: Unix seconds or ISO 8601, without an offset in UTC."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        moment = datetime.fromisoformat(value)
    else:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_datetime(value: Any, default: Any = MISSING) -> Any:
    """The time that it says, in UTC unless it says otherwise."""
    try:
        return _moment(known(value))
    except (TypeError, ValueError, OverflowError):
        if default is not MISSING:
            return default
        raise Unfit(f"{quoted(value)} is not a time") from None


def as_timestamp(value: Any, default: Any = MISSING) -> Any:
    """Unix seconds."""
    moment = as_datetime(value, default)
    return moment.timestamp() if isinstance(moment, datetime) else moment


def timestamp_custom(
    value: Any, pattern: str = "%Y-%m-%d %H:%M:%S", local: bool = True, default: Any = MISSING
) -> Any:
    """The time in the given form, in UTC."""
    # Where the message comes from is not known here, so local time is UTC too.
    moment = as_datetime(value, default)
    return strftime(moment, pattern) if isinstance(moment, datetime) else moment


def timestamp_utc(value: Any, default: Any = MISSING) -> Any:
    """The time as ISO 8601."""
    moment = as_datetime(value, default)
    return moment.isoformat() if isinstance(moment, datetime) else moment


def strftime(moment: datetime, pattern: str) -> str:
    """The time in the given form."""
    return moment.strftime(date_format(pattern))


def strptime(value: Any, pattern: str, default: Any = MISSING) -> Any:
    """The time that is written in the given form, in UTC."""
    try:
        return datetime.strptime(known(value), date_format(pattern)).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        if default is not MISSING:
            return default
        raise Unfit(f"{quoted(value)} is not a time like {quoted(pattern)}") from None
