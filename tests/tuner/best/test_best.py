"""best.toml: what is written is read back, and what was edited by hand into nonsense is named."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.optimizers import FRAMEWORKS
from tuner.best import Best, load_best
from tuner.best.config import parse_best
from tuner.best.conventions import conventions_of
from tuner.best.file_schema import FRAMEWORKS as KNOWN
from tuner.orchestrator.artifacts import best_text


def best(**changes: object) -> Best:
    values = {
        "study": "digits",
        "trial": 61,
        "params": {"optimizer": "nesterov", "lr": 0.0412, "momentum": 0.941, "batch_size": 32, "hidden": [64]},
        "conventions": conventions_of({"optimizer": "nesterov"}),
        "training": {"epochs": 27, "steps": 918, "horizon": 27, "horizon_steps": 918, "steps_per_epoch": 34},
        "model": {"task": "multiclass", "inputs": 64, "outputs": 10, "parameters": 4810, "rows": 1079},
        "result": {"metric": "valid_loss", "direction": "minimize", "value": 0.0874},
        "confirmation": {"seeds": 5, "mean": 0.09, "low": 0.08, "high": 0.1},
        "provenance": {"seed": 0},
    }
    return Best(**(values | changes))  # type: ignore[arg-type]


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(lr=numbers, value=numbers, size=st.integers(1, 10**6), name=st.text(min_size=1))
def test_what_is_written_is_read(lr: float, value: float, size: int, name: str) -> None:
    params = {"optimizer": name, "lr": lr, "batch_size": size}
    one = best(params=params, result={"metric": "valid_loss", "direction": "minimize", "value": value})
    again = parse_best(best_text(one), "best.toml")
    assert dict(again) == params
    assert again.document() == one.document()


def test_a_confirmation_that_came_to_nothing_is_read_and_said() -> None:
    lost = dict.fromkeys(("mean", "low", "high"), float("nan")) | {"seeds": 5}
    again = parse_best(best_text(best(confirmation=lost)), "best.toml")
    assert again.confirmed
    assert again.interval is not None
    assert all(map(math.isnan, again.interval))
    assert "nan" not in again._repr_html_()
    assert "lost on a fresh seed" in " ".join(again.to_code("torch").split("\n# "))


def test_a_best_is_a_mapping_with_more() -> None:
    one = best()
    assert one["lr"] == 0.0412
    assert len(one) == 5
    assert one.epochs == 27
    assert one.value == 0.0874
    assert one.confirmed
    assert one.interval == (0.08, 0.1)
    assert one.interval_of == ""  # of a file from before that was kept
    assert best(confirmation={}).interval is None
    said = best(confirmation={**one.confirmation, "interval_of": "the value on new rows"})
    assert parse_best(best_text(said), "best.toml").interval_of == "the value on new rows"
    assert "[0.08, 0.1] on fresh seeds (95 % interval for the value on new rows)" in said.recipe().notes[0]
    assert repr(one).startswith("Best('digits', trial=61, valid_loss=0.0874: optimizer='nesterov', lr=0.0412")
    with pytest.raises(KeyError, match="'momentun': did you mean 'momentum'"):
        one["momentun"]
    with pytest.raises(TypeError, match="does not support item assignment"):
        load_best_params(one)["lr"] = 1  # type: ignore[index]


def load_best_params(one: Best) -> object:
    return parse_best(best_text(one), "best.toml").params


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lr = 0.0412", 'lr = "0.0412"', r"best\.toml: config\.lr: must be float, but got '0\.0412'"),
        ("batch_size = 32", "batch_size = 32.5", r"config\.batch_size: must be int of at least 1, but got 32\.5"),
        ("epochs = 27", "epochs = true", r"training\.epochs: must be int of at least 1, but got True"),
        ("epochs = 27", "epochs = 0", r"training\.epochs: must be int of at least 1, but got 0"),
        ("horizon_steps = 918", "", r"training\.horizon_steps: is missing"),
        ('eps_mode = "outside"', 'eps_mode = "outsid"', r"eps_mode: is 'outsid'; did you mean 'outside'"),
        ('framework = "torch"', 'framework = "pytorch"', r"conventions\.framework: is 'pytorch'; did you mean 'torch'"),
        ("lr_in_buffer = false", 'lr_in_buffer = "no"', r"conventions\.lr_in_buffer: must be bool, but got 'no'"),
        ('task = "multiclass"', "task = 3", r"model\.task: is 3; choose one of: binary, multiclass, own, regression"),
        ("low = 0.08", 'low = "0.08"', r"confirmation\.low: must be float, but got '0\.08'"),
        ("value = 0.0874", "value = nan", r"result\.value: must be float, but got nan"),
        ("low = 0.08", "low = 0.08\ninterval_of = 3", r"confirmation\.interval_of: must be str, but got 3"),
        ("low = 0.08", "low = inf", r"confirmation\.low: must be float, but got inf"),
        ("[provenance]", "[[provenance]]", r"provenance: must be dict, but got \[\{'seed': 0\}\]"),
        ("version = 2", "version = 3", r"version: is 3, but this tuner reads up to 2; install a newer tuner"),
        ("version = 2", "version = 1", r"version: is 1, of an older tuner: this one writes 2; `tuner run` writes the"),
        ("version = 2", "", r"version: is missing"),
        ("[config]", "[configuration]", r"config: is missing"),
        ("trial = 61", "trial = ", r"best\.toml: is not TOML"),
    ],
)
def test_hand_edited_nonsense_is_named(old: str, new: str, message: str) -> None:
    text = best_text(best())
    assert old in text
    with pytest.raises(InvalidInput, match=message):
        parse_best(text.replace(old, new, 1), "best.toml")


def test_no_best_yet(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no best config; `tuner run` writes one"):
        load_best(tmp_path)


@pytest.mark.parametrize("asked", ["digits", "runs/digit"])
def test_a_study_directory_by_its_name_alone_or_misspelt_is_suggested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/digits").mkdir(parents=True)
    Path("runs/digits/best.toml").write_text(best_text(best()), encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"there is no best config; did you mean 'runs/digits'\?"):
        load_best(asked)


def test_every_mistake_is_told_at_once() -> None:
    text = best_text(best()).replace("lr = 0.0412", "lr = -inf").replace("outputs = 10", "outputs = 1.5")
    with pytest.raises(InvalidInput, match="lr: must be float, but got -inf") as caught:
        parse_best(text, "best.toml")
    assert [str(one).split(": ")[1] for one in caught.value.complaints] == ["config.lr", "model.outputs"]


def test_the_frameworks_are_those_of_the_core() -> None:
    assert KNOWN == FRAMEWORKS


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = 1" + b"0" * 5000, b"x = " + b"[" * 3000])
def test_a_file_of_any_bytes_is_a_best_config_or_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "best.toml").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"best.toml: is not (UTF-8 text|TOML)"):
        load_best(tmp_path)
