"""What the benchmark of configs handed over measures and how it counts: a tiny study end to end, and made-up cells."""

from __future__ import annotations

import ast
import inspect
import math
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.benchmarks.handed_over import cells, tables
from tests.benchmarks.handed_over.cells import Cell, Form, measure, read, wanted
from tests.benchmarks.handed_over.changes import PIECES, WINDOW, replaced, site
from tests.benchmarks.handed_over.coverage import Covered, lines
from tests.benchmarks.handed_over.divisions import EPOCHS, JUDGES, SEEDS, division_of
from tests.benchmarks.handed_over.figures import Figures, at_trainings, geometric
from tests.benchmarks.handed_over.pieces import shown
from tests.benchmarks.handed_over.registry import (
    CHANGED,
    DEFAULTS,
    KNOWN,
    OURS,
    REFERENCE,
    REFERENCE_BUDGET,
    UNCHANGED,
)
from tests.benchmarks.handed_over.report import report
from tests.benchmarks.handed_over.tables import TABLES

MADE = [name for name in TABLES if name not in tables.SHIPPED and name != "mixed_20000"]


@pytest.mark.parametrize("name", MADE)
def test_tables_are_the_same_every_time(name: str) -> None:
    (x, y), (again, targets) = TABLES[name].make(), TABLES[name].make()
    assert len(x) == len(y)
    assert x.equals(again) if hasattr(x, "equals") else np.array_equal(x, again)
    assert np.array_equal(y, targets)


def test_half_of_the_tables_decide() -> None:
    assert len(TABLES) >= 12
    assert sum(source.chosen_on for source in TABLES.values()) * 2 == len(TABLES)


def test_a_division_keeps_the_held_rows_apart() -> None:
    division = division_of("mixed_300", 1)
    assert not set(division.seen) & set(division.held)
    assert (len(division.seen), len(division.held)) == (210, 90)
    assert (len(division.judged.train), len(division.judged.valid)) == (210, 90)
    first, second = division.splits(2, 0)
    assert (len(first.train), len(first.valid)) == (168, 42)
    assert first.digest != second.digest
    assert division_of("mixed_300", 2).judged.digest != division.judged.digest


def test_a_study_is_measured_end_to_end() -> None:
    cell = measure((OURS, "mixed_300", 0, 4))
    assert not cell.error
    assert len(cell.losses) == 5
    assert 0 < cell.loss < 2
    assert 1 <= cell.epochs <= EPOCHS
    assert cell.trainings > 1
    assert cell.config["optimizer"] in ("sgd", "momentum", "adam", "rmsprop")


@pytest.mark.parametrize("method", [REFERENCE, "default adam", "Optuna TPE x 5"])
def test_rivals_are_measured_the_same_twice(method: str) -> None:
    once, again = measure((method, "iris", 0, 2)), measure((method, "iris", 0, 2))
    assert not once.error
    assert once.losses == again.losses
    assert once.trainings == again.trainings == (0 if method in DEFAULTS else 10)


def test_cells_are_kept_and_cut_lines_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "CACHE", tmp_path)
    form = Form(("iris",), ("default adam",), divisions=2)
    keys = wanted(form)
    assert keys == [("default adam", "iris", 0, 1), ("default adam", "iris", 1, 1)]
    cells.measured(keys, "label", 1)
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_text()
    assert set(read("another label")) == set(keys)
    path.write_text(whole[:-20])
    assert len(read("label")) == 1
    cells.measured(keys, "label", 1)
    assert set(read("label")) == set(keys)


def made_up() -> list[Cell]:
    """Two tables, two divisions: ours at 0.8 and 0.9 of the reference, at 16 trials the same as it."""
    found = []
    for table, share in (("iris", 0.8), ("wine", 0.9)):
        for division in (0, 1):
            base = 1.0 + division
            found += [Cell(name, table, division, 1, (2 * base,) * 5) for name in DEFAULTS]
            found.append(Cell(REFERENCE, table, division, REFERENCE_BUDGET, (base,) * 5, 320, 8.0))
            found.append(Cell(REFERENCE, table, division, 8, (1.5 * base,) * 5, 40, 1.0))
            found.append(Cell(OURS, table, division, 16, (base,) * 5, 40, 0.5))
            found.append(Cell(OURS, table, division, 32, (share * base,) * 5, 160, 2.0))
    return found


def test_figures_follow_from_cells() -> None:
    figures = Figures(made_up(), tuple(DEFAULTS), (REFERENCE, REFERENCE_BUDGET))
    assert figures.ratio(OURS, 32, "iris") == pytest.approx(0.8)
    assert figures.ratio_at(OURS, "iris", 80) == pytest.approx(0.9)
    assert figures.ratio_at(OURS, "iris", 320) == pytest.approx(0.8)
    assert math.isnan(figures.ratio_at(OURS, "iris", 39))
    assert figures.worst(OURS, 32) == (pytest.approx(0.9), "wine")
    assert figures.worse_than_default(OURS, 16) == (0, 4)
    ((low, high, ratio, table, most),) = figures.rises(OURS)
    assert (low, high, table) == (16, 32, "wine")
    assert (ratio, most) == (pytest.approx(math.sqrt(0.72)), pytest.approx(0.9))
    assert figures.in_time(REFERENCE, "iris", 0.5) is None
    assert getattr(figures.in_time(REFERENCE, "iris", 2.0), "budget", None) == 8
    assert geometric([2.0, 8.0]) == pytest.approx(4.0)
    assert at_trainings([(10, 1.0), (1000, 3.0)], 100) == pytest.approx(2.0)


