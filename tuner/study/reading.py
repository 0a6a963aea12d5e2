"""Reads the text of a study file, guarded: whatever the bytes are, the answer is a table or one clear line.

tomllib takes 4.35 s over a dotted key of 20,000 parts and a RecursionError over a deep array (measured, Python 3.11),
so size, dots and nesting are bounded before it sees the text.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from objectives.errors import Complaint, nearest
from tuner.errors import StudyError
from tuner.study.hints import shown

__all__ = ["MOST_BYTES", "near_file", "parse_toml", "plain_copy", "read_toml", "readable"]

MOST_BYTES = 64 * 1024
MOST_DOTS = 16
MOST_DEPTH = 64
# The closing quotes are optional so that an open string is consumed once: linear time whatever the text.
QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"?|'[^'\n]*'?|#[^\n]*")
HINTS = {
    "Invalid value": 'text needs quotes, like name = "digits"',
    "Cannot overwrite": "write each key once",
    "Cannot declare": "write each table once",
    "Invalid statement": "write lines like [study] and trials = 64",
    "Expected '=' after": "write lines like [study] and trials = 64",
}
TABLES = {".csv", ".tsv", ".parquet", ".npz", ".npy", ".xlsx", ".ods", ".json", ".jsonl", ".feather", ".gz"}
AT_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")


def read_toml(path: Path) -> dict[str, Any]:
    """Read the table in a TOML file. Raises StudyError with one line that names the file, and the line where it can."""
    label = str(path) if str(path).isprintable() else shown(str(path))[1:-1]
    try:
        mode = path.stat().st_mode
        data = _bytes(path) if stat.S_ISREG(mode) else b""
    except FileNotFoundError as error:
        raise _error(label, "there is no such file", near_file(path, {".toml"}) or "`tuner init` writes one") from error
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        what = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise _error(label, what, "check the path and its permissions") from error
    if not stat.S_ISREG(mode):
        what = "is a directory" if stat.S_ISDIR(mode) else "is not a regular file"
        raise _error(label, what, "name a .toml file")
    if path.suffix.lower() in TABLES:
        hint = "`tuner init study.toml` writes a study; name this in it: [data] source"
        raise _error(label, "is a table of data, not a study", hint)
    if len(data) > MOST_BYTES:
        raise _error(label, f"is larger than {MOST_BYTES // 1024} KiB", "is it a study file?")
    return parse_toml(_decoded(data, label), label)


def readable(text: str) -> str:
    """Return the text of a resolved study. Raises StudyError for one that would be too long to be read again."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        what = f"takes {size // 1024 + 1} KiB with everything filled in, and {MOST_BYTES // 1024} are the most"
        raise _error("study", what, "give fewer choices, or fewer configs to enqueue")
    return text


def parse_toml(text: str, label: str = "study") -> dict[str, Any]:
    """Parse TOML text to a table. Raises StudyError with one line: "label: line N: ..."."""
    _check_shape(text, label)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text, label) from error
    except RecursionError as error:
        raise _error(label, "is nested too deeply", "write a flat list") from error
    except ValueError as error:  # more digits than Python reads
        digits = re.search(r"\d{4000}", text.replace("_", ""))
        line = text.count("\n", 0, digits.start()) + 1 if digits else 1
        raise _at(label, line, "has a number of too many digits", "write a shorter one") from error


def plain_copy(value: Any, depth: int = 0) -> Any:
    """Copy to TOML's types: dict, list and Python scalars for mappings, tuples, paths and NumPy scalars.

    Raises StudyError for what is nested deeper than any study.
    """
    if depth > MOST_DEPTH:
        raise _error("study", "is nested too deeply", "write a flat list")
    if isinstance(value, Mapping):
        return {str(key): plain_copy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_copy(item, depth + 1) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    return value


def near_file(path: Path, suffixes: Collection[str]) -> str:
    """Suggest files beside a missing one; "" where there are none."""
    try:
        names = {entry.stem: entry.name for entry in path.parent.iterdir() if entry.suffix.lower() in suffixes}
    except OSError:
        return f"{str(path.parent)!r} is no directory either"
    close = get_close_matches(path.stem, names, n=1)
    return nearest(names[close[0]], [names[close[0]]]) if close else nearest("", names.values())


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _decoded(data: bytes, label: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _at(label, line, "is not UTF-8 text", "save the file as UTF-8") from error


def _check_shape(text: str, label: str) -> None:
    depth = 0
    for number, line in enumerate(QUOTED.sub('""', text).split("\n"), 1):
        depth += sum(map(line.count, "[{"))
        if depth > MOST_DEPTH:
            raise _at(label, number, f"has more than {MOST_DEPTH} brackets", "split long lists over several lines")
        depth = max(0, depth - sum(map(line.count, "]}")))
        if any(part.count(".") > MOST_DOTS for part in re.split(r"[=,\[\]{}]", line)):
            raise _at(label, number, f"has a key of more than {MOST_DOTS} dots", "keys here have three at most")


def _not_toml(message: str, text: str, label: str) -> StudyError:
    place = AT_LINE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    what = AT_LINE.sub("", message)
    hint = next((hint for start, hint in HINTS.items() if what.startswith(start)), "")
    return _at(label, line, f"is not TOML: {what[:1].lower()}{what[1:]}"[:200], hint)


def _at(label: str, line: int, what: str, hint: str) -> StudyError:
    return _error(f"{label}: line {line}", what, hint)


def _error(where: str, what: str, hint: str) -> StudyError:
    return StudyError(Complaint(where, what, hint))
