"""Tasks -> outcomes: inline, in worker processes, or on a cluster. The only door to joblib and to dask.distributed.

    failure, timing, remote_paths -> retry_queue -> loky_worker -> loky, cluster -> base
                                     process_worker -> supervised -> process_pool

`base` has the protocol `Engine` and opens one. `loky` is the pool of the project's own tasks, `process_pool` that of
other people's code, each of whose workers is `supervised` and can be ended alone; `retry_queue` is what they share.

A task is a function and its arguments. Its future always ends with a result: what the function returned, or a
`Failure` where it raised or its worker died. So one bad task costs nobody else anything. Every task runs with one
BLAS thread, in a worker or inline, so that sums have the same order on every path.
"""

from __future__ import annotations

from tuner.engines.base import Engine, InlineEngine, open_engine, processors
from tuner.engines.cluster import check_cluster
from tuner.engines.failure import Failure, guarded
from tuner.engines.loky import LokyEngine
from tuner.engines.process_pool import ChildEngine
from tuner.engines.process_worker import DEVICE
from tuner.engines.retry_queue import pickled, unpickled
from tuner.engines.supervised import LOADING
from tuner.engines.timing import Ran, timed

__all__ = [
    "DEVICE",
    "LOADING",
    "ChildEngine",
    "Engine",
    "Failure",
    "InlineEngine",
    "LokyEngine",
    "Ran",
    "check_cluster",
    "guarded",
    "open_engine",
    "pickled",
    "processors",
    "timed",
    "unpickled",
]
