"""What a machine has for studies: every optional part with what it is for, and the line that installs it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.command import Shell
from tuner.api import system
from tuner.api.system import PARTS, system_parts

ROOT = Path(__file__).parents[3]


def test_each_part_says_what_it_is_for_and_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "installed", lambda package: "1.2" if package == "torch" else "")
    found = {name: (state, detail) for name, state, detail in system_parts(tmp_path / "not" / "yet")}
    assert {"python", "processor", "blas", "numpy", "processors", "home"} <= set(found)
    assert found["torch"][0] == "ok"
    assert found["torch"][1].startswith("1.2, for ")
    assert found["distributed"] == ("missing", 'for run --cluster: pip install "tuner[cluster]"')
    assert "GiB free in" in found["home"][1]


def test_the_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for package, (_, line) in PARTS.items():
        extra = line.removeprefix("tuner[").removesuffix("]")
        assert line == package or any(one.startswith(package) for one in extras[extra])


def test_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "LOW", 2**80)
    assert system.disk(tmp_path)[1] == "low"


def test_the_command_takes_a_study_or_the_system(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shell = Shell(capsys)
    ended = shell("doctor", "--system", "--home", tmp_path)
    assert ended.code == 0
    assert ended.out.splitlines()[1].startswith("python ")
    for args in (("doctor",), ("doctor", "x", "--system"), ("doctor", "--system", "--recover")):
        ended = shell(*args)
        assert (ended.code, ended.out) == (2, "")
        assert "name a STUDY, or ask for --system alone" in ended.err
