"""A cluster on loopback: workers join and die in the middle of a study, and the table is that of one machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support import failing
from tests.support.command import Shell
from tests.support.postgres_server import free_port
from tests.tuner.api.test_run import outputs, small
from tests.tuner.engines.test_faults import limited, rows
from tuner.api.run import RunCallback
from tuner.engines import check_cluster
from tuner.errors import StudyError, TunerError
from tuner.trainables.builtin import trainer as descending

ROOT = Path(__file__).parents[3]
SETTINGS = {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
MISSING = "dask.distributed is not installed: pip install 'tuner[cluster]'"


class Cluster:
    """A scheduler and workers as processes, over TCP or TLS."""

    def __init__(self, folder: Path, secured: bool) -> None:
        self.folder, self.secured, self.processes = folder, secured, []
        self.workers: list[subprocess.Popen[bytes]] = []
        port = free_port()
        self.address = f"{'tls' if secured else 'tcp'}://127.0.0.1:{port}"
        if secured:
            certify(folder)
        self.start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show")

    def add(self, *words: str, **settings: str) -> None:
        """One more worker, of one thread."""
        place = self.folder / f"worker-{len(self.workers)}"
        given = ("--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--local-directory", str(place))
        self.workers.append(self.start("worker", self.address, *given, *words, **settings))

    def start(self, what: str, *words: str, **settings: str) -> subprocess.Popen[bytes]:
        tls = [f"--tls-{name}={self.folder / file}" for name, file in FILES.items()] if self.secured else []
        protocol = ["--protocol", "tls"] if self.secured and what == "scheduler" else []
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, *protocol, *tls],
            env=os.environ | SETTINGS | settings, cwd=self.folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


FILES = {"ca-file": "cert.pem", "cert": "cert.pem", "key": "key.pem"}


def certify(folder: Path) -> None:
    """A certificate that vouches for itself."""
    named = ("-subj", "/CN=localhost", "-days", "2", "-nodes", "-newkey", "rsa:2048")
    written = ("-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    subprocess.run(["openssl", "req", "-x509", *named, *written], check=True, capture_output=True)


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason=MISSING)
    secured = bool(getattr(request, "param", False))
    if secured and shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates of this test, and is not there")
    import dask

    (tmp_path / "cluster").mkdir()
    running = Cluster(tmp_path / "cluster", secured)
    keys = {"ca-file": "cert.pem", "client.cert": "cert.pem", "client.key": "key.pem"}
    tls = {f"distributed.comm.tls.{key}": str(running.folder / file) for key, file in keys.items()}
    with dask.config.set(tls if secured else {}):
        yield running
    running.stop()


class Replaced(RunCallback):
    """Kills a worker and adds another one in the middle of a search."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.done = cluster, False

    def progress(self, progress: Any) -> None:
        if progress.done >= 8 and not self.done:
            self.done = True
            self.cluster.add("--no-nanny")
            self.cluster.workers[0].kill()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("cluster", [True], indirect=True, ids=["tls"])
def test_workers_come_and_go_and_the_table_is_that_of_one_machine(cluster: Cluster, tmp_path: Path) -> None:
    study = small(trials=64)
    tuner.run(study, jobs=1, home=tmp_path / "one")
    for _ in range(2):
        cluster.add("--no-nanny")
    callback = Replaced(cluster)
    tuner.run(study, home=tmp_path / "many", cluster=cluster.address, callback=callback)
    assert callback.done
    assert outputs(tmp_path / "many") == outputs(tmp_path / "one")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_trial_that_keeps_killing_workers_fails_alone(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuner.run(limited(), jobs=1, home=tmp_path / "one", confirm=False)
    for _ in range(2):
        cluster.add()  # with a nanny, who starts a worker anew that has died
    failing.plan(monkeypatch, tmp_path / "many" / "small", {5: "die"})
    far = partial(failing.run_far, str(tmp_path / "many" / "small" / "cache"))
    monkeypatch.setattr(descending, "run_pack", far)
    tuner.run(limited(), home=tmp_path / "many", cluster=cluster.address, confirm=False)
    found, expected = rows(tmp_path / "many"), rows(tmp_path / "one")
    assert {number for number in expected if found[number] != expected[number]} == {5}
    guilty = tuner.open("small", home=tmp_path / "many").trial(5)
    assert guilty.error.startswith("WorkerDied: it killed its worker each time it ran")


class Told(RunCallback):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, sentence: str) -> None:
        self.said.append(sentence)


