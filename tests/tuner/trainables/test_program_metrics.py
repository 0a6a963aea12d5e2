"""Metrics from what programs print and write anyway: patterns, CSV files that grow, JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuner
from tuner.enums import ObjectiveForm
from tuner.errors import GivenUp, StudyError
from tuner.study import MetricSource, read_study
from tuner.trainables.custom.command import run_command
from tuner.trainables.custom.function import MetricSink, ObjectiveCall
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.metric_log import Diverged, MetricLog
from tuner.trainables.custom.metric_readers import CsvReader, JsonReader, PatternReader, json_values
from tuner.trainables.custom.program_setup import ObjectiveCommand
from tuner.trainables.custom.run_handle import SEARCH

HEAD = "import json, os, sys, time\nlr = float(sys.argv[1])\nhere = os.environ['TUNER_DIRECTORY']\n"
LOSS = r"val loss (?P<value>[-+.\deE]+)"


def asked(tmp_path: Path, code: str, metrics: dict[str, Any], **tables: Any) -> dict[str, Any]:
    (tmp_path / "train.py").write_text(HEAD + code, encoding="utf-8")
    study = {"name": "program", "trials": 6, "command": [sys.executable, str(tmp_path / "train.py"), "{lr}"]}
    space = {"lr": {"low": 0.01, "high": 1.0}}
    return {"study": study, "metrics": metrics, "parameters": space, "train": {"epochs": 4}, **tables}


def reported(tmp_path: Path, code: str, metrics: dict[str, Any], stop: int = 4) -> MetricLog:
    """What one training reports, up to an epoch."""
    own = read_study(asked(tmp_path, code, metrics), base=tmp_path).custom
    assert own is not None
    (home := tmp_path / "trial").mkdir(exist_ok=True)
    config = {"lr": 0.1, "epochs": 4}
    call = ObjectiveCall((config,), 0, 0, stop, "epochs", home, SEARCH, "cpu")
    sink = MetricSink([MetricLog("valid_loss", 0, stop)], False)
    command = (sys.executable, str(tmp_path / "train.py"), "{lr}")
    run_command(ObjectiveCommand(command, "", str(tmp_path), own.metrics), ObjectiveForm.STEPS, call, sink)
    return sink.sheets[0]


def curves(tmp_path: Path, code: str, metrics: dict[str, Any], stop: int = 4) -> dict[str, list[float]]:
    """The learning curves of one training."""
    return {name: curve.tolist() for name, curve in reported(tmp_path, code, metrics, stop).curves().items()}


NANO = """
for epoch in range(1, 5):
    print(f"step {epoch}: train loss {epoch + 10}.0, val loss {5 - epoch}.5")
    print(f"iter {epoch}: loss 9.9")
"""
BAR = r"""
for epoch in range(1, 5):
    for i in range(3):
        sys.stderr.write(f"\repoch {epoch}: {i}/3 val loss {9 - epoch - i}.25")
    sys.stderr.write("\n")
"""
KERAS = """
for epoch in range(1, 5):
    print(f"Epoch {epoch}/4")
    print(f"step 1/1 - loss: 3.0 - val loss {4 / epoch}")
"""
CSV = """
with open(here + "/log.csv", "w") as file:
    file.write("epoch,train_loss,val_loss\\n")
    for epoch in range(4):
        file.write(f"{epoch},,{4 - epoch}.5\\n{epoch},{epoch}.25,\\n")
        file.flush()
"""
LOG = """
with open(here + "/log.txt", "w") as file:
    for epoch in range(1, 5):
        file.write(f"[{epoch}] val loss {4 - epoch}.5\\n")
        file.flush()
"""
LINES = """
with open(here + "/log.jsonl", "w") as file:
    for epoch in range(1, 5):
        file.write(json.dumps({"step": epoch, "eval": {"loss": 5 - epoch}}) + "\\n")
