"""Charts as data: what they are drawn from, on which scales, and what their words say is hidden."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tuner
from objectives.optimizers import OPTIMIZERS
from tests.support.command import Shell
from tests.support.planted_studies import changed_study, confirmations, pruned, reconfigured, sound, trained, written
from tuner.records import Trial
from tuner.report.budgets import best_of, chances, distribution
from tuner.report.charts import CHARTS, figures
from tuner.report.charts.axes import powers, value_axis
from tuner.report.charts.base import goal_axis
from tuner.report.charts.curves import MOST_CURVES, chosen
from tuner.report.charts.progress import best_so_far
from tuner.report.charts.sensitivity import edges, envelope
from tuner.report.charts.style import key
from tuner.report.charts.workers import idle, joined, runs, tasks
from tuner.report.parameters import place, value_at
from tuner.report.report_data import ReportData, thinned
from tuner.report.theme import DARK, LIGHT, PALETTE
from tuner.report.vega_data import columns_of, rows_of
from tuner.result import Result
from tuner.study import Range


@pytest.mark.parametrize(("m", "n"), [(m, n) for m in range(1, 7) for n in range(1, m + 1)])
def test_the_best_of_n_is_counted(m: int, n: int) -> None:
    draws = list(itertools.combinations(range(m), n))
    counted = [sum(min(draw) <= i for draw in draws) / len(draws) for i in range(m)]
    np.testing.assert_allclose(distribution(m, n), counted, atol=1e-12)


def test_tuning_curves_fall_and_end_at_the_best(varied: Result) -> None:
    frames = ReportData(varied)
    for name in frames.optimizers:
        curve = best_of(frames, name)
        assert (np.diff(curve["value"].dropna()) <= 0).all()
        known = [trial.value for trial in frames.own(name) if trial.value is not None]
        assert curve["value"].iloc[-1] == min(known)
        assert (curve["low"] <= curve["value"]).all() or curve["value"].isna().any()
    assert sum(chances(frames).values()) == pytest.approx(1)


def test_chances_are_even_for_equals_and_not_for_others(tmp_path: Path) -> None:
    even = [trained(i, 0.5 + (i // 2) / 100) for i in range(64)]
    assert chances(ReportData(written(tmp_path / "a", even)))["adam"] == pytest.approx(0.5)
    apart = [trained(i, 0.5 + (i % 2) + i / 1000) for i in range(64)]
    assert chances(ReportData(written(tmp_path / "b", apart)))["momentum"] == pytest.approx(1)


def test_the_best_so_far_never_rises(varied: Result) -> None:
    best = best_so_far(ReportData(varied))
    assert (np.diff(best["value"].dropna()) <= 0).all()
    assert best["value"].iloc[-1] == min(t.value for t in varied.all_trials if t.state == "complete" and t.value)
    assert best["spent"].iloc[-1] == pytest.approx(sum(trial.seconds for trial in varied.all_trials))


def test_sensitivity_shows_ranges_and_the_best_of_each_part(varied: Result) -> None:
    frames = ReportData(varied)
    ends = edges(frames, "lr").set_index(["optimizer", "end"])["lr"]
    assert (ends["momentum", "low"], ends["momentum", "high"]) == (1e-4, 3.0)


def test_a_line_needs_five_trials_trained_to_the_end_in_an_eighth_of_the_range(tmp_path: Path) -> None:
    def at(share: float, count: int, first: int, value: float) -> list[Trial]:
        rate = 10 ** (-4 + share * np.log10(3e4))
        return [trained(first + i, value + i / 100, lr=rate, optimizer="momentum") for i in range(count)]

    trials = [*at(0.1, 5, 0, 0.5), *at(0.4, 4, 5, 0.4), *at(0.7, 6, 9, 0.3)]
    trials.append(replace(pruned(trained(15, 0.01, lr=trials[5].config["lr"], optimizer="momentum")), value=0.01))
    best = envelope(ReportData(written(tmp_path, trials, [])), "lr")
    assert best["best"].tolist() == [0.5, 0.3]
    assert best["value"].tolist() == pytest.approx([0.51, 0.3125])
    assert best["middle"].tolist() == pytest.approx([0.52, 0.325])


def test_axes_are_those_that_are_searched(varied: Result) -> None:
    found = figures(ReportData(varied))["sensitivity"]
    by_name = {figure.name: figure.chart.to_dict(validate=False) for figure in found}
    uneven = {figure.name for figure in found if "Equal epochs give small batches more steps: " in figure.caption}
    assert uneven == {"sensitivity-batch_size"}
    assert list(by_name) == ["sensitivity-lr", "sensitivity-momentum", "sensitivity-beta1", "sensitivity-batch_size"]
    axis = by_name["sensitivity-lr"]["layer"][0]["encoding"]["x"]
    assert (axis["scale"]["type"], axis["axis"]["title"]) == ("log", "lr, logarithmic")
    assert by_name["sensitivity-momentum"]["layer"][0]["encoding"]["x"]["field"] == "1 - momentum"
    assert by_name["sensitivity-batch_size"]["layer"][0]["encoding"]["x"]["type"] == "nominal"


def test_an_optimizer_has_one_colour_everywhere(varied: Result) -> None:
    every = [figure for own in figures(ReportData(varied)).values() for figure in own if figure.optimizers]
    assert len(every) >= 8
    for figure in every:
        found = looks(figure.chart.to_dict(validate=False), "color")
        assert found
        assert all(scale == {"domain": ["momentum", "adam"], "range": "category"} for scale in found), figure.name


def looks(node: Any, channel: str) -> list[Any]:
    """The scales of an optimizer's channel, wherever in a specification."""
    if isinstance(node, list):
        return [one for part in node for one in looks(part, channel)]
    if not isinstance(node, dict):
        return []
    own = node.get("encoding", {}).get(channel, {})
    found = [own["scale"]] if own.get("field") == "optimizer" else []
    return found + [one for part in node.values() for one in looks(part, channel)]


