"""Imports run downwards only, and each outside library has its one door."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the bottom up; modules of one row may not import each other. A package stands for all of its modules.
LAYERS = [
    ["objectives.types"],
    ["objectives.buffers", "objectives.errors", "objectives.hyperparameter", "objectives.rng"],
    ["objectives.dropout"],
    ["objectives.full_batch"],
    [
        "objectives.optimizers",
        "objectives.schedules",
        "objectives.losses",
        "objectives.metrics",
        "objectives.models",
        "objectives.surfaces",
    ],
    ["objectives.class_weights"],
    ["objectives.criterion", "objectives.data", "objectives.weight_decay"],
    ["objectives.problem"],
    ["objectives.evaluation"],
    ["objectives.training"],
    ["tuner.drafts", "tuner.enums", "tuner.masking", "tuner.parameter_names", "tuner.placeholders"],
    ["tuner.errors", "tuner.records", "tuner.text", "tuner.docs"],
    ["tuner.urls"],
    ["tuner.optuna_bridge"],
    ["tuner.algorithms", "tuner.best"],
    ["tuner.study"],
    ["tuner.space", "tuner.store"],
    ["tuner.ranking", "tuner.engines"],
    ["tuner.search", "tuner.model"],
    ["tuner.trainables"],
    ["tuner.report"],
    ["tuner.result"],
    ["tuner.orchestrator"],
    ["tuner.api", "tuner.views"],
    ["tuner.sklearn", "tuner.service"],
    ["tuner.cli"],
    ["tuner.__main__"],
]
DOORS = {
    "optuna": {"tuner.optuna_bridge"},
    "torch": {"tuner.optuna_bridge", "tuner.model"},
    "cmaes": {"tuner.algorithms"},
    "joblib": {"tuner.engines"},
    "distributed": {"tuner.engines"},
    "sqlalchemy": {"tuner.store"},
    "pydantic": {"tuner.study"},
    "yaml": {"tuner.study"},
    "optuna_dashboard": {"tuner.api"},
    "starlette": {"tuner.service"},
    "uvicorn": {"tuner.service"},
    "altair": {"tuner.report"},
    "jinja2": {"tuner.report"},
    "vl_convert": {"tuner.report"},
    "click": {"tuner.cli"},
    "rich": {"tuner.cli"},
}
ROOTS = {"objectives", "tuner"}  # the packages themselves: lazy doors to their modules


@cache
def files() -> list[Path]:
    return sorted(path for package in sorted(ROOTS) for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit_of(module: str) -> str | None:
    """The entry of LAYERS that a module belongs to."""
    known = [unit for row in LAYERS for unit in row if module == unit or module.startswith(f"{unit}.")]
    return known[0] if known else None


@cache
def statements(path: Path) -> list[ast.Import | ast.ImportFrom | ast.Assign]:
    """The imports of a file, wherever in it, and the assignments of the module itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [*imports, *(node for node in tree.body if isinstance(node, ast.Assign))]


@cache
def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it; names imported from a package count as its modules."""
    found: set[str] = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def level(unit: str) -> int:
    return next(i for i, row in enumerate(LAYERS) if unit in row)


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_imports_run_downwards(path: Path) -> None:
    module = name_of(path)
    if module in ROOTS:
        return
    unit = unit_of(module)
    assert unit is not None, f"{module} has no place in LAYERS"
    for imported in imports_of(path):
        if imported.split(".")[0] not in ROOTS:
            continue
        target = unit_of(imported)
        if imported.rpartition(".")[0] in ROOTS and target is None:
            continue  # a name of the package itself
        assert target is not None, f"{module} imports {imported}, which has no place in LAYERS"
        assert target == unit or level(target) < level(unit), f"{module} imports {imported}: that is upwards"


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_each_library_has_its_door(path: Path) -> None:
    module = name_of(path)
    for imported in imports_of(path):
        doors = DOORS.get(imported.split(".")[0])
        assert doors is None or unit_of(module) in doors, f"{module} imports {imported}: only {doors} may"


def test_objectives_stands_alone() -> None:
    for path in files():
        if name_of(path).split(".")[0] == "objectives":
            assert not {i for i in imports_of(path) if i.split(".")[0] in {"tuner", "optuna", "joblib"}}, path


@cache
def offered(path: Path) -> set[str] | None:
    """The names of a module's `__all__`; None where it has none."""
    for node in statements(path):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


@cache
def modules_by_name() -> dict[str, Path]:
    return {name_of(path): path for path in files()}


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_names_are_taken_from_where_they_are_offered(path: Path) -> None:
    modules = modules_by_name()
    for node in statements(path):
        if isinstance(node, ast.ImportFrom) and node.module in modules and node.module not in ROOTS:
            taken = {alias.name for alias in node.names if f"{node.module}.{alias.name}" not in modules}
            missing = taken - (offered(modules[node.module]) or set())
            assert not missing, f"{name_of(path)} takes {missing} from {node.module}, whose __all__ does not have it"
