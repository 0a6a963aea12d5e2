"""One BLAS thread in these tests, as in every worker: small products are quicker so, and sums have one order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy  # noqa: F401  threadpoolctl limits the libraries that are loaded
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def _one_blas_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield
