"""Tasks -> outcomes: inline, in worker processes, or on a cluster. The only door to joblib and to dask.distributed.

    failure, timing, environment, remote_paths -> patience -> retry_queue -> loky_worker
    -> loky, cluster_worker -> cluster -> engine
             messages, process_worker -> supervised, guardian -> process_pool -> engine

`engine` has the protocol `Engine` and opens one. `process_pool` runs the project's own tasks and other people's code,
each worker `supervised` and ended alone; `loky` is joblib's pool, for systems without process groups; `patience` says
how long a task is tried again that the machine has ended.

A task is a function and its arguments. Its future always ends with a result: what the function returned, or a
`Failure` where it raised or its worker died. So one bad task costs nobody else anything. Every task runs with one
BLAS thread, in a worker or inline, so that sums have the same order on every path.
"""

from __future__ import annotations

from tuner.engines.cluster import check_certificates, check_cluster
from tuner.engines.engine import Engine, InlineEngine, open_engine, processors
from tuner.engines.environment import DEVICE
from tuner.engines.failure import FULL, SHORT, Failure, Lost, guarded, of_machine
from tuner.engines.loky import LokyEngine
from tuner.engines.patience import SENT, killed_for_memory
from tuner.engines.process_pool import PoolEngine
from tuner.engines.retry_queue import pickled, unpickled
from tuner.engines.supervised import LOADING
from tuner.engines.timing import TimedOutcome, timed

__all__ = [
    "DEVICE",
    "LOADING",
    "Engine",
    "FULL",
    "Failure",
    "InlineEngine",
    "LokyEngine",
    "Lost",
    "PoolEngine",
    "TimedOutcome",
    "SENT",
    "SHORT",
    "check_certificates",
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
