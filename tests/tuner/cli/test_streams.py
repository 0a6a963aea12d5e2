"""A command does its work and says its exit code, whatever became of its standard streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import made_up

ROOT = Path(__file__).parents[3]
STUDY = """
[study]
name = "tiny"
trials = 2
[data]
source = "sklearn:iris"
[train]
epochs = 1
[optimizers.sgd]
[search]
generation_size = 2
[confirm]
enabled = false
"""


def ran(line: str, folder: Path) -> int:
    """Run a shell line, in which `tuner` is the command; returns its exit code."""
    script = f'tuner() {{ "{sys.executable}" -m tuner "$@"; }}; {line}'
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environment, check=False, timeout=120).returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a study file and a study."""
    (tmp_path / "tiny.toml").write_text(STUDY, encoding="utf-8")
    made_up(tmp_path / "runs")
    return tmp_path


CLOSED = ["0<&-", "2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-"]
FULL = [] if not Path("/dev/full").exists() else ["2>/dev/full", "0<&- 2>/dev/full"]


@pytest.mark.parametrize("streams", [*CLOSED, *FULL])
@pytest.mark.parametrize(
    ("line", "code"),
    [("tuner top small", 0), ("tuner top none", 2), ("tuner --debug top none", 2), ("tuner rm small", 2)],
)
def test_streams_that_are_gone_or_full_change_no_exit_code(line: str, code: int, streams: str, folder: Path) -> None:
    assert ran(f"{line} {streams} | cat >/dev/null; exit ${{PIPESTATUS[0]}}", folder) == code


@pytest.mark.slow
@pytest.mark.parametrize("streams", ["0<&- 1>&- 2>&-", *FULL[:1]])
def test_a_study_runs_to_its_end_without_streams(streams: str, folder: Path) -> None:
    assert ran(f"tuner run tiny.toml -j 2 {streams}", folder) == 0
    assert (folder / "runs" / "tiny" / "best.toml").exists()


@pytest.mark.skipif(not FULL, reason="there is no /dev/full here")
def test_results_that_cannot_be_written_are_a_failure(folder: Path) -> None:
    assert ran("tuner top small >/dev/full 2>/dev/null", folder) == 1
