"""What a file holds, byte for byte: read from disk or standard input, unpacked where it is packed.

A plain file stays on disk; what was packed, or comes through a pipe, is held in memory.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from objectives.errors import Complaint, DataError

__all__ = ["MOST_BYTES", "STANDARD", "Content", "content_of", "of_bytes", "of_standard_input"]

MOST_BYTES = 2**31  # unpacked: a small file may hold terabytes of zeros
STANDARD = "-"  # the source that is standard input
START = 4096
T = TypeVar("T")


@dataclass(frozen=True)
class Content:
    """Bytes of a file: at `path`, or in `data`. `name` has the suffix that counts; `said` is how they were packed."""

    name: str
    path: Path | None = None
    data: bytes = b""
    said: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """Return the suffix in lower case, with its dot; "" where there is none."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.data) if self.path is None else self.path.stat().st_size

    def open(self) -> IO[bytes]:
        """Open the bytes for reading."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    def start(self, count: int = START) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(count)

    def whole(self) -> bytes:
        """Return all bytes."""
        with self.open() as file:
            return file.read()


def content_of(path: Path, where: str) -> Content:
    """Return what a file holds, unpacked. Raises DataError for an archive that is damaged or holds several files."""
    return _unpacked(Content(path.name, path), where)


def of_bytes(data: bytes, name: str, where: str) -> Content:
    """Return what bytes hold, unpacked. Raises DataError as `content_of` does."""
    return _unpacked(Content(name, data=data), where)


def of_standard_input() -> Content:
    """Return what stands on standard input, read once. Raises DataError where it is empty."""
    data = _standard_bytes()
    if not data:
        raise DataError(
            Complaint("standard input", "is empty", "pipe a table into the command: tuner run FILE < t.csv")
        )
    return _unpacked(Content(STANDARD, data=data), "standard input")


@lru_cache(maxsize=1)
def _standard_bytes() -> bytes:
    return sys.stdin.buffer.read(MOST_BYTES)


@dataclass(frozen=True)
class Packing:
    """A way to pack one file: how its bytes begin, what it is called, and what opens it."""

    magic: bytes
    name: str
    suffixes: tuple[str, ...]
    open: Callable[[IO[bytes]], Any]


def _zstd(file: IO[bytes]) -> IO[bytes]:
    import pyarrow

    return pyarrow.CompressedInputStream(file, "zstd")  # type: ignore[no-any-return]


PACKINGS = (
    Packing(b"\x1f\x8b", "gzip", (".gz", ".gzip"), lambda file: gzip.GzipFile(fileobj=file)),
    Packing(b"BZh", "bzip2", (".bz2",), bz2.BZ2File),
    Packing(b"\xfd7zXZ\x00", "xz", (".xz",), lzma.LZMAFile),
    Packing(b"\x28\xb5\x2f\xfd", "zstandard", (".zst", ".zstd"), _zstd),
)


def _unpacked(content: Content, where: str) -> Content:
    start = content.start(8)
    for row in PACKINGS:
        if start.startswith(row.magic):
            plain = content.name[: -len(content.suffix)] if content.suffix in row.suffixes else content.name
            data = _read(partial(_limited, row.open, content), where, row.name)
            return _unpacked(Content(plain, data=data, said=(*content.said, f"packed with {row.name}")), where)
    if start.startswith(b"PK\x03\x04"):
        return _of_zip(content, where)
    return content


def _of_zip(content: Content, where: str) -> Content:
    """Return the one file of an archive; an archive that is a document of its own (npz, xlsx, ods) stays as it is."""

    def unzip() -> Content:
        with content.open() as file, zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and _is_user_file(info.filename)]
            names = [info.filename for info in members]
            if _is_document(names):
                return content
            if len(members) != 1:
                listed = ", ".join(names[:5]) or "nothing"
                hint = "unpack it, and name one of them as the source"
                raise DataError(Complaint(where, f"is an archive of {len(names)} files: {listed}", hint))
            if members[0].file_size > MOST_BYTES:
                raise _too_large(where)
            with archive.open(members[0]) as member:
                data = member.read(MOST_BYTES + 1)
        return _unpacked(Content(names[0], data=data, said=(*content.said, "packed with zip")), where)

    if content.suffix == ".npz":
        return content
    return _read(unzip, where, "zip")


def _is_user_file(name: str) -> bool:
    return not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith(".")


def _is_document(names: list[str]) -> bool:
    arrays = bool(names) and all(name.endswith(".npy") for name in names)
    return arrays or "mimetype" in names or "[Content_Types].xml" in names


def _limited(open_packed: Callable[[IO[bytes]], Any], content: Content) -> bytes:
    with content.open() as file:
        stream = open_packed(file)
        parts, total = [], 0
        while block := stream.read(2**24):
            parts.append(block)
            total += len(block)
            if total > MOST_BYTES:
                raise _too_large("it")
        return b"".join(parts)


def _too_large(where: str) -> DataError:
    return DataError(Complaint(where, f"unpacks to more than {MOST_BYTES:,} bytes", "keep fewer rows"))


def _read(read: Callable[[], T], where: str, packing: str) -> T:
    try:
        return read()
    except DataError:
        raise
    except ImportError as error:
        hint = "pip install 'tuner[parquet]', or pack it with gzip"
        raise DataError(Complaint(where, f"reading {packing} needs pyarrow", hint)) from error
    # each unpacker has exceptions of its own: OSError, EOFError, LZMAError, zlib.error, BadZipFile, RuntimeError
    except Exception as error:
        what = f"is damaged: it begins like {packing}, but cannot be unpacked ({error})"
        raise DataError(Complaint(where, what, "copy or pack it again")) from error
