"""What axes cut off is told by arrows and numbers, never the first of the ranking; many lines carry their names."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.optimizers import OPTIMIZERS
from tests.support.planted_studies import changed_study, trained, written
from tests.tuner.report.test_looks import drawn, named, parts
from tuner.report.charts.axes import Axis, reaching, steps, value_axis
from tuner.report.charts.base import ARROWS, FIRST, goal_axis
from tuner.report.charts.line_names import spread_out
from tuner.report.charts.paths import lowest
from tuner.report.report_data import ReportData
from tuner.report.theme import PALETTE

finite = st.floats(-1e6, 1e6)


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """A study of 32 trials, two of them far above the others, and the best one far below."""
    values = [0.5 + i / 100 for i in range(32)]
    values[3], values[9], values[20] = 1e5, 2e5, 1e-7
    trials = [trained(i, value, lr=0.001 * (1 + i)) for i, value in enumerate(values)]
    home = tmp_path_factory.mktemp("home")
    return ReportData(written(home, trials, [], changed_study(study={"trials": 32})))


@pytest.mark.parametrize("name", ["progress", "progress-time", "sensitivity-lr"])
def test_points_beyond_the_axis_are_arrows_with_their_number(far: ReportData, name: str) -> None:
    figure = named(far)[name]
    every = list(parts(drawn(figure)))
    turned = [one for part in every for one in part.get("condition", []) if one.get("value") == ARROWS["up"]]
    assert len(turned) == 1
    limit = float(turned[0]["test"].partition(" > ")[2])
    assert 0.9 < limit < 1e5
    (axis,) = {str(part["axis"]) for part in every if "\u2191" in str(part.get("axis"))}
    assert '"\u2191 2"' in axis
    assert "2 values beyond the axis are arrows at its edge." in figure.caption
    assert not [one for part in every for one in part.get("condition", []) if one.get("value") == ARROWS["down"]]


@given(st.lists(finite, min_size=1, max_size=40), st.data())
def test_an_axis_reaches_what_it_is_to_reach(values: list[float], data: Any) -> None:
    kept = data.draw(st.lists(st.sampled_from(values), max_size=FIRST))
    axis = reaching(value_axis(values, True), kept, values)
    assert all(axis.low <= value <= axis.high for value in kept if not axis.log or value > 0)
    assert (axis.above, axis.below) == (sum(v > axis.high for v in values), sum(v < axis.low for v in values))


def test_the_first_of_the_ranking_lie_on_every_axis(far: ReportData) -> None:
    values = [trial.value or 0.0 for trial in far.leaders[:FIRST]]
    for name in ("progress", "sensitivity-lr", "optimizers", "curves"):
        (low, high), *others = {
            tuple(part["scale"]["domain"])
            for part in parts(drawn(named(far)[name]))
            if part.get("field") == "value" and "scale" in part
        }
        assert not others
        best = [min(values)] if name == "optimizers" else values  # it draws the best of each optimizer
        assert all(low <= value <= high for value in best), name


def test_a_part_of_the_trials_has_the_axis_of_all_where_it_fills_it(far: ReportData) -> None:
    whole = goal_axis(far)
    assert goal_axis(far, range(32)) == whole
    few = goal_axis(far, [10, 11, 12])
    assert few.length < whole.length / 2
    assert few.beyond == 0


@given(finite, st.floats(1e-3, 1e6))
def test_plain_ticks_are_round_and_few(low: float, span: float) -> None:
    ticks = steps(low, low + span)
    assert 1 <= len(ticks) <= 8
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    gaps = [b - a for a, b in itertools.pairwise(ticks)]
    assert np.allclose(gaps, gaps[0]) if gaps else len(ticks) == 1


def test_a_label_at_an_end_covers_no_other() -> None:
    axis = Axis(False, 0.0, 10.1, above=3).upright("loss")
    assert axis["values"] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.1]
    assert Axis(False, 0.0, 10.1).upright("loss")["tickCount"] == 6


@given(st.lists(st.floats(0, 1), min_size=1, max_size=17))
def test_names_are_spread_out_in_their_order(places: list[float]) -> None:
    gap = 1 / (len(places) + 1)
    moved = spread_out(places, gap)
    order = sorted(range(len(places)), key=places.__getitem__)
    assert all(moved[b] - moved[a] >= gap - 1e-9 for a, b in itertools.pairwise(order))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in moved)
    apart = all(b - a >= gap for a, b in itertools.pairwise(sorted(places)))
    assert not apart or moved == pytest.approx(places)


def test_lines_of_more_optimizers_than_colours_carry_their_names(tmp_path: Path) -> None:
    def texts(count: int) -> list[str]:
        names = [name for name in OPTIMIZERS if name != "newton"][:count]
        trials = [trained(i, 0.3 + i / 100, optimizer=names[i % count]) for i in range(2 * count)]
        study = changed_study(
            study={"trials": len(trials)}, optimizers={name: {} for name in names}, search={"generation_size": 2}
        )
        figure = named(ReportData(written(tmp_path / str(count), trials, [], study)))["optimizers"]
        layers = [layer for layer in figure.chart.layer if "text" in str(layer.mark)]
        return [name for layer in layers for name in layer.data["optimizer"]]

    assert texts(PALETTE) == []
    assert len(texts(PALETTE + 2)) == PALETTE + 2


def test_as_many_paths_are_drawn_as_there_are_colours() -> None:
    import pandas as pd

    ends = [(f"m{i}", value) for i in range(12) for value in (9.0, abs(i - 6) + i / 100)]
    first = lowest(pd.DataFrame(ends, columns=["optimizer", "value"]))
    assert len(first) == PALETTE
    assert first[:3] == ["m6", "m5", "m7"]
