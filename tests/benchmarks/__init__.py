"""Timed comparisons on one thread, each run by hand as a module; pytest does not collect them."""

from __future__ import annotations

import os

# Before any module here imports numpy or jax, which read them when they load.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
