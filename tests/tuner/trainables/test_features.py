"""Each row of the manual's table of features: what a study has, it has for every kind of trainable that says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import tuner
from tests.support import failing
from tests.support.command import Shell
from tests.support.feature_table import KINDS, ROWS, feature
from tests.support.study_kinds import HERE, MENDED, PLACED, QUICK, SLOW, asked, changed, loss_at, several, train
from tuner.api.run import RunCallback
from tuner.errors import ChangedStudy, InexactWarning, StudyError, TunerError
from tuner.study import read_study

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
LIMIT = 2.0  # seconds a trial, of which one that behaves takes a few hundredths


class Notes(RunCallback):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuner.Result]:
    """A result of each kind, with replicates and confirmed."""
    found: dict[str, tuner.Result] = {}

    def result(kind: str) -> tuner.Result:
        if kind not in found:
            study = asked(kind, train={"replicates": 2}, confirm={"enabled": True, "top": 2, "seeds": 2})
            home = tmp_path_factory.mktemp(kind)
            found[kind] = tuner.run(study, jobs=2, home=home, baselines=False)
        return found[kind]

    return result


Whole = Callable[[str], tuner.Result]


def misbehaving(kind: str, deed: str, home: Path, monkeypatch: pytest.MonkeyPatch, **tables: Any) -> tuner.Result:
    """A study of which a trial behaves and another does not."""
    study = asked(kind, study={"trials": 2}, search={"generation_size": 2}, **tables)
    if kind == "core":
        deeds = {"raise": "fail", "hang": "sleep", "devour": "devour"}
        failing.plan(monkeypatch, home / "one", {1: deeds[deed]})
        # alone from the start: those of a pack are told apart by running again
        monkeypatch.setattr("tuner.trainables.builtin.packs.width", lambda configs, sources: 1)
    else:
        study["parameters"]["deed"] = ["none", deed]
        study["optimizers"] = {"momentum": {"lr": 0.01}}
        study["search"] |= {"enqueue": [{"deed": "none", "width": 1}, {"deed": deed, "width": 1}]}
    return tuner.run(study, jobs=2, home=home, baselines=False)


@feature("presets of `[optimizers.*]`")
def test_presets(kind: str, there: bool, whole: Whole) -> None:
    frame = whole(kind).ranking()
    assert set(frame["optimizer"]) == {"momentum", "adam"}
    assert frame["lr"].nunique() == 12
    assert {"momentum", "beta1"} <= set(frame.columns)


@feature("batch sizes and schedules of `[train]`, searched where others have some value (`when`)")
def test_values_of_training(kind: str, there: bool, tmp_path: Path) -> None:
    warmup = {"choices": [0.05, 0.1], "when": {"schedule": ["cosine"]}}
    more = {"batch_size": [16, 32], "schedule": ["constant", "cosine"], "warmup": warmup}
    frame = tuner.run(asked(kind, train=more), jobs=1, home=tmp_path).ranking()
    assert set(frame["batch_size"]) == {16, 32}
    rows = [(row.schedule, row.warmup) for row in frame.itertuples()]
    assert {warmup for schedule, warmup in rows if schedule == "cosine"} <= {0.05, 0.1}
    assert {warmup for schedule, warmup in rows if schedule == "constant"} == {0.0}


@feature("`[parameters]` of any name", core="no: its own are all there are")
def test_parameters(kind: str, there: bool, whole: Whole, tmp_path: Path) -> None:
    if there:
        assert set(whole(kind).ranking()["width"]) == {1, 2, 3}
        return
    with pytest.raises(StudyError, match="parameters: belongs to an objective of your own"):
        tuner.run(asked(kind, parameters={"width": [1, 2]}), home=tmp_path)


@feature("handed over in Python", core="yes: `data=(X, y)`", python="yes: `objective=train`", command="no")
def test_given_in_python(kind: str, there: bool, tmp_path: Path) -> None:
    study = asked(kind, data=None)
    if kind == "core":
        from sklearn.datasets import load_iris

        assert tuner.run(study, load_iris(return_X_y=True), jobs=1, home=tmp_path).best().value < 1
        return
    if kind == "python":
        del study["study"]["objective"]
        assert tuner.run(study, objective=train, jobs=1, home=tmp_path).best().value > 0
        return
    with pytest.raises(StudyError, match=r"study\.command: there is objective too; keep one of them"):
        tuner.run(study, objective=train, jobs=1, home=tmp_path)


@feature("weak trials pruned at rungs")
def test_pruning(kind: str, there: bool, whole: Whole) -> None:
    trials = whole(kind).all_trials
    assert {(trial.state, trial.epochs) for trial in trials} == {("pruned", 3), ("complete", 9)}
    then = {t.number: t.curves["valid_loss"].mean(axis=0)[:3].min() for t in trials}
    best, rest = ([then[trial.number] for trial in trials if trial.state == state] for state in ("complete", "pruned"))
    assert max(best) <= min(rest)


@feature(
    "goes on at a rung where it stood",
    python="yes: `train(config, run)`; other forms start over",
    command="yes: with `{start}` and `{stop}`; others start over",
)
def test_going_on(kind: str, there: bool, whole: Whole, tmp_path: Path) -> None:
    trials = whole(kind).all_trials
    if kind == "core":
        assert all(trial.steps * 9 == trial.epochs * max(t.steps for t in trials if t.config["batch_size"] == b)
                   for trial in trials for b in [trial.config["batch_size"]])  # fmt: skip
        return
    assert all(trial.steps == trial.epochs for trial in trials)
    words = [*QUICK, PROGRAM_FROM_THE_START, "{lr}", "{width}", "{seed}", "{epochs}"]
    other = {"objective": f"{HERE}stepwise"} if kind == "python" else {"command": words}
    again = tuner.run(changed(asked(kind), study=other), jobs=1, home=tmp_path)
    assert {(trial.epochs, trial.steps) for trial in again.all_trials if trial.config["width"] != 3} <= {
        (3, 3),
        (9, 12),
    }


PROGRAM_FROM_THE_START = """
import math, sys
lr, width, seed, epochs = float(sys.argv[1]), *map(int, sys.argv[2:])
for epoch in range(1, epochs + 1):
    print('{"epoch": %d, "valid_loss": %r}' % (epoch, (math.log10(lr) + 2) ** 2 + 0.1 * width + 1 / epoch))