def test_the_report_tells_bars_and_failures() -> None:
    failed = Cell("SMAC3", "iris", 0, 40, error="RuntimeError: cannot be installed: no such Python")
    figures = Figures([*made_up(), failed], tuple(DEFAULTS), (REFERENCE, REFERENCE_BUDGET))
    text = "\n".join(report(figures))
    assert "| ours, 32 trials | 0.849 | 0.800 | 0.900 | 160.0 | 2.0 | 2 |" in text
    assert "| ours, 32 | 0.566 (2) |" in text
    assert "at 320 trainings | 0.849 | <= 0.9 | yes |" in text
    assert "at 40 trainings | 1.000 | <= 0.95 | NO |" in text
    assert "SMAC3: 1 cells could not be measured: RuntimeError: cannot be installed" in text


def test_every_method_has_budgets_that_grow() -> None:
    for method in KNOWN.values():
        assert list(method.budgets) == sorted(set(method.budgets))
        assert set(method.quick) <= set(method.budgets)


def test_coverage_counts_what_intervals_cover() -> None:
    found = [Covered("binary", (0.4, 0.6), (0.51, 0.6), 0.5, 0.7), Covered("binary", (0.4, 0.6), (0.4, 0.6), 0.5, 0.5)]
    shown = lines(found)
    assert "| binary | 2 | shown first | 100.0 % | 50.0 % | 0.400 | +0.000 |" in shown
    assert any("| test | 50.0 % | 50.0 % |" in line for line in shown)


CONSTANTS = sorted({name for piece in PIECES.values() for name in piece.constants})
ROOT = Path(__file__).parents[2]
SOURCES = [path for part in ("tuner", "objectives") for path in (ROOT / part).rglob("*.py")]


def taken_elsewhere(module: ModuleType, attribute: str) -> list[str]:
    """Files that import a name from its module, so that a change there would not reach them."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            own = isinstance(node, ast.ImportFrom) and module.__name__.startswith(node.module or "")
            found += [str(path)] if own and attribute in {alias.name for alias in node.names} else []
    return found


@pytest.mark.parametrize("name", CONSTANTS)
def test_what_a_piece_changes_is_what_is_looked_up(name: str) -> None:
    module, attribute = site(name)
    read = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Name)]
    assert any(node.id == attribute and isinstance(node.ctx, ast.Load) for node in read)
    assert not taken_elsewhere(module, attribute)


@pytest.mark.parametrize("name", PIECES)
def test_a_change_is_undone(name: str) -> None:
    piece = PIECES[name]
    before = {name: getattr(*site(name)) for name in piece.constants}
    with suppress(KeyError), replaced(piece.constants):
        assert all(getattr(*site(name)) is value for name, value in piece.constants.items())
        raise KeyError
    assert all(getattr(*site(name)) is value for name, value in before.items())


def test_a_constant_that_is_gone_is_told_of() -> None:
    gone = {WINDOW: 1, "tuner.study.study:GONE": 1}
    with pytest.raises(AttributeError, match=r"tuner\.study\.study has no 'GONE' any more"), replaced(gone):
        pass
    assert getattr(*site(WINDOW)) == 5


def test_a_piece_is_measured_and_leaves_the_search_as_it_is() -> None:
    before = measure((OURS, "mixed_300", 0, 8))
    changed = measure((f"{OURS}: defaults cut like others", "mixed_300", 0, 8))
    after = measure((UNCHANGED, "mixed_300", 0, 8))
    assert not before.error + changed.error + after.error
    assert (before.epochs, before.config) == (after.epochs, after.config)
    assert (len(before.losses), len(after.losses)) == (SEEDS, 2 * JUDGES)
    assert changed.trainings < before.trainings == after.trainings
    assert measure((f"{OURS}: one split (hold-out)", "mixed_300", 0, 8)).trainings < after.trainings


def test_pieces_are_held_against_the_search_as_it_is() -> None:
    changed = next(name for name in CHANGED if name != UNCHANGED)
    found = [Cell(UNCHANGED, table, d, 32, (2.0,), 10, 1.0) for table in ("iris", "wine") for d in (0, 1)]
    found += [Cell(changed, "iris", d, 32, (loss,), 40, 3.0, epochs=9) for d, loss in enumerate((1.0, 4.0))]
    lines = list(shown(Figures(found, (), (REFERENCE, REFERENCE_BUDGET)), (UNCHANGED, changed)))
    assert "| as it is | 1 |  | 1 |  | 0.0 % (0 of 4) |  | 10.0 |  | 1.0 |  |" in lines
    high = math.exp(12.706 * math.log(2))  # t of one degree; half of the two logarithms' distance is their error
    assert f"| 1.000 [0.000, {high:.0f}" in lines[-2]
    assert lines[-2].endswith(" |  |  |  | 100.0 % (2 of 2) |  | 40.0 |  | 3.0 |  |")
