"""The kinds of files that tables come in: one row of `FORMATS` each, told by content first and by suffix second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from objectives.data.files.columnar import read_arrow, read_feather, read_parquet
from objectives.data.files.content import Content
from objectives.data.files.dialect import ASKED, Dialect
from objectives.data.files.records import read_json
from objectives.data.files.sheets import read_sheet
from objectives.data.files.text import read_text
from objectives.data.raw import Raw
from objectives.errors import Complaint, DataError

__all__ = ["FORMATS", "PACKED", "TEXT", "Format", "format_of", "read_table"]


@dataclass(frozen=True)
class Format:
    """A kind of file: its suffixes, how its bytes begin, and what reads it. What does not begin so may yet be it."""

    name: str
    suffixes: tuple[str, ...]
    starts: Callable[[bytes], bool]
    read: Callable[[Content, str, Dialect], Raw]


def _begins(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magics)


def _is_json(start: bytes) -> bool:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith((b"{", b"[{", b"[[", b"[\n", b"[ ", b"[\r"))


TEXT = Format("text", (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".psv"), lambda start: False, read_text)
FORMATS = (
    Format("parquet", (".parquet", ".pq"), _begins(b"PAR1"), read_parquet),
    Format("feather", (".feather",), lambda start: False, read_feather),
    Format("arrow", (".arrow", ".arrows", ".ipc"), _begins(b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"), read_arrow),
    Format("workbook", (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"), _begins(b"PK", b"\xd0\xcf\x11\xe0"), read_sheet),
    Format("json", (".json", ".jsonl", ".ndjson"), _is_json, read_json),
    TEXT,
)
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
# What some programs write under these names is text all the same; their magic bytes decide.
BINARY = {".docx": "a document", ".pdf": "a document", ".png": "a picture", ".jpg": "a picture", ".pkl": "a pickle"}


def format_of(content: Content, where: str) -> Format:
    """Return the kind of a file. Raises DataError for one that holds no table."""
    start = content.start()
    by_suffix = next((row for row in FORMATS if content.suffix in row.suffixes), None)
    by_content = next((row for row in FORMATS if row.starts(start)), None)
    if content.suffix in BINARY and by_content is None:
        known = ", ".join(suffix for row in FORMATS for suffix in row.suffixes)
        hint = f"known are {known}, .npy, .npz, sklearn:NAME and module:function"
        raise DataError(Complaint(where, f"is {BINARY[content.suffix]} ({content.suffix})", hint))
    if by_suffix and (by_content is None or by_suffix.starts(start) or by_suffix.name == "feather"):
        return by_suffix
    return by_content or TEXT


def read_table(content: Content, where: str, asked: Dialect = ASKED) -> Raw:
    """Read a file of any kind. Raises DataError with what is wrong with it."""
    form = format_of(content, where)
    if form is not TEXT:
        text_only = [name for name in asked.said() if name in ("separator", "decimal", "thousands", "comment")]
        if text_only and form.name != "workbook":
            what = f"does not go with a {form.name} file, which knows its columns"
            raise DataError(*(Complaint(f"{where}, data.{name}", what, "remove it") for name in text_only))
    raw = form.read(content, where, asked)
    known = form is TEXT or content.suffix in form.suffixes
    said = () if known else (f"file: it is a {form.name} file, whatever its name says",)
    return replace(raw, notes=(*(content.said if form is not TEXT else ()), *said, *raw.notes))