"""
HISTORY = """
print("done")
print(json.dumps({"history": {"val_loss": [4.0, 3.0, 2.0, 1.0]}, "name": "net"}, indent=2))
print("bye")
"""
HF = """
os.makedirs(here + "/out/checkpoint-4")
rows = [r for e in (1, 2, 3, 4) for r in ({"epoch": float(e), "loss": 9.0}, {"epoch": float(e), "eval_loss": 5.0 - e})]
json.dump({"log_history": rows}, open(here + "/out/checkpoint-4/trainer_state.json", "w"))
"""


@pytest.mark.parametrize(
    ("code", "source", "values"),
    [
        (NANO, {"pattern": LOSS, "epoch": r"step (\d+)"}, [4.5, 3.5, 2.5, 1.5]),
        (BAR, {"pattern": LOSS, "epoch": r"epoch (\d+)"}, [6.25, 5.25, 4.25, 3.25]),
        (KERAS, {"pattern": LOSS, "epoch": r"Epoch (\d+)/"}, [4.0, 2.0, 4 / 3, 1.0]),
        (KERAS, {"pattern": LOSS}, [4.0, 2.0, 4 / 3, 1.0]),
        (LOG, {"pattern": LOSS, "epoch": r"\[(?P<epoch>\d+)\] (.*)", "file": "log.txt"}, [3.5, 2.5, 1.5, 0.5]),
        (CSV, {"csv": "log.csv", "column": "val_loss", "epoch": "epoch"}, [4.5, 3.5, 2.5, 1.5]),
        (LINES, {"json": "*.jsonl", "key": "eval.loss", "epoch": "step"}, [4.0, 3.0, 2.0, 1.0]),
        (HISTORY, {"json": "-", "key": "history.val_loss"}, [4.0, 3.0, 2.0, 1.0]),
        (
            HF,
            {"json": "out/*/trainer_state.json", "key": "log_history.eval_loss", "epoch": "log_history.epoch"},
            [4.0, 3.0, 2.0, 1.0],
        ),
    ],
)
def test_a_metric_is_found_where_a_program_says_it(
    tmp_path: Path, code: str, source: dict[str, str], values: list[float]
) -> None:
    assert curves(tmp_path, code, {"valid_loss": source})["valid_loss"] == values


def test_metrics_of_several_places_meet_at_their_epochs(tmp_path: Path) -> None:
    code = CSV + "for epoch in range(4): print(f'epoch {epoch} acc {epoch * 10}%')\nprint('test accuracy: 0.75')\n"
    metrics = {
        "valid_loss": {"csv": "log.csv", "column": "val_loss", "epoch": "epoch"},
        "train_loss": {"csv": "log.csv"},
        "acc": {"pattern": r"acc (\d+)%", "epoch": r"epoch (\d+)"},
        "test_acc": {"pattern": r"test accuracy: ([\d.]+)"},
    }
    found = curves(tmp_path, code, metrics)
    assert found == {
        "valid_loss": [4.5, 3.5, 2.5, 1.5],
        "train_loss": [0.25, 1.25, 2.25, 3.25],
        "acc": [0.0, 10.0, 20.0, 30.0],
        "test_acc": [0.75] * 4,
    }


def test_a_program_that_goes_on_is_ended_once_it_says_more_than_was_asked_for(tmp_path: Path) -> None:
    code = "for epoch in range(10**6): print(f'epoch {epoch}: val loss {epoch}', flush=True); time.sleep(0.001)\n"
    found = curves(tmp_path, code, {"valid_loss": {"pattern": LOSS, "epoch": r"epoch (\d+)"}})
    assert found == {"valid_loss": [0.0, 1.0, 2.0, 3.0]}
    assert curves(tmp_path, code, {"valid_loss": {"pattern": LOSS}}) == found


def test_one_number_at_the_end_is_the_value_of_the_training(tmp_path: Path) -> None:
    code = "print('begun')\nprint('final val loss 0.5.')\n"
    assert curves(tmp_path, code, {"valid_loss": {"pattern": LOSS}}, 0)["valid_loss"] == [0.5]


SLOPE = """
for epoch in range(1, 28):
    print(f"epoch {epoch}: val loss {abs(lr - 0.3) + 1 / epoch}", flush=True)
    with open(here + "/log.csv", "a") as file:
        file.write(("epoch,loss\\n" if epoch == 1 else "") + f"{epoch},{abs(lr - 0.3) + 1 / epoch}\\n")
    if epoch > 9:
        open(sys.argv[0] + f".{lr}", "w").close()
