"""Linux, macOS and Windows by construction: nothing that only one of them has is imported before it is needed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.engines import PoolEngine
from tuner.errors import TunerError

ROOT = Path(__file__).parent.parent
FILES = sorted(path for package in ("objectives", "tuner") for path in (ROOT / package).rglob("*.py"))
POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
WINDOWS = {"msvcrt", "winreg", "_winapi"}
# What runs only in workers for other people's code, or keeps one: `PoolEngine` needs process groups.
IN_WORKERS = {
    "tuner/engines/process_worker.py",
    "tuner/engines/supervised.py",
    "tuner/trainables/custom/program_lines.py",
}
ONLY_POSIX = {
    "fork",
    "killpg",
    "setsid",
    "geteuid",
    "getuid",
    "mkfifo",
    "pthread_sigmask",
    "alarm",
    "setitimer",
    "SIGALRM",
}


def first_imports(tree: ast.Module) -> set[str]:
    """Modules that are imported with the module itself: not those inside of functions."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_of_one_system_is_imported_with_a_module(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert not first_imports(tree) & (POSIX | WINDOWS)
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & ONLY_POSIX
    guarded = {name for name in used if f'hasattr(signal, "{name}")' in text or f'hasattr(os, "{name}")' in text}
    assert used == guarded or path.relative_to(ROOT).as_posix() in IN_WORKERS


def test_workers_for_other_peoples_code_are_refused_where_they_could_not_be_ended(monkeypatch) -> None:
    monkeypatch.delattr("os.killpg")
    with pytest.raises(TunerError, match="runs on Linux and macOS alone"):
        PoolEngine(1)


def test_every_text_file_is_opened_as_utf_8() -> None:
    """The default is another one on Windows."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "_text" in text else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                keys = {keyword.arg for keyword in node.keywords}
                texts = {"read_text", "write_text"}
                assert node.func.attr not in texts or "encoding" in keys or len(node.args) > 1, f"{path}:{node.lineno}"


# A Python that has none of what POSIX alone has, as far as it can be taken away after the interpreter has begun.
POORER = f"""
import os, signal, sys
for name in {sorted((POSIX | WINDOWS) - {"posix"})!r}:
    sys.modules[name] = None
for module in (os, signal):
    for name in {sorted((ONLY_POSIX | {"getpgid", "SIGKILL", "SIGHUP", "SIGSTOP"}) - {"fork"})!r}:
        if hasattr(module, name):
            delattr(module, name)
"""
EVERY_MODULE = """
import importlib, importlib.util, pkgutil
import objectives, tuner
handed_out = {"torch": "torch_model", "keras": "keras_model"}  # code for those who have the framework
lacking = {name for name in ("torch", "keras") if importlib.util.find_spec(name) is None}
lacking = set(handed_out) if "torch" in lacking else lacking  # what Keras computes with here
alone = {f"tuner.model.elsewhere.{handed_out[name]}" for name in lacking}
os.environ["KERAS_BACKEND"] = "torch"
for package in (objectives, tuner):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__") and found.name not in alone:
            importlib.import_module(found.name)
            print(found.name)
"""
A_STUDY = """
import tuner
from tests.tuner.api.test_run import small
result = tuner.run(small(), jobs=1, home=sys.argv[1])
print(len(result.ranking()), result.best().confirmed)
result.report(sys.argv[1] + "/report.html")
"""


def without_posix(program: str, *words: str) -> str:
    """What a program prints where neither modules nor functions of POSIX are."""
    ended = subprocess.run(
        [sys.executable, "-c", POORER + program, *words], env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_every_module_can_be_imported_without_posix() -> None:
    assert len(without_posix(EVERY_MODULE).split()) > len(FILES) - 5


@pytest.mark.slow
def test_a_study_runs_and_is_reported_without_posix(tmp_path: Path) -> None:
    assert without_posix(A_STUDY, str(tmp_path)) == "24 True\n"
    assert (tmp_path / "report.html").exists()
