"""Secrets stay out of logs, whoever writes the line."""

from __future__ import annotations

import logging
import re
from typing import Any

from diat.security.accounts import redacted

_NAMES = "token|access_token|api_key|apikey|password|passphrase|secret"
_SPOKEN = re.compile(rf"\b({_NAMES})([\"']?\s*[=:]\s*[\"']?)[^&\s\"',}}]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer\s+)[^\s\"',]+", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@", re.IGNORECASE)


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


def cleaned(text: str) -> str:
    """A text without tokens, without what it calls a secret, and without passwords in addresses."""
    text = _BEARER.sub(r"\1***", redacted(text))
    return _IN_ADDRESS.sub(r"\1***@", _SPOKEN.sub(r"\1\2***", text))


def _clean(said: Any) -> Any:
    """A text, or what makes a text of itself, without secrets; numbers stay what they are."""
    if isinstance(said, (int, float, type(None))):
        return said
    text = str(said)
    clean = cleaned(text)
    return said if clean == text else clean
