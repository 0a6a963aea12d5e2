"""What the machine does to own code is tried again and costs no trial; what the code does fails its trial alone."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import tuner
from tests.support import custom_objectives
from tuner.api.run import RunCallback
from tuner.engines import PoolEngine
from tuner.engines.supervised import belongings

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


class Notes(RunCallback):
    """Keeps what a run says, and mends the machine when it is told that the run waits."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.mend: Callable[[], None] = lambda: None

    def note(self, sentence: str) -> None:
        self.said.append(sentence)
        if "waiting" in sentence:
            self.mend()


def asked(folder: Path, code: str, trials: int = 4, **tables: Any) -> dict[str, Any]:
    """A study of a file of somebody's code with one parameter."""
    custom_objectives.write(folder, "t.py", code)
    return {
        "study": {"name": "s", "trials": trials, "objective": f"{folder / 't.py'}:train", "minimize": "valid_loss"},
        "parameters": {"r": {"low": 0.1, "high": 1.0}},
        "search": {"generation_size": trials, "sampler": "random"},
        **tables,
    }


def states(result: Any) -> list[tuple[str, bool]]:
    """How each trial ended, and whether its value is the one that its config has."""
    return [(trial.state, trial.value == trial.config["r"]) for trial in result.all_trials]


# Each does what it is asked to once, in a process of its own or on its way to a result, and never again.
ONCE = """
import os, signal, pathlib
def first(name):
    try:
        pathlib.Path({mark!r}, name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
def train(config, run):
    if first("once"):
        {deed}
    run.report(1, valid_loss=config["r"])
"""
DEEDS = {
    "a full disk": "raise OSError(28, 'No space left on device')",
    "a full disk, in other words": "raise RuntimeError('cannot write') from OSError(28, 'No space left on device')",
    "no free file": "raise OSError(24, 'Too many open files')",
    "a limit on files' sizes": "raise OSError(27, 'File too large')",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM); signal.pause()",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "SIGXFSZ": "signal.signal(25, signal.SIG_DFL); os.kill(os.getpid(), 25)",
    "a removed cache": "import shutil; shutil.rmtree(run.directory.parent.parent.parent); raise OSError('gone')",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_the_machine_did_is_tried_again(deed: str, tmp_path: Path) -> None:
    code = ONCE.format(mark=str(tmp_path), deed=DEEDS[deed])
    study = asked(tmp_path, code, train={"epochs": 1}, search={"generation_size": 4, "sampler": "random", "rungs": []})
    result = tuner.run(study, jobs=2, home=tmp_path / "runs")
    assert (tmp_path / "once").exists()
    assert states(result) == [("complete", True)] * 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "WorkerDied: its worker process died of SIGKILL 5 times"),
        ("raise OSError(24, 'Too many open files')", "OSError: [Errno 24] Too many open files (t.py:"),
        ("os.abort()", "WorkerDied: its worker process died of SIGABRT; it crashed"),
    ],
)
def test_what_a_trial_does_each_time_is_its_own(deed: str, said: str, tmp_path: Path) -> None:
    code = f"import os, signal\ndef train(config):\n    if config['n'] == 1: {deed}\n    return config['n']\n"
    study = asked(tmp_path, code, 3) | {"parameters": {"n": [0, 1, 2]}}
    study["search"]["sampler"] = "grid"
    result = tuner.run(study, jobs=2, home=tmp_path / "runs")
    (guilty,) = [trial for trial in result.all_trials if trial.state == "failed"]
    assert guilty.config["n"] == 1
    assert guilty.error.startswith(said)


COMMANDS = {
    "killed": "kill -9 $$",
    "killed inside of a shell": "exit 137",
    "ended": "kill -15 $$",
    "a full disk": "echo 'write error: No space left on device' >&2; exit 1",
}


@pytest.mark.parametrize("deed", COMMANDS)
def test_a_command_that_the_machine_ended_runs_again(deed: str, tmp_path: Path) -> None:
    once = f"if mkdir {tmp_path}/once 2>/dev/null; then {COMMANDS[deed]}; fi"
    study = asked(tmp_path, "")
    del study["study"]["objective"]
    study["study"]["command"] = ["sh", "-c", f"""{once}; echo '{{"valid_loss": '$0'}}'""", "{r}"]
    result = tuner.run(study, jobs=2, home=tmp_path / "runs")
    assert (tmp_path / "once").exists()
    assert states(result) == [("complete", True)] * 4


