"""Settings as programs take them: files, constants, variables, options; and a folder for each trial."""

from __future__ import annotations

import ast
import json
import math
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuner
from tests.support.command import Shell
from tuner.errors import StudyError
from tuner.study import constants_in, difference_of, laid_over, read_config, read_study, with_constants
from tuner.trainables.custom.function import ObjectiveCall
from tuner.trainables.custom.program_setup import ObjectiveCommand, ProgramStart, started_with
from tuner.trainables.custom.run_handle import SEARCH

SPACE = {"optim.lr": {"low": 1e-5, "high": 0.1}, "depth": [1, 2], "amp": [True, False], "betas": [[0.9, 0.95], [0.8]]}
CONFIG = {"optim.lr": 1e-5, "depth": 2, "amp": True, "betas": [0.9, 0.95], "epochs": 9}
SCRIPT = """# \u00e9: before
depth: int = 3  # \u00e9
betas, other = (0.5, 0.5), [1]
sizes = (
    1,
    2,
)
class optim:
    lr = 6e-4
def f():
    depth = 1
"""


def asked(folder: Path, words: list[str], run: dict[str, Any], **space: Any) -> dict[str, Any]:
    study = {"name": "setup", "trials": 4, "command": [sys.executable, *words]}
    return {"study": study, "run": run, "parameters": space or SPACE}


def start(folder: Path, words: list[str], run: dict[str, Any]) -> ProgramStart:
    """What a trial is started with."""
    study = read_study(asked(folder, words, run), base=folder)
    assert study.custom is not None
    (home := folder / "trial").mkdir(exist_ok=True)
    call = ObjectiveCall((CONFIG,), 7, 0, 9, "epochs", home, SEARCH, "cpu", trials=(3,))
    return started_with(ObjectiveCommand(study.custom.command, "", str(folder), run=study.run), call)


@pytest.mark.parametrize("form", ["yaml", "json", "toml"])
@pytest.mark.parametrize("base", ["base.yaml", "base.json", "base.toml", None])
def test_a_file_of_settings_is_written_for_each_trial(tmp_path: Path, form: str, base: str | None) -> None:
    (tmp_path / "base.yaml").write_text("optim: {name: adam, lr: 1.0}\ntext: 1e-5\n")
    (tmp_path / "base.json").write_text('{"optim": {"name": "adam", "lr": 1.0}, "text": "1e-5"}')
    (tmp_path / "base.toml").write_text('text = "1e-5"\n[optim]\nname = "adam"\n')
    values = {"train.seed": "{seed}", "out": "{directory}/x", "steps": 5}
    begun = start(tmp_path, [f"--config={{config:{form}}}"], {"values": values, **({"config": base} if base else {})})
    place = tmp_path / "trial" / f"settings.{form}"
    assert begun.words[1:] == [f"--config={place}"]
    known = {"text": "1e-5"} if base else {}
    optim = {"name": "adam"} if base else {}
    assert read_config(place) == {
        **known, "optim": {**optim, "lr": 1e-5}, "depth": 2, "amp": True, "betas": [0.9, 0.95], "steps": 5,
        "train": {"seed": 7}, "out": f"{tmp_path}/trial/x",
    }  # fmt: skip


def test_what_a_word_asks_for_is_not_in_the_file(tmp_path: Path) -> None:
    words = ["{config:json}", "model.depth={depth}", "{amp:--amp}", "+betas={betas}"]
    begun = start(tmp_path, words, {"env": {"RATE": "{optim.lr}", "N": 5}})
    assert begun.words[2:] == ["model.depth=2", "--amp", "+betas=[0.9,0.95]"]
    assert (begun.environment["RATE"], begun.environment["N"]) == ("1e-05", "5")
    assert json.loads((tmp_path / "trial" / "settings.json").read_text()) == {}


def test_a_program_in_a_folder_of_its_own_finds_files_and_modules_of_the_study(tmp_path: Path) -> None:
    code = "import beside, sys, os\nprint(open(sys.argv[1].partition('=')[2]).read(), os.getcwd(), beside.x)\n"
    (tmp_path / "train.py").write_text(code + "print('valid_loss', sys.argv[2])\nopen('out.txt', 'x').close()")
    (tmp_path / "beside.py").write_text("x = 1")
    (tmp_path / "data.txt").write_text("data")
    study = asked(tmp_path, ["train.py", "--data=data.txt", "{x}"], {"folder": "own"}, x=[1, 2])
    study["metrics"] = {"valid_loss": {"pattern": "valid_loss (.*)"}}
    file = tmp_path / "study.json"
    file.touch()
    result = tuner.run(tuner.read_study(study, base=tmp_path), jobs=2, home=tmp_path / "runs")
    assert {trial.state for trial in result.all_trials} == {"complete"}
    assert not (tmp_path / "out.txt").exists()


def test_constants_are_replaced_in_a_copy(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT.replace("betas, other = (0.5, 0.5), [1]", "betas = [0.5]\namp = 0"))
    begun = start(tmp_path, ["train.py"], {"constants": "train.py", "values": {"sizes": [3]}})
    copy = (tmp_path / "trial" / "train.py").read_text()
    assert begun.words[1:] == [str(tmp_path / "trial" / "train.py")]
    assert begun.environment["PYTHONPATH"].split(":")[0] == str(tmp_path)
    assert "depth: int = 2  # \u00e9\nbetas = [0.9, 0.95]\namp = True\nsizes = (3,)\n" in copy
    assert "    lr = 1e-05\ndef f():\n    depth = 1\n" in copy
    assert "depth: int = 3" in (tmp_path / "train.py").read_text()


