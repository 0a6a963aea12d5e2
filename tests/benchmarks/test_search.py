"""Every row of the tables of searches can be made: on a table of pretended losses, for a few trainings' worth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.benchmarks.search import efficiency
from tests.benchmarks.search.designs import DEFAULT, MAIN, PIECES
from tests.benchmarks.search.efficiency import Design, differences, searched, table
from tests.benchmarks.search.tables import EPOCHS, Results, asked, grid
from tuner.space import space_of

TRAININGS = 12


@pytest.fixture(scope="module")
def bowl() -> Results:
    """Losses that fall to a bowl over the grid, the worst of which diverge."""
    cells = np.array(grid())
    ends = 0.05 + 0.02 * ((cells[:, 1] - 9) ** 2 + (cells[:, 2] - 3) ** 2) + 0.1 * cells[:, 0]
    curves = ends[:, None, None] * (1 + np.exp(-np.arange(EPOCHS) / 6)) + np.array([[0.0], [0.01]])
    curves[ends > 2, :, 5:] = np.inf
    return Results("bowl", curves, (2.3, 2.3), space_of(asked()))


@pytest.mark.parametrize("design", {design.name: design for design in (*MAIN, *PIECES)}.values(), ids=lambda d: d.name)
def test_each_design_pays_for_what_it_finds(design: Design, bowl: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficiency, "results", lambda name: bowl)
    monkeypatch.setattr(efficiency, "BUDGETS", (TRAININGS,))
    found = searched(design, "bowl", seed=0)
    assert found == searched(design, "bowl", seed=0)
    assert all(np.isfinite(bowl.value(one.row, (0, 1))) for one in found)
    assert all(a.spent < b.spent for a, b in pairwise(found))
    assert not found or EPOCHS <= found[0].spent <= found[-1].spent <= TRAININGS * EPOCHS


def test_what_is_kept_follows_the_code_that_searches() -> None:
    names = {path.relative_to(efficiency.TUNER).parts[0].removesuffix(".py") for path in efficiency.searching()}
    assert names == set(efficiency.SEARCHES)


def test_tables_show_medians_means_and_paired_differences() -> None:
    found = {
        "default": np.array([[[1.0] * 5, [2.0] * 5]]),
        "other": np.array([[[2.0] * 4 + [100.0], [4.0] * 4 + [100.0]]]),
    }
    assert list(table(found))[1:] == [
        "| default | 1.50/1.50 | 1.50/1.50 | 1.50/1.50 | 1.50/1.50 | 1.50/1.50 |",
        "| other | 3.00/3.00 | 3.00/3.00 | 3.00/3.00 | 3.00/3.00 | none yet |",
    ]
    (row,) = list(differences(found, DEFAULT.name))[1:]
    assert row == "| other | +1.50 ± 6.35 | +1.50 ± 6.35 | +1.50 ± 6.35 | +1.50 ± 6.35 | none yet |"
