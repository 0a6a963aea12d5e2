"""Surfaces in place of data: exact gradients over all rows, noise that a batch size divides, paths, packs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives import Problem, Replicate, check_gradient, descend
from objectives.data import load_surface, open_prepared, prepare_surface, save_prepared
from objectives.errors import DataError
from objectives.models import Model
from objectives.optimizers import OPTIMIZERS
from objectives.surfaces import SURFACES
from tests.support.problems import config, one_replicate, same_bits

QUICK = {"lr": 1e-3}


def on(name: str, noise: float = 0.0, replicates: int = 1, dtype: str = "float64", **more: Any) -> Problem:
    table = load_surface(f"surface:{name}", noise, **more)
    drawn = (prepare_surface(table, 3, number, dtype) for number in range(replicates))
    return Problem(tuple(Replicate(3, number, data) for number, data in enumerate(drawn)), Model())


def member(optimizer: str, **values: Any) -> dict[str, Any]:
    own = {} if "lr" not in OPTIMIZERS[optimizer].names else QUICK
    return config(optimizer, **{"batch_size": 32, "epochs": 6, **own, **values})


KINDS = [[name for name, row in OPTIMIZERS.items() if row.whole == whole] for whole in (False, True)]


@settings(deadline=None)
@given(
    st.sampled_from(sorted(SURFACES)),
    st.sampled_from(KINDS).flatmap(lambda names: st.lists(st.sampled_from(names), min_size=1, max_size=5)),
    st.sampled_from(("float32", "float64")),
    st.integers(0, 4),
)
def test_a_trial_keeps_its_bits_in_any_pack_replicate_and_piece(
    name: str, rules: list[str], dtype: str, cut: int
) -> None:
    surface = on(name, 0.5, 2, dtype)
    pack = [member(rule, weight_decay=0.01 * (i % 2)) for i, rule in enumerate(rules)]
    together = descend(surface, pack, 4)
    again = descend(surface, pack, 4 - cut, descend(surface, pack, cut).state)
    assert same_bits(again.state.weights, together.state.weights)
    for r in range(2):
        for k, one in enumerate(pack):
            alone = descend(one_replicate(surface, r), [one], 4)
            assert same_bits(alone.state.weights[0, 0], together.state.weights[r, k])
            assert all(same_bits(alone.curves[c][0, 0], together.curves[c][r, k]) for c in alone.curves)


@pytest.mark.parametrize("name", SURFACES)
def test_without_noise_sgd_is_the_textbook_step(name: str) -> None:
    surface = SURFACES[name]
    outcome = descend(on(name), [member("sgd", batch_size=256, lr=1e-3)], 5)
    point = surface.start.copy()
    for epoch in range(5):
        point = point - 1e-3 * surface.gradient(point)
        np.testing.assert_allclose(outcome.curves["x1"][0, 0, epoch], point[0], rtol=1e-12)
        np.testing.assert_allclose(outcome.curves["valid_loss"][0, 0, epoch], surface.value(point), rtol=1e-12)
        away = min(np.linalg.norm(point - minimum) for minimum in surface.minima)
        np.testing.assert_allclose(outcome.curves["distance"][0, 0, epoch], away, rtol=1e-12)


def test_all_rows_together_have_no_noise_and_batches_have_their_share() -> None:
    noisy = on("quadratic", noise=2.0)
    still = on("quadratic")
    paths = {
        size: [descend(problem, [member("sgd", batch_size=size)], 1).state.weights for problem in (noisy, still)]
        for size in (4, 256)
    }
    np.testing.assert_allclose(*paths[256], rtol=1e-14)
    assert np.abs(paths[4][0] - paths[4][1]).max() > 1e-6
    gradients = noisy.data.train.x[:, :-1]
    assert np.abs(gradients.sum(axis=0)).max() < 1e-12
    assert gradients.std() == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("name", SURFACES)
def test_the_gradient_is_the_slope(name: str) -> None:
    assert check_gradient(on(name)).agrees


def test_whole_batch_methods_find_the_bottom_and_random_points_do_not() -> None:
    names = ("newton", "lbfgs", "random_weights")
    outcome = descend(on("rosenbrock", noise=1.0), [member(name) for name in names], 60)
    newton, lbfgs, lottery = outcome.curves["valid_loss"][0, :, -1]
    assert max(newton, lbfgs) < 1e-12 < lottery


def test_replicates_draw_points_of_their_own() -> None:
    drawn = descend(on("rosenbrock", replicates=2), [member("random_weights")], 5).curves["x1"][:, 0]
    assert (drawn[0, 1:] != drawn[1, 1:]).all()


def test_a_condition_number_is_the_quadratics() -> None:
    steep = on("quadratic", condition=1000.0)
    assert steep.need_surface().hessian(np.zeros(2)).diagonal().tolist() == pytest.approx([1, 1000])


def test_noise_is_fresh_for_each_replicate_and_comes_back_from_disk(tmp_path: Any) -> None:
    whole = on("beale", noise=1.0, replicates=2)
    first, second = (replicate.data for replicate in whole.replicates)
    assert first.digest != second.digest
    save_prepared(first, tmp_path / "data")
    back = open_prepared(tmp_path / "data")
    assert (back.surface, back.digest) == ("beale", first.digest)
    assert same_bits(np.asarray(back.train.x), np.asarray(first.train.x))


def test_what_is_no_surface_is_refused() -> None:
    with pytest.raises(DataError, match=r"surface:rosenbrok: is no surface; did you mean 'rosenbrock'\?"):
        load_surface("surface:rosenbrok")
    with pytest.raises(DataError, match="noise must be finite and at least 0"):
        load_surface("surface:beale", -1.0)
    with pytest.raises(DataError, match="has no condition number to choose"):
        load_surface("surface:beale", condition=10.0)