def test_seventeen_optimizers_are_told_apart(tmp_path: Path) -> None:
    names = list(OPTIMIZERS)
    trials = [trained(i, 0.3 + i / 100, optimizer=names[i % len(names)]) for i in range(4 * len(names))]
    linear, own = {"kind": "linear"}, {name: {} for name in names}
    study = changed_study(study={"trials": len(trials)}, model=linear, optimizers=own)
    frames = ReportData(written(tmp_path, trials, [], study))
    assert len(names) > 2 * PALETTE
    for figure in (one for own in figures(frames).values() for one in own if one.optimizers):
        document = figure.chart.to_dict(validate=False)
        seconds = [scale["range"] for channel in ("shape", "strokeDash") for scale in looks(document, channel)]
        assert seconds, figure.name
        for second in seconds:
            pairs = [(i % PALETTE, str(look)) for i, look in enumerate(second)]
            assert len(set(pairs)) == len(names), figure.name
    assert len({tuple(key(i).values()) for i in range(len(names))}) == len(names)


def test_many_curves_are_thinned_and_the_caption_says_so(tmp_path: Path) -> None:
    many = [trained(i, 0.3 + i / 1000) for i in range(MOST_CURVES + 50)]
    study = changed_study(study={"trials": len(many)})
    frames = ReportData(written(tmp_path, many, study=study))
    assert len(chosen(frames)) == MOST_CURVES
    assert {trial.number for trial in frames.leaders[:5]} <= set(chosen(frames))
    assert "50 curves left out, evenly." in figures(frames)["curves"][0].caption


def test_time_leaves_pauses_out(tmp_path: Path, varied: Result) -> None:
    timed = runs(ReportData(varied))
    assert list(timed["start"]) == [0, 10, 20, 30]
    assert timed["end"].max() == 42
    later = {name: 1e4 for name in ("began", "ended")}
    paused = [
        replace(g, facts={**g.facts, **{name: g.facts[name] + more * (g.number > 1) for name, more in later.items()}})
        for g in varied.generations
    ]
    varied_again = written(tmp_path, sound())
    varied_again.generations = paused
    assert runs(ReportData(varied_again))["end"].max() == pytest.approx(44)
    varied_again.generations = [
        replace(g, facts={name: value for name, value in g.facts.items() if name != "ran"}) for g in varied.generations
    ]
    assert idle(ReportData(varied_again)) == pytest.approx(1 - 0.64 / 84)  # by what trials took, where no task is noted
    assert figures(ReportData(varied_again))["time"][-1].title == "When generations ran"


@given(st.lists(st.floats(), max_size=30), st.sampled_from([True, False, None]))
def test_an_axis_has_ends_for_whatever_it_shows(values: list[float], lower: bool | None) -> None:
    axis = value_axis(values, lower)
    assert math.isfinite(axis.low)
    assert math.isfinite(axis.high)
    assert axis.low < axis.high
    assert not axis.log or axis.low > 0
    finite = [value for value in values if math.isfinite(value)]
    if finite and lower is True:
        least = max(min(finite), -1e300)
        assert axis.low <= (least if least <= 0 else max(least, 1e-307))  # a logarithmic axis has normal numbers


@given(st.floats(1e-300, 1e300), st.floats(1.5, 1e12))
def test_ticks_lie_on_their_axis(low: float, factor: float) -> None:
    high = min(low * factor, 1e304)
    ticks = powers(low, high)
    assert len(ticks) <= 12
    assert all(low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) for tick in ticks)


@given(
    st.floats(0, 1), st.sampled_from([Range(1e-4, 3.0, "log"), Range(-1.0, 4.0, "linear"), Range(0.5, 0.995, "log1m")])
)
def test_a_place_in_a_range_is_that_of_its_value(u: float, domain: Range) -> None:
    found = place(value_at(u, domain), domain)
    assert found == pytest.approx(u, abs=1e-9)
    assert place(None, domain) is None


