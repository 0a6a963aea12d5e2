"""Tasks -> outcomes: inline, in worker processes, or on a cluster. The only door to joblib and to dask.distributed.

A task is a function and its arguments. Its future always ends with a result: what the function returned, or a
`Failure` where it raised or its worker died. So one bad task costs nobody else anything. Every task runs with one
BLAS thread, in a worker or inline, so that sums have the same order on every path.
"""

from __future__ import annotations

from tuner.dispatch.child import DEVICE
from tuner.dispatch.cluster import check_cluster
from tuner.dispatch.engines import Engine, InlineEngine, open_engine, processors
from tuner.dispatch.failure import FULL, SHORT, Failure, Lost, guarded, of_machine
from tuner.dispatch.patience import SENT, killed_for_memory
from tuner.dispatch.pool import PoolEngine
from tuner.dispatch.process import LOADING
from tuner.dispatch.queueing import pickled, unpickled
from tuner.dispatch.timing import Ran, timed
from tuner.dispatch.workers import LokyEngine

__all__ = [
    "DEVICE",
    "LOADING",
    "Engine",
    "FULL",
    "SENT",
    "SHORT",
    "Failure",
    "InlineEngine",
    "LokyEngine",
    "Lost",
    "PoolEngine",
    "Ran",
    "check_cluster",
    "guarded",
    "killed_for_memory",
    "of_machine",
    "open_engine",
    "pickled",
    "processors",
    "timed",
    "unpickled",
]
