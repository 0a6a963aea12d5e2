"""The README tells the truth: its study file loads, its Python runs, its commands are all there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import tuner
from tuner.cli.program import program
from tuner.study.custom import RUN

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_study_file_is_a_study(tmp_path: Path) -> None:
    text = blocks("toml")[0]
    file = tmp_path / "digits.toml"
    file.write_text(text, encoding="utf-8")
    study = tuner.read_study(file)
    assert (study.name, study.trials) == ("digits", 128)


def test_what_a_study_of_ones_own_code_may_say_is_read_and_complete(tmp_path: Path) -> None:
    (text,) = [block for block in blocks("toml") if "[workers]" in block]
    study = tuner.read_study(tomllib.loads(text), base=tmp_path)
    assert study.own is not None
    assert study.workers.devices == ("cuda:0", "cuda:1")
    own = README[README.index("## Your own training code") :]
    assert {f"{{{name}}}" for name in RUN} <= set(re.findall(r"`(\{\w+\})`", own))
    tuner.read_study({"study": {"objective": "json:loads", "batched": 8}, "parameters": {"x": [1, 2]}})


@pytest.mark.slow
def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    assert names["outcome"].curves["valid_loss"].shape == (1, 3, 20)  # type: ignore[attr-defined]
    assert names["best"].confirmed  # type: ignore[attr-defined]


def test_every_command_is_in_the_table() -> None:
    listed = set(re.findall(r"`tuner ([a-z]+)", README[README.index("## Commands") :]))
    assert listed == set(program.commands)


def test_the_two_commands_are_written_as_the_gate_reads_them() -> None:
    first, second = re.findall(r"^\d\. `(.*)`$", README, flags=re.MULTILINE)
    assert first.endswith(".venv/bin/tuner run studies/digits.toml")
    assert second.endswith(".venv/bin/pip install -e '.[test]' && .venv/bin/pytest")