@given(st.integers(1, 3000), st.integers(1, 3000))
@settings(max_examples=50)
def test_thinned_curves_keep_their_ends_and_their_best(epochs: int, keep: int) -> None:
    keep = min(keep, epochs)
    at = thinned(epochs, keep)
    assert (at[0], at[-1]) == (0, epochs - 1)
    assert epochs <= 200 or len(at) <= 201
    assert keep - 1 in at


def test_columns_say_what_rows_say(varied: Result) -> None:
    frame = varied.ranking()
    packed = columns_of(frame)
    rows = rows_of(frame)
    assert packed["rows"] == len(rows) == 64
    for name in packed["names"]:
        if name in packed["all"]:
            found = [packed["all"][name]] * len(rows)
        elif name in packed["coded"]:
            kinds, codes = packed["coded"][name]
            found = [kinds[code] for code in codes]
        else:
            found = packed["lists"][name]
        assert found == [row[name] for row in rows], name


# Severe red-green blindness (Machado, Oliveira, Fernandes 2009, severity 1.0), on linear RGB.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}


def lab(colour: str, kind: str) -> Any:
    """CIE L*a*b* of a colour as it is seen."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLIND[kind]) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_told_apart(theme: Any, kind: str) -> None:
    seen = [lab(colour, kind) for colour in theme.series]
    nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
    assert nearest > 11  # a difference of 2.3 is just seen side by side; these are seen apart


def test_figures_are_written_one_by_one(varied: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)
    ended = shell("report", varied.path, "--figures", tmp_path, "--only", "curves", "--only", "progress")
    assert (ended.code, ended.err) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.svg", "progress.svg"]
    first = (tmp_path / "curves.svg").read_bytes()
    assert first.startswith(b"<svg")
    shell("report", varied.path, "--figures", tmp_path, "--only", "curves")
    assert (tmp_path / "curves.svg").read_bytes() == first
    for form, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        shell("report", varied.path, "--figures", tmp_path, "--only", "progress", "--format", form)
        assert (tmp_path / f"progress.{form}").read_bytes().startswith(magic)
    wrong = shell("report", varied.path, "--figures", tmp_path, "--only", "curvs")
    assert (wrong.code, wrong.out) == (2, "")
    assert "chart: 'curvs' is not drawn; did you mean 'curves'?" in wrong.err


def test_a_trial_of_no_optimizer_of_the_study_is_drawn(tmp_path: Path) -> None:
    trials = [reconfigured(t, optimizer="sgd") if t.number == 3 else t for t in sound()]
    frames = ReportData(written(tmp_path, trials))
    assert set(figures(frames)) == set(CHARTS)


def test_every_task_is_in_the_lane_of_its_worker(varied: Result) -> None:
    frames = ReportData(varied)
    found = tasks(frames)
    assert list(found["worker"].unique()) == [1, 2]
    assert found["count"].sum() == len(varied.all_trials)
    second = found[(found["worker"] == 2) & (found["generation"] == 1)].iloc[0]
    assert (second["start"], second["end"], second["trials"]) == (12.0, 19.0, "17, 19, 21, 23, 25, 27 ...")
    assert idle(frames) == pytest.approx(1 - 4 * (8 + 7) / (2 * 42))
    few = joined(found, most=4)
    assert len(few) <= len(found)
    assert few["count"].sum() == found["count"].sum()
    assert joined(found) is found


def test_every_chart_of_a_study_without_optimizers_is_one(tmp_path: Path) -> None:
    """Altair's own check of what a notebook shows: a constant colour had a scale, which its schema has not."""
    space = {"x": {"low": 0.0, "high": 1.0}, "y": {"low": 0.0, "high": 1.0}, "kind": ["a", "b"]}
    asked = {"study": {"name": "plain", "trials": 52, "minimize": "loss"}, "parameters": space, "train": {"epochs": 2}}
    result = tuner.run(
        asked, objective=lambda c: c["x"] ** 2 + c["y"] + (c["kind"] == "a"), jobs=1, home=tmp_path
    )  # fmt: skip
    drawn = {name: result.chart(name).to_dict() for name in ("sensitivity", "curves", "progress", "pair", "time")}
    assert all(document["$schema"] for document in drawn.values())


def test_the_first_of_the_ranking_are_never_cut_off(tmp_path: Path) -> None:
    """A winner that the search had far behind is drawn where it is, and others that far off at the edge."""
    trials = [replace(t, value=50.0) if t.number in (3, 5) else t for t in sound()]
    plain = goal_axis(ReportData(written(tmp_path / "plain", trials, confirmations(sound()))))
    winner = goal_axis(ReportData(written(tmp_path / "won", trials, confirmations(trials, {3: 0.1, 60: 0.5}))))
    assert plain.high < 50.0
    assert (winner.high, plain.beyond, winner.beyond) == (50.0, 2, 0)


def test_no_other_point_hides_the_winner(varied: Result) -> None:
    winner = varied.best().trial
    for chart in (varied.chart("progress"), varied.chart("sensitivity")):
        written = json.dumps(chart.to_dict())
        assert f"datum.trial === {winner} ? 1 : 0" in written
        assert '"order": {"field": "front", "type": "quantitative"}' in written
