"""Tables of JSON: a list of records, an object of columns, or one record a line; nested objects become columns."""

from __future__ import annotations

import json
from typing import Any

from objectives.data.files.columnar import frame_to_raw
from objectives.data.files.content import Content
from objectives.data.files.dialect import Dialect
from objectives.data.files.encodings import in_utf8
from objectives.data.raw import Raw, first_lines
from objectives.errors import Complaint, DataError

__all__ = ["read_json"]

SHAPES = "write a list of records, [{...}, ...], or one record a line"


def read_json(content: Content, where: str, asked: Dialect) -> Raw:
    """Read a table of JSON, whole or by lines, as a frame (n, D). Raises DataError with the line that is wrong."""
    text = in_utf8(content, where, asked.encoding)
    with text.content.open() as file:
        file.seek(text.first)
        data = file.read().decode()
    try:
        return _frame(json.loads(data), where)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data" and not _by_lines(data):
            what = f"is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
            raise DataError(Complaint(f"{where}, line {error.lineno}", what, "write it again")) from error
    return _frame([_record(line, i, where) for i, line in enumerate(data.splitlines(), 1) if line.strip()], where)


def _by_lines(data: str) -> bool:
    """Return True if the first line is a record by itself."""
    first = data.lstrip().partition("\n")[0]
    try:
        return isinstance(json.loads(first), dict)
    except json.JSONDecodeError:
        return False


def _record(line: str, number: int, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        what = f"is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise DataError(Complaint(f"{where}, line {number}", what, "correct or remove it")) from error
    if not isinstance(record, dict):
        raise DataError(Complaint(f"{where}, line {number}", f"is {type(record).__name__}, not an object", SHAPES))
    return record


def _frame(found: Any, where: str) -> Raw:
    import pandas as pd

    if isinstance(found, dict):
        lists = [name for name, value in found.items() if isinstance(value, list)]
        if len(lists) == 1 and all(isinstance(one, dict) for one in found[lists[0]]):
            found = found[lists[0]]  # {"data": [...]} and the like
        elif lists and len(lists) == len(found):
            return _of_columns(found, where)
        elif found and all(isinstance(value, dict) for value in found.values()):
            return frame_to_raw(pd.DataFrame(found), where)
        else:
            raise DataError(Complaint(where, "is a single JSON object, not a table", SHAPES))
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        return frame_to_raw(pd.json_normalize(found), where)
    if isinstance(found, list) and len(found) > 1 and all(isinstance(one, list) for one in found):
        wrong = [f"row {i} has {len(row)}" for i, row in enumerate(found[1:], 1) if len(row) != len(found[0])]
        if wrong:
            what = f"the first list names {len(found[0])} columns, but {first_lines(wrong)}"
            raise DataError(Complaint(where, what, "give each row as many values"))
        return frame_to_raw(pd.DataFrame(found[1:], columns=[str(name) for name in found[0]]), where)
    raise DataError(Complaint(where, "is JSON, but not a table", SHAPES))


def _of_columns(found: dict[str, Any], where: str) -> Raw:
    import pandas as pd

    sizes = {name: len(value) for name, value in found.items()}
    if len(set(sizes.values())) > 1:
        what = "has columns of unlike lengths: " + ", ".join(f"{name!r} {size}" for name, size in sizes.items())
        raise DataError(Complaint(where, what[:300], "give each column as many values"))
    return frame_to_raw(pd.DataFrame(found), where)
