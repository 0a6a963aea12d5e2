"""What a search over an estimator is about, as a digest: rows, folds, the estimator, its scoring."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from tuner.sklearn.folds import FoldWork

__all__ = ["digest_of"]


def digest_of(work: FoldWork, scoring: Any) -> str:
    """Return the digest of what decides the scores, beside the space."""
    found = hashlib.sha256()
    for value in (work.x, work.y, *work.folds, *sorted(work.fit_params.items())):
        for part in _bytes_of(value):
            found.update(part)
    kind = type(work.estimator)
    words = [kind.__module__, kind.__qualname__, work.estimator.get_params(), scoring, work.error_score]
    found.update(re.sub(r"0x[0-9a-f]+", "", repr(words)).encode())
    return found.hexdigest()[:16]


def _bytes_of(value: Any) -> Iterator[bytes]:
    """Return the bytes of an array, a frame, a sparse matrix, or of what is made of such."""
    if hasattr(value, "iloc"):
        from pandas.util import hash_pandas_object

        yield repr(list(getattr(value, "columns", ()))).encode()
        yield np.asarray(hash_pandas_object(value, index=False)).tobytes()
    elif hasattr(value, "tocsr"):
        rows = value.tocsr()
        for part in (rows.shape, rows.data, rows.indices, rows.indptr):
            yield from _bytes_of(np.asarray(part))
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.shape}{value.dtype}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, list | tuple | np.ndarray):
        for one in value:
            yield from _bytes_of(one)
    else:
        yield repr(value).encode()
