"""A cluster as workers: the client of dask.distributed, whose workers may join, leave and die.

Data are sent to the workers once and kept in a folder of each. The scheduler gives a task up after several deaths of
workers that held it, whatever caused them; `retry_queue` then runs it alone before it counts as a failure. joblib's
dask backend is not used, as it waits for such a task for ever.

A worker gets tasks once it has shown that it has the same release, versions and arithmetic as this process. A task that
fails on a worker on which none has succeeded yet is run elsewhere: if it succeeds there, the worker was to blame and
gets no more tasks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from objectives.errors import Complaint
from tuner.engines.cluster_worker import differs, ours, serve
from tuner.engines.failure import Failure, guarded
from tuner.engines.patience import failure_in
from tuner.engines.retry_queue import QueuedTask, RetryQueue, unpickled
from tuner.errors import StudyError, TunerError

__all__ = ["ClusterEngine", "check_certificates", "check_cluster"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANSWER = 15  # seconds for the scheduler to answer
JOIN = 60  # seconds for the first worker to join, and for one to report its versions
LOOK = 1.0  # seconds between checks whether tasks still have workers to run on
ELSEWHERE = 2  # other workers that a task is tried on before it counts as failed

Shares = Mapping[str, Mapping[str, bytes]]  # the files of each directory that a task reads


def check_cluster(address: str) -> str:
    """Check the address of a scheduler, and return it. Raises StudyError.

    Anyone who can connect to a scheduler can run code on its workers: beyond this machine that requires TLS.
    """
    try:
        parts = urlsplit(address)
        known = parts.port is not None and bool(parts.hostname)
    except ValueError:
        known = False
    if not known or parts.scheme not in ("tls", "tcp"):
        raise StudyError(Complaint("cluster", f"{address!r} is no address of a scheduler", "write tls://HOST:8786"))
    if parts.scheme == "tcp" and parts.hostname not in LOOPBACK:
        what = f"{address!r}: without TLS anyone on the network could run code there"
        raise StudyError(Complaint("cluster", what, f"write tls://{parts.netloc}; tcp is for this machine alone"))
    return address


def check_certificates(address: str) -> None:
    """Check that dask has the certificates that an address with TLS requires. Raises StudyError.

    Does nothing where dask is not installed: opening an engine reports that.
    """
    try:
        import dask
        import distributed  # noqa: F401  (which brings the defaults)
    except ImportError:
        return
    wanted = ("ca-file", "client.cert", "client.key")
    missing = [name for name in wanted if not dask.config.get(f"distributed.comm.tls.{name}", None)]
    if address.startswith("tls:") and missing:
        what = f"{address!r}: TLS needs {', '.join(missing)}, and dask is told of none"
        variable = missing[0].upper().replace("-", "_").replace(".", "__")
        raise StudyError(Complaint("cluster", what, f"name the file in DASK_DISTRIBUTED__COMM__TLS__{variable}"))


class ClusterEngine(RetryQueue):
    """Runs tasks on those workers of the scheduler at `address` that match this process, down to `canary_hash`."""

    # The scheduler reports one death for several workers lost to a task, or for the last that held its data.
    deaths = 3
    shares_disk = False

    def __init__(self, address: str, canary_hash: str) -> None:
        super().__init__()
        try:
            from distributed import Client
        except ImportError:
            raise TunerError("a cluster needs dask.distributed: pip install 'tuner[cluster]'") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # failures are reported here
        self._canary = canary_hash
        self._places: dict[Path, Any] = {}
        self._held: dict[QueuedTask, tuple[Any, list[str]]] = {}  # its future and the workers that it may run on
        self._closing = threading.Event()
        self._strangers: dict[str, str] = {}  # workers that do not match, and why, by address
        self._met: dict[str, Any] = {}  # by address: the future of a worker's report, None once it is in
        self._proved: set[str] = set()  # workers that a task has succeeded on
        self._client: Any = None
        try:
            connect: Any = Client
            self._client = connect(check_cluster(address), timeout=ANSWER, set_as_default=False, name="tuner")
        except (OSError, ValueError, TypeError) as error:
            said = str(error).partition("\n")[0]
            raise TunerError(
                f"the scheduler at {address} does not answer: {said}; start it, or see --cluster"
            ) from None
        try:
            self._client.wait_for_workers(1, timeout=JOIN)
        except (TimeoutError, OSError):
            self._client.close()
            raise TunerError(f"{address} has no workers; start one: dask worker {address} --nthreads 1") from None
        threading.Thread(target=self._take_back, daemon=True).start()

    @property
    def width(self) -> int:
        """Return how many tasks run at once, as long as no worker joins or leaves."""
        return max(1, sum(map(int, self._client.nthreads().values())))

    @property
    def room(self) -> int:
        """Return how many tasks may be with the scheduler: one more for each that runs."""
        return 2 * self.width

    def share(self, directory: Path) -> None:
        """Send the files of a directory to the workers, which read their copies in its place."""
        self._places[directory] = self._scattered(directory)

    def warm(self) -> None:
        """Do nothing: the workers run already."""

    def close(self) -> None:
        """Cancel what has not finished, and leave the cluster as it was."""
        super().close()
        self._closing.set()
        self._client.cancel([inner for inner, _ in self._held.values()], force=True)
        self._held.clear()
        self._places.clear()
        self._client.close()

    def _scattered(self, directory: Path) -> Any:
        files = {path.name: path.read_bytes() for path in directory.iterdir()}
        # Without a hash as its key: where the last holder has died, dask may still be releasing the old key.
        return self._client.scatter([files], broadcast=True, hash=False)[0]

    def _start(self, task: QueuedTask) -> Future[bytes]:
        # A directory is named after the hash of its content, and the calls that read it contain that name.
        own = [place for place in self._places if place.name.encode() in task.call]
        for place in own:
            if self._places[place].status != "finished":  # its last holder has died
                self._places[place] = self._scattered(place)
        allowed = self._allowed(task)
        names, data = [str(place) for place in own], [self._places[place] for place in own]
        arguments = (task.call, names, data, task.seconds)
        inner: Any = self._client.submit(serve, *arguments, pure=False, workers=allowed)
        outer: Future[bytes] = Future()
        self._held[task] = inner, allowed
        inner.add_done_callback(lambda done: self._arrive(task, done, outer))
        return outer

    def _arrive(self, task: QueuedTask, done: Any, outer: Future[bytes]) -> None:
        """Process a worker's answer; a task that failed on an unproven worker is run on another."""
        try:
            try:
                address, said = done.result()
            finally:  # no sooner: where its worker has died since, dask waits for another, which `_take_back` ends
                self._held.pop(task, None)
            failed = bool(task.avoid or address not in self._proved) and failure_in(guarded(unpickled)(said))
            if (
                failed
                and len(task.avoid) < ELSEWHERE
                and set(self._met) - set(self._strangers) - task.avoid - {address}
            ):
                task.avoid.add(address)
                raise _Stranger
            if not failed:
                self._proved.add(address)
                for other in task.avoid - self._proved:
                    self._turn_away(other, "what failed there succeeded elsewhere")
        except BaseException as error:
            outer.set_exception(error)
        else:
            outer.set_result(said)

    def _take_back(self) -> None:
        """Cancel the tasks whose workers have all gone: dask waits for those for ever, others run them again."""
        while not self._closing.wait(LOOK):
            held = list(self._held.values())
            there = guarded(self._client.nthreads)()
            for inner, allowed in held:
                if not isinstance(there, Failure) and not inner.done() and there.keys().isdisjoint(allowed):
                    guarded(inner.cancel)()

    def _allowed(self, task: QueuedTask) -> list[str]:
        """Return the workers that a task may go to, once one has reported its versions. Raises TunerError where none
        may.
        """
        until = time.monotonic() + JOIN
        while True:
            there = list(self._client.nthreads())
            for address in there:
                if address not in self._met:
                    own = ours(self._canary)
                    self._met[address] = self._client.submit(differs, own, workers=[address], pure=False)
            for address, met in list(self._met.items()):
                if met is not None and met.done():
                    self._met[address] = None
                    if why := _said_of(met):
                        self._turn_away(address, why)
            known = [name for name in there if self._met[name] is None and name not in self._strangers]
            if known:
                return [name for name in known if name not in task.avoid] or known
            late = time.monotonic() > until
            # those that may train can come back, under another address, where there were some
            if there and all(name in self._strangers for name in (there if late else self._met)):
                whys = "; ".join(sorted({self._strangers[name] for name in there}))
                raise TunerError(f"no worker of the cluster may train: {whys}")
            if late:
                what = "no worker of the cluster says what it has" if there else "the cluster has no workers any more"
                raise TunerError(f"{what}; look at their logs")
            time.sleep(0.02)

    def _turn_away(self, address: str, why: str) -> None:
        if address not in self._strangers:
            self._strangers[address] = why
            self.note(f"worker {address} gets no more trials: {why}")

    def _is_blameless(self, task: QueuedTask, error: BaseException) -> bool:
        del task
        return isinstance(error, _Stranger)

    def _give_up(self, task: QueuedTask, error: BaseException) -> Failure | None:
        from distributed import KilledWorker

        if isinstance(error, CancelledError) and self._client.status != "running":
            return Failure("ClusterGone", "the scheduler has gone; what was committed is kept", fatal=True)
        if not isinstance(error, KilledWorker | CancelledError):
            return Failure.of(error)
        if task.deaths < self.deaths:
            return None
        limit = f", or took longer than the limit of {task.seconds:.3g} s," if task.seconds is not None else ""
        return Failure("WorkerDied", f"it killed its worker{limit} each time it ran, alone too; out of memory?")


class _Stranger(Exception):
    """Raised to run a task elsewhere, as its worker may be to blame."""


def _said_of(met: Any) -> str:
    """Return why a worker does not match this process; empty where it does."""
    try:
        return str(met.result())
    except CancelledError:
        return "it has gone"
    except BaseException as error:
        return f"tuner does not work there: {Failure.of(error)}"[:300]