"""


@feature(
    "stops early by itself",
    core="yes: `patience`",
    python="yes: a function that yields, when it likes",
    command="yes: one that starts over, when it likes",
)
def test_early_stopping(kind: str, there: bool, tmp_path: Path) -> None:
    if kind == "core":
        study = asked(kind, train={"patience": 1, "epochs": 60}, search={"rungs": [], "pruner": "none"})
        trials = tuner.run(study, jobs=1, home=tmp_path).all_trials
        assert any(trial.state == "complete" and trial.epochs < 60 for trial in trials)
        return
    with pytest.raises(StudyError, match=r"train\.patience: does not go with an objective of your own; remove it"):
        tuner.run(asked(kind, train={"patience": 1}), home=tmp_path)
    short = "width = int(sys.argv[2])\nfor epoch in range(1, 6 if width == 3 else 10):"
    code = PROGRAM_FROM_THE_START.replace("for epoch in range(1, epochs + 1):", short).replace(", epochs =", ", _ =")
    own = (
        {"objective": f"{HERE}stepwise"}
        if kind == "python"
        else {"command": [*QUICK, code, "{lr}", "{width}", "0", "9"]}
    )
    study = asked(kind, study=own, search={"rungs": [], "pruner": "none"})
    trials = tuner.run(study, jobs=1, home=tmp_path).all_trials
    assert {(t.config["width"] == 3, t.state, t.epochs) for t in trials} == {
        (True, "complete", 5), (False, "complete", 9)
    }  # fmt: skip


@feature("several seeds a trial (`replicates`)")
def test_replicates(kind: str, there: bool, whole: Whole) -> None:
    for trial in whole(kind).all_trials:
        one, other = trial.curves["valid_loss"]
        assert (one != other).all()
    assert (whole(kind).ranking(complete=True)["se"] > 0).all()


@feature(
    "judged on several splits (`[data] splits`)",
    core='yes: by itself, unless `resampling = "holdout"`',
    python='yes: `run.split`, `config["split"]`',
    command="yes: `{split}`",
)
def test_splits(kind: str, there: bool, tmp_path: Path) -> None:
    study = asked(kind, data={"splits": 4, "resampling": "fresh"}, confirm={"enabled": True, "top": 2, "seeds": 2})
    if kind == "command":
        study["study"]["command"] = [*study["study"]["command"], "{split}"]
    one, two = (tuner.run(study, jobs=jobs, home=tmp_path / str(jobs), baselines=False) for jobs in (1, 2))
    assert one.ranking().drop(columns="seconds").equals(two.ranking().drop(columns="seconds"))
    complete = [trial for trial in one.all_trials if trial.state == "complete"]
    assert {trial.curves["valid_loss"].shape for trial in complete} == {(4, 9)}
    assert {trial.curves["valid_loss"].shape for trial in one.all_trials} >= {(1, 3), (4, 9)}
    for trial in complete:
        assert len({row.tobytes() for row in trial.curves["valid_loss"]}) == 4
    assert (one.ranking(complete=True)["se"] > 0).all()
    assert one.standings[0].goal.n == 4 + one.standings[0].seeds


@feature("a batch of trials in one call", core="yes: packs", python="yes: `batched = K`", command="no: one by one")
def test_batches(kind: str, there: bool, whole: Whole, tmp_path: Path) -> None:
    if kind == "core":  # by itself, by what fits together
        ran = whole(kind).generations[0].facts["ran"]
        assert max(len(trials) for *_, trials in ran) > 1
        return
    if not there:
        with pytest.raises(StudyError, match=r"study\.batched: does not go with a command; remove it"):
            tuner.run(asked(kind, study={"batched": 4}), home=tmp_path)
        return
    study = asked(kind, study={"batched": 4, "objective": f"{HERE}{several.__name__}"})
    trials = tuner.run(study, jobs=1, home=tmp_path).all_trials
    assert {trial.metrics["together"] for trial in trials if trial.rung == 0} == {4.0}


@feature("a device and threads for each worker", core="no: one thread, so that sums are the same everywhere")
def test_devices(kind: str, there: bool, tmp_path: Path) -> None:
    study = asked(
        kind, workers={"devices": ["npu:0", "npu:1"], "threads": 3}, train={"epochs": 1}, search={"rungs": []}
    )
    if not there:
        with pytest.raises(StudyError, match="workers: belongs to an objective of your own"):
            tuner.run(study, home=tmp_path)
        return
    own = {"objective": f"{HERE}placed"} if kind == "python" else {"command": [*QUICK, PLACED, "{lr}", "{device}"]}
    trials = tuner.run(changed(study, study=own), home=tmp_path).all_trials
    assert {trial.metrics["at"] for trial in trials} <= {0.0, 1.0}
    assert {trial.metrics["threads"] for trial in trials} == {3.0}


@feature("a time limit (`seconds_per_trial`)")
def test_time_limit(kind: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 2 * LIMIT if kind == "core" else LIMIT
    result = misbehaving(kind, "hang", tmp_path, monkeypatch, limits={"seconds_per_trial": seconds})
    good, bad = result.all_trials
    assert (good.state, bad.state) == ("complete", "failed")
    assert bad.error.startswith(f"TimedOut: took longer than the limit of {seconds:g} s")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on a worker's memory is Linux's")
@feature("a memory limit (`worker_gb`)", command="yes: the same for the program")
def test_memory_limit(kind: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = misbehaving(kind, "devour", tmp_path, monkeypatch, limits={"worker_gb": 1.5}).all_trials
    assert (good.state, bad.state) == ("complete", "failed")
    said = "Objective: the command exited with 1" if kind == "command" else "MemoryError"
    assert bad.error.startswith(said)


@feature("one that diverges or fails does so alone, with its reason")
def test_states(kind: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = misbehaving(kind, "raise", tmp_path / "failing", monkeypatch).all_trials
    assert (good.state, bad.state) == ("complete", "failed")
    said = {"core": "ValueError: broken on purpose", "python": "RuntimeError: no data (study_kinds.py:"}
    assert bad.error.startswith(said.get(kind, "Objective: the command exited with 1"))
    monkeypatch.undo()
    rate = {"optimizers": {"momentum": {"lr": [0.01, 1e30]}}} if kind != "python" else {}
    study = asked(kind, optimizers=None) | {"optimizers": {"momentum": {"lr": [0.01, 1e30]}}} | rate
    if kind == "command":
        code = "import sys; print('{\"valid_loss\": %s}' % ('NaN' if float(sys.argv[1]) > 1 else '0.5'))"
        study["study"]["command"] = [*QUICK, code, "{lr}"]
    if kind == "python":
        study["study"]["objective"] = f"{HERE}exploding"
    trials = tuner.run(study, jobs=1, home=tmp_path / "diverging").all_trials
    assert {(trial.config["lr"] > 1, trial.state == "diverged") for trial in trials} == {(True, True), (False, False)}


@feature("given up once the first ten fail alike")
def test_giving_up(kind: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = asked(kind)
    if kind == "core":
        failing.plan(monkeypatch, tmp_path / "one", {"*": "fail"})
    else:
        study["parameters"]["deed"] = "raise"
    with pytest.raises(TunerError, match=r"all of the first 10 trials failed alike, trial 0 with .*; once"):
        tuner.run(study, jobs=1, home=tmp_path)


@feature("failed trials trained again, once that is mended (`--retry-failed`)")
def test_retrying(kind: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = misbehaving(kind, "raise", tmp_path, monkeypatch)
    assert [trial.state for trial in broken.all_trials] == ["complete", "failed"]
    monkeypatch.setenv(MENDED, "1")
    failing.plan(monkeypatch, tmp_path / "one", {})
    result = tuner.run(broken.study, jobs=2, home=tmp_path, retry_failed=True, baselines=False)
    assert [trial.state == "failed" for trial in result.all_trials] == [False, False]
    assert result.all_trials[0].value == broken.all_trials[0].value
    assert result.all_trials[1].config == broken.all_trials[1].config


@feature("learning curves")
def test_curves(kind: str, there: bool, whole: Whole) -> None:
    frame = whole(kind).curves()
    lengths = frame[frame["metric"] == "valid_loss"].groupby(["trial", "replicate"]).size()
    assert set(lengths) == {3, 9}
    assert len(lengths) == 2 * 12


@feature("the ranking, with ties where noise cannot tell")
def test_ranking(kind: str, there: bool, whole: Whole) -> None:
    frame = whole(kind).ranking(complete=True)
    assert list(frame["value"]) == sorted(frame["value"])
    assert frame["tie"].notna().all()
    assert whole(kind).noise is not None


@feature("the best config as a file and in Python")
def test_best(kind: str, there: bool, whole: Whole) -> None:
    best = tuner.load_best(whole(kind).path)
    assert best["lr"] == whole(kind).best()["lr"]
    assert best.confirmed


@feature("its optimizer as code for PyTorch, Keras, optax", python="yes: of a preset", command="yes: of a preset")
def test_exports(kind: str, there: bool, whole: Whole) -> None:
    best = whole(kind).best()
    assert "torch.optim." in best.to_code("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InexactWarning)  # where Keras has other conventions
        assert "keras.optimizers." in best.to_code("keras", strict=False)
    assert "optax." in best.to_code("optax")


@feature("a model that predicts from raw rows (`tuner predict`)", python="no: it is yours", command="no: it is yours")
def test_model(kind: str, there: bool, whole: Whole) -> None:
    assert (whole(kind).path / "model" / "model.json").exists() == there


@feature("its weights (`best.npz`)", python="no: in its own checkpoint", command="no: in its own checkpoint")
def test_weights(kind: str, there: bool, whole: Whole) -> None:
    assert (whole(kind).path / "best.npz").exists() == there


@feature("confirmed on fresh seeds", core="yes: and fresh splits", python="yes: `run.seed`", command="yes: `{seed}`")
def test_confirmation(kind: str, there: bool, whole: Whole) -> None:
    result = whole(kind)
    assert result.is_confirmed
    assert [standing.goal.n for standing in result.standings] == [2, 2]
    assert {row.replicate for row in result.confirmed} == {1, 2, 2001, 2002}
    assert result.standings[0].goal.low < result.standings[0].goal.high


@feature("test metrics, of data that chose nothing", python="yes: its `test_*`", command="yes: its `test_*`")
def test_test_metrics(kind: str, there: bool, whole: Whole) -> None:
    report = whole(kind).standings[0].report
    assert report is not None
    assert report.test["test_loss"].low <= report.test["test_loss"].mean


@feature("the report, findings and charts")
def test_report(kind: str, there: bool, whole: Whole, tmp_path: Path) -> None:
    place = whole(kind).report(tmp_path / "report.html")
    assert "<h1" in place.read_text(encoding="utf-8")
    assert whole(kind).chart("curves").to_dict()["$schema"]


@feature("a goal to `maximize`")
def test_maximize(kind: str, there: bool, tmp_path: Path) -> None:
    study = asked(kind, study={"maximize": "valid_accuracy"})
    frame = tuner.run(study, jobs=1, home=tmp_path).ranking(complete=True)
    assert list(frame["value"]) == sorted(frame["value"], reverse=True)


@feature("more trials later, or stopped before (`[stop]`)")
def test_budgets(kind: str, there: bool, tmp_path: Path) -> None:
    study = asked(kind, study={"trials": 24}, stop={"target": 1e6})
    stopped = tuner.run(study, jobs=1, home=tmp_path)
    assert len(stopped.all_trials) == 12
    assert "target" in stopped.cost.stopped  # type: ignore[union-attr]
    assert len(tuner.run(study | {"stop": {}}, jobs=1, home=tmp_path).all_trials) == 24


@feature("begins with what other studies have shown (`warm_start`)")
def test_warm_start(kind: str, there: bool, whole: Whole) -> None:
    home, notes = whole(kind).path.parent, Notes()
    study = asked(kind, study={"name": "other"}, search={"warm_start": ["one"]})
    tuner.run(study, jobs=1, home=home, callback=notes)
    assert any("one" in note and "12" in note for note in notes.notes)


@feature("what it takes is said before (`--dry-run`)", "yes: in seconds", "yes: in epochs", "yes: in epochs")
def test_rehearsal(kind: str, there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.toml"
    file.write_text(read_study(asked(kind)).to_toml(), encoding="utf-8")
    ended = Shell(capsys)("run", file, "--dry-run")
    assert ended.code == 0
    assert ("s of training" if kind == "core" else "# 12 trials: about ") in ended.out


@feature("a study as Optuna has it (`export --to optuna`)")
def test_export_to_optuna(
    kind: str, there: bool, whole: Whole, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import optuna

    url, home = f"sqlite:///{tmp_path}/optuna.db", whole(kind).path.parent
    assert Shell(capsys)("export", "one", "--home", home, "--to", "optuna", "--storage", url).code == 0
    study = optuna.load_study(study_name="one", storage=url)
    assert len(study.trials) == 12


@feature(
    "a change of what was trained is noticed",
    core="yes: refused",
    python="yes: a warning, and the choice",
    command="yes: a warning, and the choice",
)
def test_changes(kind: str, there: bool, tmp_path: Path) -> None:
    place = tmp_path / ("rows.csv" if kind == "core" else "code.py")
    text = {
        "core": "x,y\n" + "".join(f"{i**2 % 61},{i % 3}\n" for i in range(60)),
        "python": "def train(config):\n    return config['lr']\n",
        "command": "import sys\nprint('{\"valid_loss\": %s}' % sys.argv[1])\n",
    }[kind]
    place.write_text(text, encoding="utf-8")
    own = {"python": {"objective": "code.py:train"}, "command": {"command": [sys.executable, "code.py", "{lr}"]}}
    study = asked(kind, study=own.get(kind, {}))
    study |= {"data": {"source": "rows.csv", "target": "y"}} if kind == "core" else {}
    file = tmp_path / "one.toml"
    file.write_text(read_study(study, base=tmp_path).to_toml(), encoding="utf-8")
    tuner.run(file, jobs=1, home=tmp_path / "runs")
    place.write_text(text + ("7,1\n" if kind == "core" else "# other\n"), encoding="utf-8")
    notes = Notes()
    if kind == "core":
        with pytest.raises(ChangedStudy, match=r"the data: was .*, now "):
            tuner.run(file, trials=24, jobs=1, home=tmp_path / "runs")
        return
    tuner.run(file, trials=24, jobs=1, home=tmp_path / "runs", callback=notes)
    assert any("has changed since the study began" in note and "--fresh" in note for note in notes.notes)


@feature(
    "run again and compared",
    core="yes: `verify`, trials of the ledger",
    python="yes: `check --repeat 2`, a config",
    command="yes: `check --repeat 2`, a config",
)
def test_repeating(kind: str, there: bool, whole: Whole, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = whole(kind).path.parent
    if kind == "core":
        assert tuner.verify("one", 3, home=home).ok
        return
    with pytest.raises(StudyError, match="is of an objective of its own; tuner check --repeat 2"):
        tuner.verify("one", 3, home=home)
    file = tmp_path / "one.toml"
    file.write_text(read_study(asked(kind)).to_toml(), encoding="utf-8")
    assert "2 runs are the same, bit for bit" in Shell(capsys)("check", "--repeat", "2", file).out


OUTPUTS = ("ranking.csv", "best.toml", "study.toml")


def outputs(home: Path) -> list[bytes]:
    """The files that have to be the same, byte for byte."""
    return [(home / "one" / name).read_bytes() for name in OUTPUTS]


@pytest.mark.slow
@feature("the same table, byte for byte, for any number of workers")
def test_workers(kind: str, there: bool, tmp_path: Path) -> None:
    for jobs in (1, 3):
        tuner.run(asked(kind, study={"trials": 24}), jobs=jobs, home=tmp_path / str(jobs))
    assert outputs(tmp_path / "1") == outputs(tmp_path / "3")


class Run:
    """`tuner run` of many trials, the leader of a process group, up to its first generation."""

    def __init__(self, kind: str, folder: Path, trials: int, slow: float) -> None:
        self.study = asked(kind, study={"trials": trials})
        if kind == "core":  # some seconds of training
            self.study |= {"train": {"epochs": 300, "batch_size": 4}, "search": {"generation_size": 12, "rungs": [100]}}
        self.file = folder / "one.toml"
        self.file.write_text(read_study(self.study).to_toml(), encoding="utf-8")
        self.home, self.environment = folder / "runs", os.environ | {"PYTHONPATH": str(ROOT), SLOW: str(slow)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tuner", "run", str(self.file), "-j", "2", "--home", str(self.home)],
            env=self.environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while not self.count() and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert self.process.poll() is None
        leader = psutil.Process(self.process.pid)
        self.family = [leader, *leader.children(recursive=True)]

    def count(self) -> int:
        """Trials committed so far."""
        try:
            return len(tuner.open("one", home=self.home).all_trials)
        except TunerError:
            return 0

    def gone(self) -> bool:
        """Whether all processes are."""
        return not psutil.wait_procs(self.family, timeout=PATIENCE)[1]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts runs, and ends them where a test does not."""
    begun: list[Run] = []

    def run(kind: str, trials: int, slow: float) -> Run:
        begun.append(Run(kind, tmp_path, trials, slow))
        return begun[-1]

    yield run
    for one in begun:
        one.process.kill()
        one.process.wait()


