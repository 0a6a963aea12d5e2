"""The course, drawn: level lines lie on their level, paths begin at the start, each figure is where its methods are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objectives.surfaces import SURFACES, quadratic, surface_of
from tests.support.planted_studies import ended, sound, trained, written
from tuner.records import Trial
from tuner.report.charts.course import course, illustration
from tuner.report.charts.methods import drawn_so_far, rates
from tuner.report.charts.paths import paths
from tuner.report.contours import contours, crossings, window
from tuner.report.pictures import inline_svg
from tuner.report.report_data import ReportData
from tuner.report.vega_data import Kept


@pytest.mark.parametrize("name", SURFACES)
def test_level_lines_lie_on_their_level(name: str) -> None:
    surface = SURFACES[name]
    low, high = window(surface, surface.start[None, :2])
    lines = contours(surface, low, high).dropna()
    values = surface.value(lines[["x1", "x2"]].to_numpy())
    spread = np.quantile(surface.value(np.random.default_rng(0).uniform(low, high, (4000, 2))), 0.9)
    assert np.median(np.abs(values - lines["value"])) < 0.02 * spread
    assert lines["level"].nunique() >= 8


def test_a_level_of_a_bowl_is_a_circle() -> None:
    x = np.linspace(-2, 2, 81)
    bowl = quadratic(1.0)
    values = bowl.value(np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1))
    pieces = crossings(x, x, values, 0.5)
    np.testing.assert_allclose(np.hypot(pieces[..., 0], pieces[..., 1]), 1.0, atol=1e-3)
    length = np.hypot(*(pieces[:, 0] - pieces[:, 1]).T).sum()
    assert length == pytest.approx(2 * np.pi, rel=1e-3)


def walked(number: int, optimizer: str, points: Sequence[Sequence[float]], lr: float, surface: str) -> Trial:
    """A trial that goes through points of a surface."""
    at = np.array(points, dtype=float)
    values = surface_of(surface).value(at)
    curves = {"valid_loss": values[None], "x1": at[None, :, 0], "x2": at[None, :, 1]}
    epoch = int(values.argmin()) + 1
    config = {"optimizer": optimizer, "lr": lr, "epochs": len(at)}
    return replace(
        trained(number, 0.5), config=config, curves=curves, epochs=len(at), steps=len(at), value=float(values.min()),
        epoch=epoch, metrics={"valid_loss": float(values.min())},
    )  # fmt: skip


class OnSurface:
    """A result on a surface, as studies of the course have it."""

    def __init__(self, inner: Any, surface: str, trials: list[Trial], optimizers: Mapping[str, Any]) -> None:
        self._inner = inner
        data = inner.study.data.model_copy(update={"source": f"surface:{surface}"})
        self.study = replace(inner.study, data=data, optimizers=dict(optimizers))
        self.all_trials = trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return written(tmp_path_factory.mktemp("home"), sound()[:16])


METHODS = ("random_weights", "finite_differences", "gradient_descent", "newton")


def descents(surface: str) -> list[Trial]:
    start = surface_of(surface).start
    goal = surface_of(surface).minima[0]
    walk = [start + share * (goal - start) for share in np.linspace(0.1, 1, 10)]
    cloud = np.random.default_rng(0).uniform(-1, 1, (6, 2)).tolist()
    wild = ended(walked(4, "gradient_descent", walk, 3.0, surface), "diverged")
    return [
        walked(0, "random_weights", cloud, 0.1, surface),
        walked(1, "finite_differences", walk[:6], 0.1, surface),
        walked(2, "gradient_descent", walk, 0.1, surface),
        walked(3, "gradient_descent", walk[:2] * 5, 0.001, surface),
        replace(wild, curves={name: np.tile(curve, 3) for name, curve in wild.curves.items()}, epochs=3),
        walked(5, "newton", [goal, goal], 1.0, surface),
    ]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_study_on_a_surface_has_its_figures(surface: str, inner: Any) -> None:
    found = OnSurface(inner, surface, descents(surface), {name: {} for name in METHODS})
    frames = ReportData(found)
    figures = {figure.name: figure for figure in course(frames)}
    assert list(figures) == ["course", "course-cloud", "course-secant", "course-newton", "course-rates"]
    kept = Kept(frames.trials)
    for figure in figures.values():
        document, names = kept.specification(figure.chart)
        svg = inline_svg(figure.name, document, {name: kept.frames[name] for name in names})
        assert svg.count("<path") > 4  # the frame, and what is drawn


def test_a_method_drawn_on_another_surface_is_called_an_illustration(inner: Any) -> None:
    methods: dict[str, Any] = {"newton": {}, "finite_differences": {}}
    frames = ReportData(OnSurface(inner, "rosenbrock", descents("rosenbrock"), methods))
    assert not any(figure.title.startswith("Illustration") for figure in course(frames))
    shown = illustration(course(frames)[-1])
    assert shown.title.startswith("Illustration: ")
    assert "nothing of it is a result of this study" in shown.caption


def test_paths_begin_at_the_start_and_clouds_do_not(inner: Any) -> None:
    surface = surface_of("rosenbrock")
    frames = ReportData(OnSurface(inner, "rosenbrock", descents("rosenbrock"), {name: {} for name in METHODS}))
    data = paths(frames, surface)
    first = data.groupby("optimizer", sort=False).first()
    for name in METHODS[1:]:
        assert tuple(first.loc[name, ["x1", "x2"]]) == tuple(surface.start)
    assert first.loc["random_weights", "epoch"] == 1
    assert [word for word, _ in rates(frames)] == ["too small", "good", "too large"]
    assert [trial.number for _, trial in rates(frames)] == [3, 2, 4]


def test_the_best_drawn_so_far_never_rises(inner: Any) -> None:
    frames = ReportData(OnSurface(inner, "rosenbrock", descents("rosenbrock"), {name: {} for name in METHODS}))
    data = drawn_so_far(frames)
    assert list(data["draws"]) == [1, 2, 3, 4, 5, 6]
    assert (np.diff(data["value"]) <= 0).all()
    assert data["value"].iloc[-1] == frames.own("random_weights")[0].value


def test_newton_says_where_it_lands(inner: Any) -> None:
    captions = {}
    for surface in ("quadratic", "rosenbrock"):
        frames = ReportData(OnSurface(inner, surface, descents(surface), {name: {} for name in METHODS}))
        captions[surface] = {figure.name: figure.caption for figure in course(frames)}["course-newton"]
    assert "one jump ends at its minimum" in captions["quadratic"]
    assert "lands at a value of" in captions["rosenbrock"]


def test_a_quadratic_is_drawn_with_the_condition_of_its_study(inner: Any) -> None:
    found = OnSurface(inner, "quadratic", descents("quadratic"), {name: {} for name in METHODS})
    drawn = []
    for condition in (None, 10.0):
        data = found.study.data.model_copy(update={"condition": condition})
        found.study = replace(found.study, data=data)
        surface = ReportData(found).surface
        assert surface is not None
        drawn.append(surface.hessian(surface.start).diagonal().tolist())
    assert drawn == [pytest.approx([1, 100]), pytest.approx([1, 10])]


def test_other_studies_have_none(inner: Any, tmp_path: Path) -> None:
    del tmp_path
    assert course(ReportData(inner)) == []


def test_a_known_minimum_is_told(inner: Any) -> None:
    from tuner.report.findings.optimum import distance

    found = distance(ReportData(OnSurface(inner, "rosenbrock", descents("rosenbrock"), {name: {} for name in METHODS})))
    assert found is not None
    assert found.numbers["newton"] == 0
    assert "The minimum of the rosenbrock surface is known" in found.sentence