@pytest.mark.parametrize("how", ["full", "soon well"])
def test_a_run_waits_for_a_full_disk_and_then_ends_with_nothing_committed(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os\ndef train(config):\n    if os.path.exists(MARK): raise OSError(28, 'No space left on device')\n"
    mark = tmp_path / "full"
    mark.touch()
    study = asked(tmp_path, f"MARK = {str(mark)!r}\n{code}    return config['r']\n")
    notes = Notes()
    if how == "full":
        monkeypatch.setattr("tuner.engines.patience.PATIENCE", 0.2)
        with pytest.raises(tuner.errors.TunerError, match=r"No space left on device.*; run this again to go on"):
            tuner.run(study, jobs=2, home=tmp_path / "runs", callback=notes)
        assert tuner.open("s", home=tmp_path / "runs").all_trials == []
        mark.unlink()
    else:
        notes.mend = lambda: mark.unlink(missing_ok=True)
    result = tuner.run(study, jobs=2, home=tmp_path / "runs", callback=notes)
    assert states(result) == [("complete", True)] * 4
    assert any(said.startswith("waiting, nothing is lost: OSError: [Errno 28]") for said in notes.said)


def test_a_checkpoint_that_was_removed_ends_the_run_and_not_the_trial(tmp_path: Path) -> None:
    code = """
import pathlib, shutil
def train(config, run):
    place = run.directory / "epoch"
    begun = int(place.read_text()) if place.exists() else 0
    assert begun == run.start
    mark = pathlib.Path(MARK)
    if run.stop == 9 and not mark.exists():
        mark.touch()
        for other in run.directory.parent.parent.iterdir():
            shutil.rmtree(other)
        raise ValueError("not now")
    for epoch in range(run.start + 1, run.stop + 1):
        place.write_text(str(epoch))
        run.report(epoch, valid_loss=config["r"] / epoch)
"""
    study = asked(tmp_path, f"MARK = {str(tmp_path / 'mark')!r}\n{code}", 16, train={"epochs": 9})
    with pytest.raises(tuner.errors.TunerError, match=r"has gone from the study's cache; run this again to go on"):
        tuner.run(study, jobs=1, home=tmp_path / "runs")
    result = tuner.run(study, jobs=2, home=tmp_path / "runs")
    assert {trial.state for trial in result.all_trials} <= {"complete", "pruned"}
    expected = tuner.run(study, jobs=1, home=tmp_path / "undisturbed")
    assert [t.curves["valid_loss"].tolist() for t in result.all_trials] == [
        t.curves["valid_loss"].tolist() for t in expected.all_trials
    ]


# A worker keeps what its code keeps


def test_a_pool_of_ones_own_is_kept_from_trial_to_trial(tmp_path: Path) -> None:
    """Joblib's pool was started and killed in every trial."""
    code = """
import os
from joblib import Parallel, delayed
def train(config):
    pids = Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(8))
    return {"valid_loss": config["r"], "worker": os.getpid(), "least": min(pids), "most": max(pids)}
"""
    result = tuner.run(asked(tmp_path, code, 6), jobs=1, home=tmp_path / "runs")
    assert len({trial.metrics["worker"] for trial in result.all_trials}) == 1
    inner = {int(trial.metrics[name]) for trial in result.all_trials for name in ("least", "most")}
    assert len(inner) <= 2
    until = time.monotonic() + PATIENCE
    while any(map(psutil.pid_exists, inner)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, inner))


def test_each_task_may_have_a_process_to_itself(tmp_path: Path) -> None:
    code = "import os\ndef train(config):\n    return {'valid_loss': config['r'], 'worker': os.getpid()}\n"
    study = asked(tmp_path, code, 6, workers={"reuse": False})
    result = tuner.run(study, jobs=2, home=tmp_path / "runs")
    assert len({trial.metrics["worker"] for trial in result.all_trials}) == 6


# Nobody waits for the dead


def forked_helper() -> int:
    """Leave a process that was forked and holds the pipes open, then go on for ever."""
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)
    return 0


def test_a_worker_that_is_killed_is_noticed_though_a_forked_helper_holds_its_pipe() -> None:
    """A program that a worker forked holds its pipe; the worker's death is noticed all the same."""
    with PoolEngine(1) as engine:
        waiting = engine.submit(forked_helper)
        worker = worker_of(engine)
        until = time.monotonic() + PATIENCE
        while not belongings(worker) and time.monotonic() < until:
            time.sleep(0.01)
        (helper,) = belongings(worker)
        os.kill(worker, signal.SIGKILL)
        helper.wait(PATIENCE)  # it is ended with the worker that it belonged to
        while worker_of(engine) == worker and time.monotonic() < until:
            time.sleep(0.01)
        assert worker_of(engine) != worker
        assert not waiting.done()  # it runs again


def worker_of(engine: PoolEngine) -> int:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        process = engine._slots[0]._process
        if process is not None:
            return process.pid
        time.sleep(0.01)
    raise AssertionError("no worker")


def test_a_worker_that_cannot_be_started_now_is_started_later() -> None:
    """EMFILE at a worker's restart was the failure of the next task."""
    said: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with PoolEngine(1) as engine:
        engine.note = said.append
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # there are more already
            future = engine.submit(custom_objectives.value, {"lr": 0.01, "n": 1})
            until = time.monotonic() + PATIENCE
            while not said and time.monotonic() < until:
                time.sleep(0.01)
            assert not future.done()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert future.result(PATIENCE) == custom_objectives.value({"lr": 0.01, "n": 1})
    assert "Too many open files" in said[0]


# Parent and workers killed together


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("order", ["parent first", "workers first"])
def test_programs_end_though_parent_and_workers_are_killed_together(order: str, tmp_path: Path) -> None:
    """Programs end with parent and worker, although both are killed at once."""
    script = tmp_path / "run.py"
    script.write_text(
        """
import sys, time
from tests.tuner.trainables.test_machine import napping
from tuner.engines import PoolEngine
engine = PoolEngine(2)
for _ in range(2):
    engine.submit(napping, sys.argv[1])
time.sleep(600)
""",
        encoding="utf-8",
    )
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "pids")], env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + PATIENCE
    place = tmp_path / "pids"
    while not (place.exists() and place.read_text().count("\n") == 2) and time.monotonic() < until:
        time.sleep(0.02)
    pids = [list(map(int, line.split())) for line in place.read_text().splitlines()]
    programs = [psutil.Process(program) for _, program in pids]
    victims = [parent.pid, *(worker for worker, _ in pids)]
    for pid in victims if order == "parent first" else reversed(victims):
        os.kill(pid, signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(programs, timeout=PATIENCE)
    assert alive == []


def napping(place: str) -> None:
    """Start a program in a group of its own, say who it is, and wait for it."""
    program = subprocess.Popen(["sh", "-c", "sleep 600; :"], process_group=0)
    with open(place, "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {program.pid}\n")
    program.wait()
