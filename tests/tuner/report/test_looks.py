"""What keeps charts readable: legends, bands, ticks, axes and words, as the specification has them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from objectives.optimizers import OPTIMIZERS
from tests.support.planted_studies import (
    FACTS,
    changed_study,
    confirmations,
    pruned,
    reconfigured,
    sound,
    trained,
    written,
)
from tuner.ranking.retrainings import REPORTING
from tuner.records import ConfirmationRun
from tuner.report import sections
from tuner.report.charts import Figure, figures
from tuner.report.charts.axes import DEEP, powers, value_axis, whole
from tuner.report.charts.optimizers import BANDS
from tuner.report.charts.progress import LEADERS, MOST_POINTS, spent
from tuner.report.charts.time import MOST_TICKS
from tuner.report.contours import joined
from tuner.report.report_data import ReportData
from tuner.report.summary_cards import summary_cards
from tuner.report.theme import DARK, LIGHT
from tuner.result import Result


def named(frames: ReportData) -> dict[str, Figure]:
    """Every figure by its name."""
    return {figure.name: figure for own in figures(frames).values() for figure in own}


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a specification."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from parts(one)


def drawn(figure: Figure) -> dict[str, Any]:
    """A figure's specification without its data."""
    document: dict[str, Any] = figure.chart.to_dict(validate=False)
    return {name: value for name, value in document.items() if name != "datasets"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """Every optimizer there is, four trials each; methods that take all rows have no batch size."""
    names = list(OPTIMIZERS)
    trials = [trained(i, 0.3 + i / 100, optimizer=names[i % len(names)]) for i in range(4 * len(names))]
    trials = [reconfigured(t, batch_size=None) if t.config["optimizer"] == "newton" else t for t in trials]
    study = changed_study(
        study={"trials": len(trials)},
        model={"kind": "linear"},
        train={"batch_size": [16, 32]},
        optimizers={name: {} for name in names},
    )
    return ReportData(written(tmp_path_factory.mktemp("home"), trials, [], study))


def test_a_legend_lists_what_its_chart_draws(varied: Result, many: ReportData) -> None:
    own = named(ReportData(varied))
    assert own["progress"].optimizers == ("momentum", "adam")
    assert own["sensitivity-beta1"].optimizers == ("adam",)
    assert len(named(many)["curves"].optimizers) <= 5
    for figure in (*own.values(), *named(many).values()):
        if figure.optimizers:
            legends = [
                part["legend"]["values"] for part in parts(drawn(figure)) if "values" in (part.get("legend") or {})
            ]
            assert all(names == list(figure.optimizers) for names in legends if "constant" not in names), figure.name


def test_few_bands_are_drawn_and_named(many: ReportData) -> None:
    figure = named(many)["optimizers"]
    tests = [str(part["test"]) for part in parts(drawn(figure)) if "indexof(" in str(part.get("test"))]
    assert len(tests) == 1
    shown = [name for name in OPTIMIZERS if f'"{name}"' in tests[0]]
    assert len(shown) == BANDS
    assert all(name in figure.caption for name in shown)


def test_ends_of_many_ranges_wait_to_be_chosen(varied: Result, many: ReportData) -> None:
    assert "Choose an optimizer" in named(many)["sensitivity-lr"].caption
    assert "Dashed rules are the ends of the range" in named(ReportData(varied))["sensitivity-lr"].caption


def test_trials_without_a_parameter_are_left_out_and_counted(many: ReportData) -> None:
    figure = named(many)["sensitivity-batch_size"]
    assert "Left out: 4 trials without batch_size." in figure.caption
    for layer in drawn(figure)["layer"]:
        assert any('isValid(datum["batch_size"])' in str(one.get("filter")) for one in layer["transform"])
    assert "newton" not in figure.optimizers


def test_a_chart_without_complete_trials_has_no_legend(tmp_path: Path) -> None:
    frames = ReportData(written(tmp_path, [pruned(trial) for trial in sound()[:8]], []))
    figure = named(frames)["curves"]
    assert figure.optimizers == ()
    assert [part["legend"] for part in parts(drawn(figure)) if part.get("legend")] == []


def test_ticks_are_few(tmp_path: Path) -> None:
    trials = [replace(trained(i, 0.3 + i / 1000), epochs=1 + i % 50) for i in range(16 * 50)]
    frames = ReportData(written(tmp_path, trials, [], changed_study(study={"trials": len(trials)})))
    own = named(frames)
    for name in ("time", "time-generations"):
        values = [part["axis"]["values"] for part in parts(drawn(own[name])) if "values" in (part.get("axis") or {})]
        assert values
        assert all(len(ticks) <= MOST_TICKS for ticks in values)


def test_bars_are_as_wide_alone_as_in_a_column(varied: Result) -> None:
    for name in ("time", "time-generations"):
        text = str(drawn(named(ReportData(varied))[name]))
        assert "bandwidth(" not in text  # a scale has another name among charts below each other


def test_shares_have_five_ticks(varied: Result) -> None:
    axes = [part["axis"] for part in parts(drawn(named(ReportData(varied))["importance"])) if "axis" in part]
    assert [0, 0.25, 0.5, 0.75, 1] in [axis.get("values") for axis in axes if axis]


def test_progress_over_time_draws_trials_the_best_among_them(tmp_path: Path) -> None:
    trials = [trained(i, 1 + ((i * 7919) % 3001) / 3001) for i in range(3001)]
    frames = ReportData(written(tmp_path, trials, [], changed_study(study={"trials": len(trials)})))
    data = spent(frames)
    assert len(data) == MOST_POINTS
    assert {trial.number for trial in frames.leaders[:LEADERS]} <= set(data["trial"])
    assert list(data["spent"]) == pytest.approx([0.01 * (number + 1) for number in data["trial"]])
    assert (
        f"{len(trials) - MOST_POINTS:,} trials left out, evenly but for the best 20."
        in named(frames)["progress-time"].caption
    )


def test_crosses_lie_at_the_edge_where_bad_values_are(tmp_path: Path) -> None:
    study = changed_study(study={"maximize": "valid_accuracy"})
    trials = [replace(trial, value=trial.metrics["valid_accuracy"]) for trial in sound()]
    figure = named(ReportData(written(tmp_path, trials, [], study)))["progress"]
    edges = [part["value"] for part in parts(drawn(figure)) if part.get("value") == {"expr": "height - 4"}]
    assert edges  # of the plot, however high the page makes it


def reported(home: Path) -> ReportData:
    """A sound study whose best is confirmed on ranking seeds and on reporting seeds."""
    rows = confirmations(sound())
    best = min(rows, key=lambda row: row.metrics["valid_loss"]).trial
    more = [
        ConfirmationRun(best, REPORTING + r, 15, {"valid_loss": 0.5 + r / 100, "test_loss": 0.5}, 0.01, "complete")
        for r in range(1, 6)
    ]
    return ReportData(written(home, sound(), [*rows, *more], facts=FACTS))


def test_two_intervals_of_one_trial_say_whose_seeds_they_are(tmp_path: Path) -> None:
    frames = reported(tmp_path)
    config = sections.best_config(frames)
    assert config is not None
    assert config["results"]["columns"] == ["metric", "final", "check", "search"]
    row = config["results"]["rows"][0]
    assert row[0] == "valid_loss"
    assert row[1].startswith("0.53 [")
    assert row[2].startswith("0.3")
    assert "final values are of seeds that chose nothing" in config["results"]["note"]
    top = summary_cards(frames, [])
    assert top is not None
    assert "on 5 fresh splits that chose nothing" in top["cards"][0]["note"]
    assert "seeds that chose nothing" in named(frames)["confirmation"].caption
    alone = ReportData(written(tmp_path / "alone", sound()))
    config = sections.best_config(alone)
    assert config is not None
    assert config["results"]["columns"] == ["metric", "check", "search"]
    assert "final" not in named(alone)["confirmation"].caption


def test_a_table_without_scripts_says_what_is_tied(tmp_path: Path) -> None:
    frames = ReportData(written(tmp_path, sound(), []))
    ties = pd.array([1] * 3 + [None] * (len(frames.trials) - 3), dtype=frames.trials["tie"].dtype)
    vars(frames)["trials"] = frames.trials.assign(tie=ties)
    assert [row[0] for row in sections.table(frames)["rows"][:4]] == ["1", "1=", "1=", "4"]


@example([2.0] * 4 + [3.0] + [2.0**-8] * 5, 1)
@given(st.lists(st.floats(1e-3, 10), min_size=10, max_size=60), st.integers(1, 3))
def test_the_deepest_values_do_not_squeeze_the_others(values: list[float], deep: int) -> None:
    lost = [1e-30 / (i + 1) for i in range(min(deep, len(values) // 10))]
    axis = value_axis([*values, *lost], True)
    assert axis.low <= min(values)
    if lost and axis.log:
        middle = float(np.median(np.log10([*values, *lost])))
        assert axis.low >= 10 ** (middle - DEEP - 1)  # a decade at most is room beside the last value
        assert axis.beyond >= len(lost)


@given(st.floats(1e-6, 1e6), st.floats(1.001, 4.9))
def test_a_short_range_has_ticks(low: float, factor: float) -> None:
    ticks = powers(low, low * factor)
    assert len(ticks) >= 2
    assert all(low <= tick <= low * factor for tick in ticks)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(2, 20))
def test_whole_ticks_are_round_and_few(low: int, span: int, most: int) -> None:
    ticks = whole(low, low + span, most)
    steps = {b - a for a, b in itertools.pairwise(ticks)}
    assert len(ticks) <= most
    assert len(steps) <= 1
    assert all(low <= tick <= low + span for tick in ticks)
    assert all(str(step).rstrip("0") in ("1", "2", "5") for step in steps)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30))
def test_joined_lines_have_every_piece_once(ends: list[tuple[int, int]]) -> None:
    pieces = [(float(a), float(b)) for a, b in ends]
    segments = np.array([[(a, 0.0), (b, 1.0)] for a, b in pieces])
    lines = joined(segments)
    found = [frozenset(pair) for line in lines for pair in itertools.pairwise(line)]
    assert sorted(map(sorted, found)) == sorted(sorted({(a, 0.0), (b, 1.0)}) for a, b in pieces)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_mark_is_seen_on_its_ground(theme: Any) -> None:
    def light(colour: str) -> float:
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    def contrast(a: str, b: str) -> float:
        high, low = sorted([light(a), light(b)], reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert contrast(theme.text, theme.ground) >= 7
    assert contrast(theme.soft, theme.ground) >= 4.5
    assert min(contrast(colour, theme.ground) for colour in (theme.bad, theme.mute)) >= 2.4
    assert min(contrast(colour, theme.ground) for colour in theme.series) >= 2.2
    steps = [contrast(colour, theme.ground) for colour in theme.heat]
    assert steps == sorted(steps)  # stronger is better
    assert steps[0] >= 1.4


def test_charts_below_each_other_keep_their_legends(varied: Result) -> None:
    document = varied.chart("sensitivity").to_dict()
    assert document["resolve"]["scale"]["color"] == "independent"
    scales = [part.get("scale") for part in parts(document["vconcat"]) if part.get("field") == "optimizer"]
    assert {"domain": ["momentum", "adam"], "range": "category"} in scales  # with the same colours in all