time.sleep(0.0)
"""


@pytest.mark.parametrize(
    "source",
    [
        {"pattern": LOSS, "epoch": r"epoch (\d+)"},
        pytest.param({"csv": "log.csv", "column": "loss", "epoch": "epoch"}, marks=pytest.mark.slow),
        pytest.param({"pattern": LOSS}, marks=pytest.mark.slow),
    ],
)
def test_trials_are_pruned_at_rungs_and_the_table_is_that_of_any_number_of_workers(
    tmp_path: Path, source: dict[str, str]
) -> None:
    tables = {"train": {"epochs": 27}, "search": {"rungs": [3, 9], "generation_size": 12}}
    study = asked(tmp_path, SLOPE, {"valid_loss": source}, **tables)
    study["study"]["trials"] = 12
    one = tuner.run(study, jobs=1, home=tmp_path / "one")
    two = tuner.run(study, jobs=2, home=tmp_path / "two")
    table, other = (result.ranking().drop(columns="seconds").to_csv() for result in (one, two))
    assert table == other
    assert {trial.state for trial in one.all_trials} == {"complete", "pruned"}
    assert all(trial.epochs in (3, 9, 27) for trial in one.all_trials)


def test_a_rung_between_two_values_compares_what_came_before(tmp_path: Path) -> None:
    code = "for step in range(0, 81, 20): print(f'step {step}: val loss {abs(lr - 0.3) + 1 / (1 + step)}')\n"
    source = {"valid_loss": {"pattern": LOSS, "epoch": r"step (\d+)"}}
    log = reported(tmp_path, code, source, 30)
    assert (sorted(log.rows), log.last) == ([1, 21, 30], 30)
    assert len(log.rows[30]) == 0
    with pytest.raises(InvalidObjective, match=r"came at 20, and not before 10, .* write \[search\] rungs = \[20\]"):
        reported(tmp_path, code, source, 10)


def test_a_loss_that_is_no_number_any_more_ends_the_trial_alone(tmp_path: Path) -> None:
    code = "for e in (1, 2, 3, 4): print(f'epoch {e}: val loss {lr if e < 3 else float(\"nan\")}')\n"
    source = {"valid_loss": {"pattern": LOSS, "epoch": r"epoch (\d+)"}}
    with pytest.raises(Diverged, match="valid_loss is nan at epoch 3"):
        reported(tmp_path, code, source)


@pytest.mark.parametrize(
    ("code", "source", "said"),
    [
        (
            "print('a'); print('validation 0.5')",
            {"pattern": LOSS},
            r"valid_loss never came: a line of what it prints with the pattern 'val loss .*' did not come; "
            r"what the command printed ended with: a \| validation 0.5; let \[metrics\] valid_loss say",
        ),
        ("print('val loss 1')", {"pattern": LOSS, "epoch": r"ep(\d+)"}, r"values came, but no line with an epoch, 'ep"),
        (CSV, {"csv": "log.csv", "column": "loss"}, r"the column 'loss' of log.csv .* are epoch, train_loss, val_loss"),
        (CSV, {"csv": "summary.csv"}, r"there was no such file"),
        (HISTORY, {"json": "-", "key": "loss"}, r"the key 'loss' of what it prints did not come; its keys are history"),
        ("print('epoch 1.5: val loss 1')", {"pattern": LOSS, "epoch": r"epoch ([\d.]+)"}, r"the epoch is '1.5', which"),
    ],
)
def test_a_metric_that_never_came_says_what_was_looked_for(
    tmp_path: Path, code: str, source: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidObjective, match=said) as caught:
        reported(tmp_path, code, {"valid_loss": source}, 0)
    assert "\n" not in str(caught.value)


def test_a_metric_that_never_came_ends_the_study_after_its_first_trial(tmp_path: Path) -> None:
    study = asked(tmp_path, "print('loss 1')", {"valid_loss": {"pattern": LOSS}})
    study["study"]["trials"] = 40
    with pytest.raises(GivenUp, match=r"trial 0 failed with .* never came: .*no other config would mend that"):
        tuner.run(study, jobs=1, home=tmp_path / "runs")


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"valid_loss": {"pattern": "loss [("}}, r"metrics.valid_loss.pattern: 'loss \[\(' is no regular expression"),
        ({"valid_loss": {"pattern": "loss"}}, r"'loss' has no group; put the number into \(\?P<value>"),
        ({"valid_loss": {"pattern": "(a)(b)"}}, r"has 2 groups, and none is called value"),
        ({"valid_loss": {"pattern": "(a)", "epoch": "b"}}, r"metrics.valid_loss.epoch: 'b' has no group"),
        ({"valid_loss": {"pattern": "(a)", "colum": "b"}}, r"metrics.valid_loss.colum: unknown key"),
        ({"valid_loss": {"pattern": "(a)", "column": "b"}}, r"metrics.valid_loss.column: belongs to csv"),
        ({"valid_loss": {"pattern": "(a)", "csv": "b"}}, r"metrics.valid_loss: has pattern and csv; keep one"),
        ({"valid_loss": "loss"}, r"metrics.valid_loss: does not say where it is"),
        ({"valid_loss": {"csv": "/tmp/log.csv"}}, r"'/tmp/log.csv' is no file in the folder of a trial"),
        ({"valid_loss": {"csv": "-"}}, r"cannot be read from what a program prints"),
        ({"valid_loss": {"csv": 3}}, r"metrics.valid_loss.csv: must be text, but got 3"),
        (
            {"loss": {"pattern": "(a)"}},
            r"metrics: does not say where valid_loss is, which is the goal; choose one of: loss",
        ),
        ({"lr": {"pattern": "(a)"}, "valid_loss": {"pattern": "(a)"}}, r"metrics.lr: is a parameter, or a name"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_runs(tmp_path: Path, metrics: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_study(asked(tmp_path, "", metrics), base=tmp_path)


def test_all_problems_are_said_at_once_and_functions_have_no_such_table(tmp_path: Path) -> None:
    metrics = {"valid_loss": {"pattern": "a", "epoch": "b", "colum": "c"}}
    with pytest.raises(StudyError, match=r"metrics\.valid_loss") as caught:
        read_study(asked(tmp_path, "", metrics), base=tmp_path)
    assert len(caught.value.complaints) == 3
    own = {"study": {"objective": "train.py:f"}, "parameters": {"x": [1, 2]}, "metrics": {}}
    (tmp_path / "train.py").touch()
    assert read_study(own, base=tmp_path).custom
    with pytest.raises(StudyError, match=r"metrics: belongs to a command"):
        read_study({**own, "metrics": {"valid_loss": {"pattern": "(a)"}}}, base=tmp_path)


def test_a_study_with_metrics_reads_back_and_one_without_says_nothing_of_them(tmp_path: Path) -> None:
    metrics = {"valid_loss": {"pattern": LOSS, "epoch": r"step (\d+)", "file": "a/*.txt"}, "acc": {"csv": "log.csv"}}
    study = read_study(asked(tmp_path, "", metrics), base=tmp_path)
    assert study.to_table()["metrics"]["acc"] == {"csv": "log.csv", "column": "acc"}
    (tmp_path / "again.toml").write_text(study.to_toml(), encoding="utf-8")
    assert read_study(tmp_path / "again.toml") == study
    assert "metrics" not in read_study(asked(tmp_path, "", {}), base=tmp_path).to_table()


ROWS = st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=12).map(
    lambda rows: sorted(rows, key=lambda row: row[0])
)


@given(rows=ROWS, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_a_file_that_grows_gives_the_same_rows_however_often_it_is_looked_at(
    rows: list[tuple[int, float]], cuts: list[int]
) -> None:
    text = "epoch,loss\n" + "".join(f"{epoch},{loss!r}\n" for epoch, loss in rows)
    reader = CsvReader([MetricSource("loss", "csv", "log.csv", "loss", "epoch")], 0)
    for cut in [*sorted(cuts), len(text)]:
        reader.content(text[:cut], over=cut >= len(text))
    reader.rows.close()
    assert {epoch: row["loss"] for epoch, row in reader.rows.rows.items()} == dict(rows)


@given(rows=ROWS, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_lines_of_a_log_are_read_once(rows: list[tuple[int, float]], cuts: list[int]) -> None:
    text = "".join(f"epoch {epoch} loss={loss!r}\n" for epoch, loss in rows)
    lines = "".join(json.dumps({"e": epoch, "v": {"loss": loss}}) + "\n" for epoch, loss in rows)
    pattern = PatternReader([MetricSource("loss", "pattern", "log", r"loss=([-+.\deE]+)", r"epoch (\d+)")], 0)
    objects = JsonReader([MetricSource("loss", "json", "log", "v.loss", "e")], 0)
    for reader, whole in ((pattern, text), (objects, lines)):
        for cut in [*sorted(cuts), len(whole)]:
            reader.content(whole[:cut], over=cut >= len(whole))
        reader.rows.close()
        assert {epoch: row["loss"] for epoch, row in reader.rows.rows.items()} == dict(rows)


def test_a_dotted_key_leads_through_tables_names_with_dots_and_lists() -> None:
    document = {"a": {"b": 1}, "c.d": 2, "e": [{"f": 3}, {"g": 4}], "h": [1.0, 2.0]}
    assert json_values(document, "a.b") == [1]
    assert json_values(document, "c.d") == [2]
    assert json_values(document, "e.f") == [3, None]
    assert json_values(document, "h") == [1.0, 2.0]
    assert json_values(document, "a.x") == []
    assert np.isnan(json_values({"a": float("nan")}, "a")[0])
