"""Names mean one thing: no class or type is defined twice, and a package's first lines name all of its modules."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(path for package in ("objectives", "tuner") for path in (ROOT / package).rglob("*.py"))
PACKAGES = sorted(path for path in FILES if path.name == "__init__.py")
TYPE = re.compile(r"[A-Z][a-z]+[A-Za-z]*")  # a class, or an alias of a type


def types_of(path: Path) -> list[str]:
    """The classes of a module, wherever in it, and its aliases of types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    return classes + [target.id for target in targets if isinstance(target, ast.Name) and TYPE.fullmatch(target.id)]


def test_no_type_is_defined_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for name in types_of(path):
            places[name].append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_package_names_its_modules(package: Path) -> None:
    if package.parent.parent == ROOT or package.parent.name == "commands":
        return  # the README lists what the two packages hold; a command's file has its name
    words = set(re.findall(r"\w+", ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""))
    modules = {path.stem for path in package.parent.glob("*.py")} - {"__init__"}
    assert modules - words == set()
