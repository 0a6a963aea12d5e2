"""The packages as others meet them: what they export, what importing them costs, whose names they hold."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import objectives
import tuner

ROOT = Path(__file__).parent.parent


def python(code: str, cwd: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": ":".join(map(str, paths)), "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("package", [objectives, tuner], ids=["objectives", "tuner"])
def test_every_exported_name_is_there(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    for name in names:
        assert getattr(package, name) is not None


def test_what_is_exported_is_listed_before_it_is_imported() -> None:
    done = python("import tuner; print(*(name for name in dir(tuner) if name[0] != '_'))", ROOT, ROOT)
    assert (done.stdout.split(), done.stderr) == (sorted(tuner.__all__), "")


def test_the_package_knows_its_version() -> None:
    assert tuner.__version__ == version("tuner")
    assert "__version__" in dir(tuner)


@pytest.mark.parametrize("package", [objectives, tuner], ids=["objectives", "tuner"])
def test_unknown_names_are_attribute_errors(package: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        package.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_load_best_needs_the_standard_library_alone() -> None:
    code = "import sys, tuner; tuner.load_best; print(*{m.split('.')[0] for m in sys.modules})"
    done = python(code, ROOT, ROOT)
    assert done.returncode == 0, done.stderr
    foreign = {"numpy", "pandas", "optuna", "pydantic", "sqlalchemy", "joblib", "sklearn", "click", "rich", "tomli_w"}
    assert not foreign & set(done.stdout.split())


def test_a_foreign_objectives_is_named(tmp_path: Path) -> None:
    (tmp_path / "objectives.py").write_text("")
    done = python("import tuner", tmp_path, tmp_path, ROOT)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: tuner needs its own package 'objectives'")
    assert str(tmp_path / "objectives.py") in last
    assert last.endswith("rename that module, or run from another directory")


USER = """
import tuner
from objectives import Model, load_table

try:
    result = tuner.run("study.toml", jobs=2)
except tuner.StudyError as error:
    code: int = error.exit_code
best: tuner.Best = tuner.load_best("runs/digits")
epochs: int = best.epochs
opened: tuner.Result = tuner.open("digits")
model = Model(hidden=(64,))
wrong: str = best.epochs
tuner.run(5)
model.nonsense
"""


@pytest.mark.slow
def test_type_checkers_know_what_is_exported(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is of the test extra")
    (tmp_path / "user.py").write_text(USER, encoding="utf-8")
    words = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--ignore-missing-imports", "user.py"]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True)
    kinds = [line.partition(": error: ")[2] for line in done.stdout.splitlines() if ": error: " in line]
    assert [kind.rpartition("[")[2] for kind in kinds] == ["assignment]", "arg-type]", "attr-defined]"], done.stdout


@pytest.mark.parametrize("package", [objectives, tuner], ids=["objectives", "tuner"])
def test_type_checkers_see_the_names_that_are_served(package: object) -> None:
    """What `__getattr__` serves is what type checkers see imported, name by name; the package says that it is typed."""
    path = Path(package.__file__)  # type: ignore[attr-defined]
    assert (path.parent / "py.typed").is_file()
    typed = next(node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = package._HOMES  # type: ignore[attr-defined]
    served = {name: home if isinstance(home, tuple) else (f"objectives.{home}", name) for name, home in homes.items()}
    assert seen == served
    assert list(homes) == package.__all__  # type: ignore[attr-defined]
