"""`tuner predict`: rows of a file in their order, block by block, and what is said of those that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import tuner
from objectives.data import blocks, csv_blocks
from objectives.errors import DataError
from tests.support.command import Ended, Shell
from tests.support.small_models import frame, targets, trained
from tuner.cli.commands import predict as predicting


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("homes")
    for task in ("binary", "regression"):
        trained(task, place / task)
    return place


@pytest.fixture
def rows(tmp_path: Path) -> pd.DataFrame:
    """New rows, in rows.csv."""
    data = frame(200, seed=1)
    data.to_csv(tmp_path / "rows.csv", index=False)
    return data


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


def ask(shell: Shell, homes: Path, task: str, *more: str | Path) -> Ended:
    return shell("predict", "small", *more, "--home", homes / task)


def in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BYTES", 700)
    monkeypatch.setattr(blocks, "ROWS", 7)


@pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")
@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_blocks_are_predicted_as_the_whole_is(
    suffix: str, homes: Path, rows: pd.DataFrame, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(f"rows.{suffix}")
    rows.loc[3, "id"] = 'a "quoted", name\nover two lines'
    rows.to_parquet(path) if suffix == "parquet" else rows.to_csv(path, index=False, sep=",\t"[suffix == "tsv"])
    in_small_blocks(monkeypatch)
    ended = ask(shell, homes, "binary", path, "--proba", "--keep", "id", "-o", "out.csv")
    assert ended.code == 0
    assert ended.out == "200 rows -> out.csv\n"
    found = pd.read_csv("out.csv")
    model = tuner.load_model(homes / "binary" / "small")
    assert found.columns.tolist() == ["id", "prediction", "p_0", "p_1"]
    assert found["id"].tolist() == rows["id"].tolist()
    assert np.array_equal(found["prediction"], model.predict(rows))
    assert np.allclose(found[["p_0", "p_1"]], model.predict_proba(rows), rtol=0, atol=1e-14)


def test_a_target_in_the_file_is_compared(homes: Path, rows: pd.DataFrame, shell: Shell) -> None:
    rows.assign(outcome=targets("binary", rows)).to_csv("rows.csv", index=False)
    ended = ask(shell, homes, "binary", "rows.csv", "-o", "out.csv")
    truth = targets("binary", rows)
    hits = (pd.read_csv("out.csv")["prediction"] == truth).mean()
    lines = ended.out.splitlines()
    assert lines[1].startswith("loss 0.")
    assert lines[2].startswith(f"accuracy {hits:.4g} [")
    some = rows.assign(outcome=["new", None, *truth[2:].astype(str)])
    some.to_csv("rows.csv", index=False)
    ended = ask(shell, homes, "binary", "rows.csv", "-o", "out.csv", "--force")
    assert (
        "200 rows: 1 rows have a class that training had not, like 'new': they are left out of the metrics" in ended.err
    )


def test_an_interval_is_added_to_a_regression(homes: Path, rows: pd.DataFrame, shell: Shell) -> None:
    rows.assign(outcome=targets("regression", rows)).to_csv("rows.csv", index=False)
    ended = ask(shell, homes, "regression", "rows.csv", "--interval", "0.8", "-o", "out.csv")
    found = pd.read_csv("out.csv")
    assert found.columns.tolist() == ["prediction", "low", "high"]
    assert (found["low"] < found["prediction"]).all()
    assert [line.split()[0] for line in ended.out.splitlines()[1:]] == ["loss", "rmse", "r2"]


def test_ids_are_kept_as_they_stand(homes: Path, rows: pd.DataFrame, shell: Shell) -> None:
    rows.assign(id=[f"{i:04}" for i in range(200)]).to_csv("rows.csv", index=False)
    ended = ask(shell, homes, "binary", "rows.csv", "--keep", "id", "--keep", "age")
    lines = ended.out.splitlines()
    assert lines[0] == "id,age,prediction"
    assert lines[8].startswith(f"0007,{rows['age'][7]},")
    assert len(lines) == 201


def spoiled(data: pd.DataFrame, how: str) -> str:
    """The text of a csv that cannot be predicted from."""
    if how == "missing":
        data = data.drop(columns="city")
    elif how == "renamed":
        data = data.rename(columns={"height": "Height"})
    elif how == "type":
        data = data.astype({"age": object})
        data.loc[150, "age"] = "old"
    text = data.to_csv(index=False)
    lines = text.splitlines()
    changed: dict[str, Any] = {
        "empty": "",
        "header": lines[0] + "\n",
        "ragged": "\n".join([*lines[:150], lines[150] + ",more", *lines[151:]]),
        "quote": text.replace("person 100", '"person 100'),
    }
    return str(changed.get(how, text))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("missing", "rows.csv: no column 'city'; the model needs 4 columns: age, height, city, since"),
        ("renamed", "rows.csv: no column 'height'; if 'Height' is the same, rename it"),
        ("type", "rows.csv, column 'age': 'old' is no number in row 151; the model was trained on numbers; "),
        ("empty", "rows.csv: is empty; write the data again"),
        ("header", "rows.csv: has a header but no rows; add data"),
        ("ragged", "rows.csv: the header has 5 columns, but line 151 has 6; quote texts that contain the separator"),
        ("quote", "rows.csv: the header has 5 columns, but line "),
    ],
)
def test_bad_rows_are_said_in_one_line_and_nothing_is_left(
    how: str, said: str, homes: Path, rows: pd.DataFrame, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_small_blocks(monkeypatch)
    Path("rows.csv").write_text(spoiled(rows, how))
    ended = ask(shell, homes, "binary", "rows.csv", "-o", "out.csv")
    assert ended.code == 2
    assert ended.err.startswith(f"error: {said}")
    assert ended.err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["rows.csv"]


def test_wrong_questions_are_said(homes: Path, rows: pd.DataFrame, shell: Shell) -> None:
    for task, options, said in (
        ("regression", ["--proba"], "--proba: a regression has no classes; use --interval 0.9"),
        ("binary", ["--interval", "0.9"], "--interval: classes have no interval; use --proba"),
        (
            "binary",
            ["--keep", "name"],
            "rows.csv: no column 'name' to keep; choose one of: age, city, height, id, since",
        ),
        ("binary", ["-o", "rows.csv"], "-o rows.csv: there is a file of that name; --force replaces it"),
    ):
        ended = ask(shell, homes, task, "rows.csv", *options)
        assert (ended.code, ended.err) == (2, f"error: {said}\n")


def test_a_full_disk_leaves_nothing_half_written(
    homes: Path, rows: pd.DataFrame, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    Path("out.csv").write_text("before")
    monkeypatch.setattr(predicting.os, "fsync", full)
    ended = ask(shell, homes, "binary", "rows.csv", "-o", "out.csv", "--force")
    assert (ended.code, ended.err.splitlines()[-1]) == (1, "error: No space left on device")
    assert Path("out.csv").read_text() == "before"
    assert sorted(path.name for path in Path().iterdir()) == ["out.csv", "rows.csv"]


def test_a_study_without_a_model_says_how_to_get_one(tmp_path: Path, shell: Shell) -> None:
    trained("binary", tmp_path / "home")
    for file in (tmp_path / "home" / "small" / "model").iterdir():
        file.unlink()
    ended = shell("predict", "small", "rows.csv", "--home", tmp_path / "home")
    assert ended.code == 1
    assert "there is no model: tuner refit small makes one" in ended.err
    assert "should not happen" not in ended.err


def test_arrays_are_read_in_blocks(tmp_path: Path) -> None:
    values = np.arange(40.0).reshape(10, 4)
    np.save(tmp_path / "rows.npy", values)
    np.savez(tmp_path / "rows.npz", X=values)
    for name in ("rows.npy", "rows.npz"):
        found = list(blocks.read_blocks(name, (), tmp_path))
        assert np.array_equal(np.concatenate([block.rows for block in found]), values)
    (tmp_path / "bad.csv").write_bytes("a,b\n\u00fc,2\n".encode() + b"\xff,3\n")
    with pytest.raises(DataError, match=r"bad.csv, line 3: is not UTF-8 text"):
        list(blocks.read_blocks("bad.csv", (), tmp_path))
    with pytest.raises(DataError, match=r"no.csv: there is no such file"):
        list(blocks.read_blocks("no.csv", (), tmp_path))


def test_texts_that_are_called_as_gaps_are_texts_in_blocks_too(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("country,size\nNA,1\nDE,NA\n,3\n")
    (block,) = blocks.read_blocks("rows.csv", {"country"}, tmp_path)
    assert block.rows["country"].tolist()[:2] == ["NA", "DE"]
    assert block.rows.isna().sum().tolist() == [1, 1]
