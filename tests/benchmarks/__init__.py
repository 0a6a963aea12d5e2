"""Timed comparisons on one thread, each run by hand as a module; pytest does not collect them."""

from __future__ import annotations

import os

# Before any module here imports numpy, which reads them when it loads its BLAS.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