def copied(folder: Path, changed: dict[str, tuple[str, str]]) -> str:
    """A copy of both packages with some of their text changed, as a path to import from."""
    for package in ("objectives", "tuner", "tests"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, after) in changed.items():
        place = folder / name
        text = place.read_text(encoding="utf-8")
        assert before in text
        place.write_text(text.replace(before, after), encoding="utf-8")
    return str(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_workers_of_another_release_or_with_a_broken_one_get_no_trials(cluster: Cluster, tmp_path: Path) -> None:
    """They trained another table, or failed every trial that they were given."""
    study = small(trials=64)
    tuner.run(study, jobs=1, home=tmp_path / "one", confirm=False)
    schedule = "from __future__ import annotations\n"
    later = {"objectives/schedules.py": (schedule, schedule + "# a later release\n")}
    broken = {"objectives/training/descent.py": (schedule, schedule + "raise ImportError('half installed')\n")}
    cluster.add("--no-nanny", PYTHONPATH=copied(tmp_path / "later", later))
    cluster.add("--no-nanny", PYTHONPATH=copied(tmp_path / "broken", broken))
    cluster.add("--no-nanny")
    with distributed_client(cluster.address) as client:
        client.wait_for_workers(3, timeout=120)
    told = Told()
    tuner.run(study, home=tmp_path / "many", cluster=cluster.address, confirm=False, callback=told)
    turned = sorted(said.partition(": ")[2] for said in told.said if "gets no more trials" in said)
    assert turned == [
        "it differs in tuner's source",
        "tuner does not work there: ImportError: half installed",
    ]
    assert outputs(tmp_path / "many") == outputs(tmp_path / "one")


class AllReplaced(Replaced):
    """Kills all workers that may train in the middle of a search and adds another one."""

    def progress(self, progress: Any) -> None:
        if progress.done >= 8 and not self.done:
            self.done = True
            for worker in self.cluster.workers[1:]:
                worker.kill()
            self.cluster.add("--no-nanny")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_search_goes_on_after_all_of_its_workers_were_replaced(cluster: Cluster, tmp_path: Path) -> None:
    """A worker that gets no trials keeps the data alive; dask waited for ever for those that the tasks were for."""
    study = small(trials=64)
    tuner.run(study, jobs=1, home=tmp_path / "one", confirm=False)
    schedule = "from __future__ import annotations\n"
    later = {"objectives/schedules.py": (schedule, schedule + "# a later release\n")}
    cluster.add("--no-nanny", PYTHONPATH=copied(tmp_path / "later", later))
    for _ in range(2):
        cluster.add("--no-nanny")
    with distributed_client(cluster.address) as client:
        client.wait_for_workers(3, timeout=120)
    callback = AllReplaced(cluster)
    tuner.run(study, home=tmp_path / "many", cluster=cluster.address, callback=callback, confirm=False)
    assert callback.done
    assert outputs(tmp_path / "many") == outputs(tmp_path / "one")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_an_answer_that_died_with_its_worker_before_it_was_fetched_is_made_anew(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last trusted worker dies between the end of a task and the fetch of its answer; a stranger stays."""
    from distributed import Future

    study = small(trials=16)
    tuner.run(study, jobs=1, home=tmp_path / "one", confirm=False)
    schedule = "from __future__ import annotations\n"
    later = {"objectives/schedules.py": (schedule, schedule + "# a later release\n")}
    cluster.add("--no-nanny", PYTHONPATH=copied(tmp_path / "later", later))
    cluster.add("--no-nanny")
    with distributed_client(cluster.address) as client:
        client.wait_for_workers(2, timeout=120)
    fetch, killed = Future.result, list[int]()

    def dying(future: Any, *arguments: Any) -> Any:
        if "Callback" in threading.current_thread().name and not killed:
            killed.append(1)
            cluster.workers[1].kill()
            cluster.workers[1].wait()
            cluster.add("--no-nanny")
        return fetch(future, *arguments)

    monkeypatch.setattr(Future, "result", dying)
    tuner.run(study, home=tmp_path / "many", cluster=cluster.address, confirm=False)
    assert killed
    assert outputs(tmp_path / "many") == outputs(tmp_path / "one")


def distributed_client(address: str) -> Any:
    """A client of a scheduler."""
    from distributed import Client

    return Client(address, set_as_default=False)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_scheduler_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason=MISSING)
    from tuner.engines import cluster as module

    monkeypatch.setattr(module, "ANSWER", 0.2)
    with pytest.raises(TunerError, match=r"the scheduler at tcp://127.0.0.1:\d+ does not answer"):
        tuner.run(small(), home=tmp_path, cluster=f"tcp://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("address", ["tls://example.org:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:1"])
def test_addresses_that_may_be_talked_to(address: str) -> None:
    assert check_cluster(address) == address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://example.org:8786", "without TLS anyone on the network could run code there; write tls://example.org"),
        ("tcp://127.0.0.1.example.org:8786", "without TLS"),
        ("tls://example.org", "is no address of a scheduler; write tls://HOST:8786"),
        ("http://localhost:8786", "is no address"),
        ("localhost:8786", "is no address"),
        ("tls://[:8786", "is no address"),
        ("", "is no address"),
    ],
)
def test_addresses_that_may_not(address: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=f"cluster: .*{said}"):
        tuner.run(small(), home=tmp_path / "runs", cluster=address)
    assert not (tmp_path / "runs").exists()


def test_without_distributed_the_line_that_installs_it_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    (tmp_path / "s.toml").write_text(tuner.read_study(small()).to_toml())
    ended = Shell(capsys)("run", tmp_path / "s.toml", "--home", tmp_path, "--cluster", "tls://example.org:8786")
    assert ended.code == 1
    assert ended.err.endswith("error: a cluster needs dask.distributed: pip install 'tuner[cluster]'\n")


def test_tls_without_certificates_is_refused_before_any_work(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason=MISSING)
    with pytest.raises(StudyError, match=r"^cluster: 'tls://127.0.0.1:9': TLS needs ca-file, client.cert, client.key"):
        tuner.run(small(), home=tmp_path / "runs", cluster="tls://127.0.0.1:9", fresh=True)
    assert not (tmp_path / "runs").exists()
