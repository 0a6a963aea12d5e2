"""What a study, a data file or a terminal must not be able to do."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

import tuner
from objectives.errors import InvalidInput
from tests.support.command import Shell, made_up
from tests.tuner.api.test_run import small
from tuner.errors import TunerError
from tuner.orchestrator.artifacts import best_text
from tuner.ranking.table import csv_text
from tuner.result import Result
from tuner.views.sheet import Sheet, formatted

ROOT = Path(__file__).parents[3]
FILES = sorted(path for package in ("objectives", "tuner") for path in (ROOT / package).rglob("*.py"))
# Names that run what they read. Between this process and its own workers pickles travel, and nowhere else.
LOADERS = re.compile(
    r"^(pickle|joblib|cloudpickle|dill|marshal|shelve|torch)\.(load|loads|Unpickler|open)$|^(eval|exec)$|read_pickle$"
)
# In tuner/sklearn/folds.py by way of a folder of its own that lives as long as one search.
WITH_WORKERS = {"tuner/engines/retry_queue.py", "tuner/engines/loky_worker.py", "tuner/sklearn/folds.py"}
# An objective that the user named is run anyhow: these are the statements of its own script.
ASKED_FOR = {"tuner/trainables/optuna_script/main_block.py"}
WRITTEN_HERE = {"tuner/best/source.py"}  # text that it wrote itself, of checked values
SERVICE = "tuner/service/web.py"  # which `tuner serve` opens, and no other command
EVIL = "\x1b[31mred\x1b]0;title\x07\r\x08\u202egnp\u2066"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_runs_what_it_reads_is_called(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call | ast.Attribute):
            continue
        called = ast.unparse(node.func if isinstance(node, ast.Call) else node)
        assert name in WITH_WORKERS | WRITTEN_HERE | ASKED_FOR or not LOADERS.search(called), (
            f"{name}:{node.lineno} {called}"
        )
        if isinstance(node, ast.Call):
            pickles = [k.value for k in node.keywords if k.arg == "allow_pickle"]
            assert all(isinstance(value, ast.Constant) and value.value is False for value in pickles)
            assert not called.endswith("np.load") or pickles, f"{name}:{node.lineno}: np.load may unpickle"
        listens = called.endswith((".listen", ".bind", "HTTPServer", "start_server"))
        assert name == SERVICE or not listens, f"{name}:{node.lineno} listens"


def test_only_run_imports_the_users_code(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "theirs", raising=False)
    (tmp_path / "theirs.py").write_text(
        "from pathlib import Path\nPath('imported').touch()\n"
        "from sklearn.datasets import load_iris\ndef load():\n    return load_iris(return_X_y=True)\n"
    )
    study = small(trials=8) | {"data": {"source": "theirs:load"}}
    (tmp_path / "small.toml").write_text(tuner.read_study(study).to_toml())
    assert shell("check", "small.toml").code == 0
    assert not (tmp_path / "imported").exists()
    assert shell("run", "small.toml", "--no-confirm").code == 0
    (tmp_path / "imported").unlink()
    sys.modules.pop("theirs")
    looks = "list; show small; show small/0; top small; best small; export small; doctor small; report small"
    for words in looks.split("; "):
        assert shell(*shlex.split(words)).code == 0, words
    assert not (tmp_path / "imported").exists()
    assert "theirs" not in sys.modules


@pytest.mark.skipif(not hasattr(psutil.Process, "net_connections"), reason="psutil cannot tell sockets here")
def test_nothing_listens_while_a_study_runs(tmp_path: Path) -> None:
    study = small(trials=100_000)
    (tmp_path / "small.toml").write_text(tuner.read_study(study).to_toml())
    command = [sys.executable, "-m", "tuner", "run", "small.toml", "-j", "2", "--no-confirm"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"\d+/100000 trials", line):
                break
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        found = [connection for one in family for connection in one.net_connections("inet")]
        process.kill()
        process.stderr.close()
    assert len(family) >= 3
    assert found == []


def test_text_of_a_study_cannot_steer_a_terminal(tmp_path: Path, shell: Shell) -> None:
    made_up(tmp_path, error=f"ValueError: {EVIL}")
    looks = "show small; show small/5; top small; list; best small; export small -f table; doctor small"
    for words in looks.split("; "):
        ended = shell(*shlex.split(words), "--home", tmp_path)
        assert not set(ended.out + ended.err) & {*EVIL} - {*map(chr, range(32, 127)), "\n"}, words
    assert "red" in shell("show", "small/5", "--home", tmp_path).out
    missing = shell("show", f"none{EVIL}", "--home", tmp_path)
    assert "\x1b" not in missing.err


@pytest.mark.parametrize("start", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)"])
def test_a_cell_of_a_csv_is_no_formula(start: str) -> None:
    assert formatted(Sheet(("a", "b"), ((start, 1.5),)), "csv").splitlines()[1] == f"'{start},1.5"
    assert csv_text(pd.DataFrame({"a": [start], "b": [1.5]})).splitlines()[1] == f"'{start},1.5"


@pytest.mark.parametrize("key", ["study", "optimizer", "activation", "model", "lr", "schedule", "init", "hidden"])
def test_a_config_of_anybodys_is_no_code(key: str, tmp_path: Path) -> None:
    """Exporters run text that they write from a config: whatever a best.toml says, it stays a value or is refused."""
    text = best_text(Result(made_up(tmp_path)).best())
    value = json.dumps("x\n__import__('os').abort()\n")
    line = f"{key} = {f'[{value}]' if key == 'hidden' else value}"
    changed = re.sub(rf"^{key} = .*$", lambda found: line, text, flags=re.MULTILINE)
    assert changed != text
    (tmp_path / "best.toml").write_text(changed, encoding="utf-8")
    for framework in ("torch", "keras", "optax", "sklearn"):
        with suppress(InvalidInput, TunerError):
            source = tuner.load_best(tmp_path / "best.toml").to_code(framework)
            names = [node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
            assert "__import__" not in names


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "..", "", "x\0", "con", "-x", "x."])
def test_a_name_stays_in_its_home(name: str, tmp_path: Path, shell: Shell) -> None:
    (tmp_path / "s.toml").write_text('[data]\nsource = "sklearn:iris"\n[optimizers.sgd]\n')
    ended = shell("run", tmp_path / "s.toml", "--home", tmp_path / "runs", f"--name={name}")
    assert ended.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_a_ledger_is_its_owners_alone(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("permissions are those of POSIX")
    assert made_up(tmp_path).ledger.stat().st_mode & 0o077 == 0