@pytest.mark.slow
@feature("nothing lost by `kill -9`, and the same table in the end")
def test_killed(kind: str, there: bool, running: Callable[..., Run], tmp_path: Path) -> None:
    run = running(kind, 48, 0.02)
    run.process.kill()
    run.process.wait()
    assert run.gone()
    kept = run.count()
    assert 0 < kept < 48
    again = tuner.run(run.file, jobs=2, home=run.home)
    assert again.cost.trials == 48 - kept  # type: ignore[union-attr]
    tuner.run(run.file, jobs=2, home=tmp_path / "whole")
    assert outputs(run.home) == outputs(tmp_path / "whole")


@pytest.mark.slow
@feature("ended by Ctrl-C, with all that it has started")
def test_interrupted(kind: str, there: bool, running: Callable[..., Run]) -> None:
    run = running(kind, 4800, 0.05)
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.process.wait(timeout=PATIENCE) == 130
    assert run.gone()
    assert run.count() % 12 == 0


@pytest.mark.slow
@feature(
    "trained on a cluster", python="no: its code would have to be there", command="no: its code would have to be there"
)
def test_cluster(kind: str, there: bool, tmp_path: Path) -> None:
    from tests.tuner.engines.test_cluster import Cluster

    if not there:
        with pytest.raises(StudyError, match="cluster: does not run an objective of your own"):
            tuner.run(asked(kind), home=tmp_path, cluster="tcp://localhost:1")
        return
    pytest.importorskip("distributed", reason="pip install 'tuner[cluster]'")
    cluster = Cluster(tmp_path, secured=False)
    try:
        cluster.add()
        result = tuner.run(asked(kind), home=tmp_path / "runs", cluster=cluster.address)
    finally:
        cluster.stop()
    assert result.best().value < 1


def test_a_function_and_a_command_that_compute_the_same_have_the_same_table(whole: Whole) -> None:
    python, command = (whole(kind).ranking().drop(columns="seconds") for kind in ("python", "command"))
    assert python.equals(command)
    best = whole("python").best()
    assert best["lr"] > 0
    assert loss_at(0.01, 1, 0, 1) == 1.1


def test_every_kind_is_in_every_row() -> None:
    assert ROWS
    assert all(len(row.cells) == len(KINDS) for row in ROWS)
