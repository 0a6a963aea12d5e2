"""How the letters of a text are encoded, told by its bytes, and the same text in UTF-8.

A byte-order mark decides. Otherwise text that is UTF-8 as a whole is taken as such; zero bytes between letters are
UTF-16; text whose bytes make no sense in UTF-8 is Windows-1252, of which Latin-1 is a part. A few wrong bytes in a text
that has many right ones are damage, and said as such.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace

from objectives.data.files.content import Content
from objectives.errors import Complaint, DataError

__all__ = ["EncodedText", "in_utf8", "line_at"]

BLOCK = 2**20  # bytes
SAMPLE = 2**16  # bytes that tell UTF-16 by its zeros
LETTERS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
HIGH = re.compile(rb"[\x80-\xff]")
MARKED = (  # longest first: UTF-16's mark begins UTF-32's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WESTERN = "cp1252"
NOT_TEXT = "save the table as text (csv), or give it the suffix of its kind"


@dataclass(frozen=True)
class EncodedText:
    """A text in UTF-8: its bytes from `first` on (after a byte-order mark), and what it was encoded in.

    `quoted` says whether there are double quotes in it, `blank` whether it says nothing.
    """

    content: Content
    encoding: str
    first: int
    quoted: bool
    blank: bool


def in_utf8(content: Content, where: str, asked: str | None = None) -> EncodedText:
    """Return a text in UTF-8, whatever it is encoded in, or in the encoding that was `asked` for.

    Raises DataError for what is no text, with the line of the first byte that is damaged.
    """
    start = content.start(SAMPLE)
    encoding = asked or _by_start(start, where)
    if encoding in ("utf-8", "utf-8-sig", "utf8"):
        first = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
        looked = _looked_at(content, where, damaged=asked is not None)
        if looked is not None:
            return EncodedText(content, "utf-8", first, *looked)
        encoding = WESTERN
    text, encoding = _decoded(content.whole(), encoding, where)
    if "\0" in text:
        raise DataError(Complaint(where, "holds NUL bytes, so it is not a text file", NOT_TEXT))
    plain = replace(content, path=None, data=text.removeprefix("\ufeff").encode())
    return EncodedText(plain, encoding, 0, '"' in text, not text.strip("\ufeff \r\n\t"))


def _by_start(start: bytes, where: str) -> str:
    for mark, encoding in MARKED:
        if start.startswith(mark):
            return encoding
    even, odd = start[::2].count(0), start[1::2].count(0)
    if not even + odd:
        return "utf-8"
    if max(even, odd) > 0.3 * len(start) / 2 and min(even, odd) < 0.1 * max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    raise DataError(Complaint(where, "holds NUL bytes, so it is not a text file", NOT_TEXT))


def _looked_at(content: Content, where: str, damaged: bool) -> tuple[bool, bool] | None:
    """Return whether a text in UTF-8 has quotes and whether it is blank; None for one that is in another encoding.

    A block at a time: the file may take half of the memory. Raises DataError for zero bytes, and for UTF-8 that is
    `damaged`, or has more right letters than wrong ones.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    size, quoted, blank = 0, False, True
    with content.open() as file:
        while True:
            block = file.read(BLOCK)
            size += len(block)
            try:
                known = block.isascii() and not (blank or decoder.getstate()[0])
                text = "" if known and block else decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                if damaged or _mostly_utf8(content):
                    raise _broken(where, line_at(content, size - len(error.object) + error.start)) from error
                return None
            if not block:
                return quoted, blank
            if b"\0" in block:
                raise DataError(Complaint(where, "holds NUL bytes, so it is not a text file", NOT_TEXT))
            quoted, blank = quoted or b'"' in block, blank and (not text or text.isspace())


def line_at(content: Content, place: int) -> int:
    """Return the number of the line that a byte is on: lines are counted where one is asked for, and not before."""
    with content.open() as file:
        return 1 + sum(file.read(min(BLOCK, place - at)).count(b"\n") for at in range(0, place, BLOCK))


def _broken(where: str, line: int) -> DataError:
    hint = "save the file as UTF-8, or say what it is: [data] encoding = 'cp1252'"
    return DataError(Complaint(f"{where}, line {line}", "is not UTF-8 text, as the rest is", hint))


def _mostly_utf8(content: Content) -> bool:
    """Return True if a text has more letters of several bytes than other bytes beyond ASCII."""
    right = wrong = 0
    with content.open() as file:
        while block := file.read(BLOCK):
            letters = LETTERS.findall(block)
            right += len(letters)
            wrong += len(HIGH.findall(block)) - sum(map(len, letters))
    return right >= wrong and right > 0


def _decoded(data: bytes, encoding: str, where: str) -> tuple[str, str]:
    tries = (encoding, "latin-1") if encoding == WESTERN else (encoding,)
    for name in tries:
        try:
            return data.decode(name), name
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
        except LookupError as error:
            hint = 'Python\'s names: "utf-8", "utf-16", "latin-1", "cp1252", "cp1251", "shift_jis", ...'
            raise DataError(Complaint(f"{where}, data.encoding", f"{name!r} is not known", hint)) from error
    what = f"is not text in {encoding}"
    raise DataError(Complaint(f"{where}, line {line}", what, "name another one: [data] encoding"))
