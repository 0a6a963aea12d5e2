"""Placeholders of a command: {lr}, {lr:.4f}, {hidden:*}, {nesterov:--nesterov}; {{lr}} is {lr} itself.

A word that is a placeholder alone is left out where its text is empty. What stands after the colon is a format of
Python's, `*` for a list whose elements are words of their own, `,` for one joined by commas, or the flag that stands
for true, and after a slash the one for false. {config:yaml} is a file of settings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["format_problem", "holes_in", "placeholders_in", "word_text", "words_of"]

PART = re.compile(
    r"\{\{(?P<literal>[^{}]*)\}\}"
    r"|\{(?P<name>[A-Za-z_][\w .-]*)(?::(?P<form>\*|,|yaml|json|toml|-[\w/-]+|[^{}:\"' ]{0,12}[bcdeEfFgGnosxX%]))?\}"
)
FLAG = re.compile(r"(-[\w-]+)(?:/(-[\w-]+))?")
WORDS, JOINED = "*", ","


def placeholders_in(word: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a word asks for, each with its format, "" where it has none."""
    for part in PART.finditer(word):
        if part["name"] is not None:
            yield part["name"], part["form"] or ""


def holes_in(word: str) -> list[str]:
    """Return the names that a word asks for."""
    return [name for name, _ in placeholders_in(word)]


def words_of(word: str, known: Mapping[str, Any]) -> list[str]:
    """Return what a word of a command becomes: none where it asks for what is not known or is empty, several of a list.

    Raises ValueError for a format that the value does not have.
    """
    holes = list(placeholders_in(word))
    if any(name not in known for name, _ in holes):
        return []
    if len(holes) == 1 and holes[0][1] == WORDS:
        before = word[: word.rindex("{")]
        items = [word_text(item) for item in _listed(known[holes[0][0]])]
        return [*([before.removesuffix("=")] if before else []), *items]
    text = PART.sub(lambda part: _text(part, known), word)
    whole = PART.fullmatch(word)
    return [] if not text and whole is not None and whole["name"] else [text]


def _text(part: re.Match[str], known: Mapping[str, Any]) -> str:
    if part["name"] is None:
        return "{" + part["literal"] + "}"
    value, form = known[part["name"]], part["form"] or ""
    if written := known.get(f"{part['name']}:{form}"):  # a file of settings
        return str(written)
    if form == JOINED:
        return ",".join(word_text(item) for item in _listed(value))
    if flag := FLAG.fullmatch(form):
        return flag[1] if value else flag[2] or ""
    return format(value, form) if form else word_text(value)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def word_text(value: Any) -> str:
    """Return a value as a word of a command: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def format_problem(word: str, name: str, form: str, value: Any) -> str:
    """Return what is wrong with a placeholder for a value in a word; empty where nothing is."""
    if form == WORDS:
        alone = re.fullmatch(r"(?:--?[\w.-]+=)?\{[^{}]*\}", word)
        return "" if alone else f"{{{name}:*}} has to be a word of its own, or the value of --{name}="
    if FLAG.fullmatch(form):
        return "" if isinstance(value, bool) else f"{{{name}:{form}}} is a flag, and {name} is not true or false"
    try:
        words_of(f"{{{name}:{form}}}" if form else f"{{{name}}}", {name: value})
    except (ValueError, TypeError) as error:
        return f"{{{name}:{form}}} cannot be written of {value!r:.40}: {error}"
    return ""
