"""The environment variables of a worker process: its number of threads, and its device."""

from __future__ import annotations

import os

__all__ = ["DEVICE", "ONE_THREAD", "environment_of"]

DEVICE = "TUNER_DEVICE"  # the variable that names a worker's device
THREADED = ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "BLIS_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM", "NUMBA_NUM")
ONE_THREAD = {f"{name}_THREADS": "1" for name in THREADED}


def environment_of(device: str, threads: int) -> dict[str, str]:
    """Return the environment variables of a worker: BLAS threads, and its device.

    A worker with a "cuda:N" sees that one alone of those that this process sees; there it is "cuda:0".
    """
    found = {f"{name}_THREADS": str(threads) for name in THREADED}
    kind, _, number = device.partition(":")
    if kind == "cuda" and number.isdigit():
        visible = [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one]
        own = visible[int(number)] if int(number) < len(visible) else number
        return found | {"CUDA_VISIBLE_DEVICES": own, DEVICE: "cuda:0"}
    return found | ({DEVICE: device} if device else {})
