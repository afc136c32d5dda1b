"""Secrets stay out of logs, whoever writes the line."""

from __future__ import annotations

import logging
import re
from typing import Any

from diat.security.accounts import redacted

_SPOKEN = re.compile(r"\b(token|access_token|api_key|apikey|password)=[^&\s\"']+", re.IGNORECASE)


def keep_secrets_out_of_logs() -> None:
    """From here on no record of any logger holds a token, or what an address calls a secret."""
    make = logging.getLogRecordFactory()
    if getattr(make, "keeps_secrets", False):
        return

    def redacting(*args: Any, **more: Any) -> logging.LogRecord:
        record = make(*args, **more)
        if not record.args:
            record.msg = _clean(record.msg)
        elif isinstance(record.args, tuple):
            record.args = tuple(_clean(each) for each in record.args)
        return record

    redacting.keeps_secrets = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)


def _clean(said: Any) -> Any:
    """A text, or what makes a text of itself, without secrets; numbers stay what they are."""
    if isinstance(said, (int, float, type(None))):
        return said
    text = str(said)
    clean = _SPOKEN.sub(r"\1=***", redacted(text))
    return said if clean == text else clean