def test_the_difference_is_shown() -> None:
    shown = difference_of(SCRIPT, {"depth": 5, "none": 1}, "train.py")
    assert shown.splitlines()[2:] == ["@@ -2 +2 @@", "-depth: int = 3  # \u00e9", "+depth: int = 5  # \u00e9"]


LITERALS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.booleans(),
    st.lists(st.integers(), max_size=3),
)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, [0.5, math.inf]])
def test_a_constant_may_be_a_number_without_a_literal(value: Any) -> None:
    found: dict[str, Any] = {}
    exec(with_constants("limit = 1.0\n", {"limit": value}), found)
    np.testing.assert_equal(found["limit"], value)


@given(before=st.lists(LITERALS, min_size=1, max_size=5), after=st.lists(LITERALS, min_size=5, max_size=5))
def test_only_the_constants_change(before: list[Any], after: list[Any]) -> None:
    text = "import os\n" + "".join(f"x{i} = {value!r}  # \u00e9 {i}\n" for i, value in enumerate(before))
    values = {f"x{i}": value for i, value in enumerate(after[: len(before)])}
    changed = with_constants(text, values)
    assert {name: ast.literal_eval(nodes[0]) for name, nodes in constants_in(changed).items()} == values
    assert with_constants(changed, {f"x{i}": value for i, value in enumerate(before)}) == text


@given(st.dictionaries(st.sampled_from(["a", "b.c", "b.d", "e.f.g"]), st.integers(), max_size=4))
def test_dotted_names_lead_into_tables(values: dict[str, int]) -> None:
    found = laid_over({"h": 1}, values)
    for name, value in values.items():
        table: Any = found
        for part in name.split("."):
            table = table[part]
        assert table == value
    assert found["h"] == 1


@pytest.mark.parametrize(
    ("words", "run", "said"),
    [
        (["{config:yaml}"], {"config": "bas.yaml"}, r"run.config: 'bas.yaml': there is no such file; did you mean"),
        (["{config:yaml}"], {"config": "bad.json"}, r"run.config: bad.json cannot be read: "),
        (["{config:yaml}"], {"config": "list.yaml"}, r"list.yaml holds no table of settings"),
        (["{config:yaml}"], {"config": "leaf.yaml"}, r"optim.lr leads into optim, which is no table"),
        (["{depth}"], {"config": "base.yaml"}, r"run.config: is a file that the command does not take; .*config:yaml"),
        (["{depth}"], {"values": {"a": 1}}, r"run.values: go into a file of settings or a script's constants"),
        (["{depth}"], {"env": {"A B": "1"}}, r"run.env: has 'A B', which cannot be the name of a variable"),
        (["{depth}"], {"env": {"TUNER_SEED": "1"}}, r"run.env: has 'TUNER_SEED', which cannot be"),
        (["{depth}"], {"env": {"A": "{dept}"}}, r"run.env.A: \{dept\} is neither a parameter"),
        (["{depth}"], {"folder": "mine"}, r"run.folder: 'mine' is not known"),
        (["{depth}"], {"constant": "train.py"}, r"run.constant: unknown key; did you mean 'constants'"),
        (["train.py"], {"constants": "trai.py"}, r"run.constants: 'trai.py' is no word of the command; did you mean"),
        (["train.py"], {"constants": "train.py"}, r"parameters.amp: is no constant of train.py"),
        (["twice.py"], {"constants": "twice.py"}, r"parameters.depth: is given a value 2 times in twice.py"),
        (["bad.json"], {"constants": "bad.json"}, r"'bad.json' is not Python"),
    ],
)
def test_what_cannot_be_started_is_said_before_anything_runs(
    tmp_path: Path, words: list[str], run: dict[str, Any], said: str
) -> None:
    (tmp_path / "base.yaml").write_text("a: 1")
    (tmp_path / "list.yaml").write_text("[1]")
    (tmp_path / "leaf.yaml").write_text("optim: 1")
    (tmp_path / "bad.json").write_text('{"a"')
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "twice.py").write_text("depth = 1\ndepth = 2\n")
    with pytest.raises(StudyError, match=said):
        read_study(asked(tmp_path, words, run), base=tmp_path)


def test_check_shows_what_changes_and_older_studies_stay_what_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.py").write_text("depth = 7\n")
    study = read_study(asked(tmp_path, ["train.py"], {"constants": "train.py"}, depth=[1, 2]), base=tmp_path)
    (tmp_path / "study.toml").write_text(study.to_toml(), encoding="utf-8")
    assert read_study(tmp_path / "study.toml") == study
    ended = Shell(capsys)("check", str(tmp_path / "study.toml"))
    assert ended.code == 0
    assert "# -depth = 7\n# +depth = 1\n" in ended.err
    plain = read_study(asked(tmp_path, ["{depth}"], {}, depth=[1, 2]), base=tmp_path)
    assert "run" not in plain.to_table()
    assert tomllib.loads(plain.to_toml()).keys() >= {"study", "parameters"}


def test_a_function_and_the_core_have_no_such_table(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    own = {"study": {"objective": "train.py:f"}, "parameters": {"x": [1, 2]}, "run": {"folder": "own"}}
    with pytest.raises(StudyError, match=r"run: belongs to a command"):
        read_study(own, base=tmp_path)
    core = {"data": {"source": "sklearn:digits"}, "optimizers": {"adam": {}}, "run": {"folder": "own"}}
    with pytest.raises(StudyError, match=r"run: belongs to an objective of your own"):
        read_study(core, base=tmp_path)
