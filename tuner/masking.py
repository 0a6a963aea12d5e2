"""Passwords, hidden wherever text is shown or kept: those of URLs, of `password=...`, and those this command was given.

A URL holds a password more often than not. What is kept of one has gone through `masked`, and whatever is printed or
raised through `shown`, which also knows the passwords of the command line at hand.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from urllib.parse import unquote

__all__ = ["USER", "hidden", "masked", "remember", "shown"]

# A password of a URL may have any letters, and what shows of a URL in a message may be cut off before its end: then
# whatever is no port is a password.
USER = re.compile(r"^([A-Za-z][\w+.-]*://[^:/@\[]*):(.*)@", re.DOTALL)
ANYWHERE = re.compile(r"[A-Za-z][\w+.-]*://[^:/@\[]*:(.*)@", re.DOTALL)
WITHIN = re.compile(r"([A-Za-z][\w+.-]*://[^\s:/@\['\"]*):(?:\S*@|(?!\d+(?:[^\w%]|$))[^\s/'\"]+)")
NAMED = re.compile(
    r"((?:\w*(?:password|passwd|passphrase)|\b(?:\w+_)?pwd|(?<=[?&;])(?:pass|token|secret|api_?key|\w*_token))=)"
    r"('[^']*'|\"[^\"]*\"|[^&\s'\"]*)",
    re.IGNORECASE,
)
SHORTEST = 4  # letters of a password that is looked for wherever it may stand


def masked(text: str) -> str:
    """Return a URL without its password, or a text without those of its URLs and of `password=...` and its like."""
    return NAMED.sub(r"\1***", WITHIN.sub(r"\1:***@", USER.sub(r"\1:***@", text)))


def secrets_of(text: str) -> set[str]:
    """Return the passwords in a URL, as it writes them and as they are."""
    found = {match[1] for match in ANYWHERE.finditer(text)} | {match[2].strip("'\"") for match in NAMED.finditer(text)}
    return {secret for secret in found | set(map(unquote, found)) if secret and secret != "***"}


def hidden(text: str, url: str) -> str:
    """Return a text without the passwords of a URL, however they are written in it."""
    for secret in sorted(secrets_of(url), key=len, reverse=True):
        text = text.replace(secret, "***") if len(secret) > 2 else text
    return text


def shown(text: str) -> str:
    """Return a text as it may be printed: without the passwords that it names as such, and those of this command."""
    if _KNOWN:
        text = _KNOWN[0].sub("***", text)
    if "://" in text:
        text = WITHIN.sub(r"\1:***@", text)
    return NAMED.sub(r"\1***", text) if "=" in text else text


def remember(words: Sequence[str]) -> None:
    """Take the passwords in the words of a command line, and those of variables, for what is shown from now on."""
    parts = [part for word in words for part in (word, word.partition("=")[2])]
    found = {os.environ.get("PGPASSWORD", "")}.union(*map(secrets_of, [*parts, os.environ.get("TUNER_STORAGE", "")]))
    listed = sorted((secret for secret in found if len(secret) >= SHORTEST), key=len, reverse=True)
    pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, listed))})(?!\w)"
    _KNOWN[:] = [re.compile(pattern)] if listed else []


_KNOWN: list[re.Pattern[str]] = []  # what finds the passwords of this command, the longest first
remember(sys.argv)
