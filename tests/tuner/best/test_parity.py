"""The proof: what an exported object trains ends where the core ends, or the difference is named and real."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from objectives.optimizers import FRAMEWORKS, RULES
from tests.support.framework_gaps import gap, member
from tests.support.framework_runs import RUNS, Config, best_of, config_of, core, problem, start
from tuner.best.differences import differences
from tuner.errors import InexactMapping, InexactWarning

TENSORS = ("torch", "keras", "optax")
OWN = [(name, to, to) for name, row in RULES.items() for to in FRAMEWORKS if to in row.frameworks]
TORCHS = [(name, "torch", to) for name, _, to in OWN if to != "torch"]
OTHERS = [(n, s, t) for n, row in RULES.items() for s in row.frameworks for t in row.frameworks
          if s not in (t, "torch")]  # fmt: skip
SLOW = [pytest.param(*triple, marks=pytest.mark.slow) for triple in OTHERS]


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """torch keeps nadam's product of momenta in its default dtype, whatever the weights'."""
    torch = pytest.importorskip("torch") if "torch" in sys.modules else None
    if torch:
        torch.set_default_dtype(torch.float64)
    yield
    if torch:
        torch.set_default_dtype(torch.float32)


def assert_same(config: Config, target: str, whole: Any = None, rtol: float = 1e-9, atol: float = 1e-9) -> None:
    whole = whole or problem()
    ours, theirs = core(config, whole), RUNS[target](config, whole)
    assert np.abs(ours - start(config, whole)).max() > 1e-3
    np.testing.assert_allclose(theirs, ours, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("name", "source", "target"), [*OWN, *TORCHS, *SLOW])
def test_three_epochs_of_digits_end_at_the_cores_weights_or_differ_as_said(name, source, target):
    config = member(name, source, target)
    found = differences(best_of(config, problem()).recipe(), target)
    assert source != target or not found
    if not found:
        assert gap(name, source, target) < 1e-9
        return
    if all(one.small for one in found):
        RUNS[target](config, problem())  # is made, without a warning
        return
    with pytest.raises(InexactMapping, match=r"cannot make the steps of this .*, tuned as .*; ask for the nearest"):
        RUNS[target](config, problem())
    visible = {**config, **({"eps": 1e-4} if "eps" in RULES[name].names else {})}
    with pytest.warns(InexactWarning, match="this is the nearest"):
        theirs = RUNS[target](visible, problem(), strict=False)
    assert np.abs(theirs - core(visible, problem())).max() > 1e-6


@pytest.mark.parametrize("target", TENSORS)
@pytest.mark.parametrize("decay", ["all", "weights"])
@pytest.mark.parametrize("name", ["nesterov", "rmsprop", "adam", "adamw", "nadam"])
def test_clipping_and_decay_are_exact_in_the_framework_they_were_tuned_for(name, decay, target):
    # a weight that no pixel reaches turns around 0 in the end, where a tiny eps magnifies rounding
    eps = {"eps": 1e-4} if name != "nesterov" else {}
    config = member(name, target, target, weight_decay=0.01, decay=decay, clip_norm=0.5, **eps)
    assert_same(config, target)
    undecayed = core({**config, "weight_decay": 0.0}, problem())
    assert np.abs(undecayed - core(config, problem())).max() > 1e-5


@pytest.mark.parametrize("name", ["nesterov", "adam"])
def test_torchs_clipping_is_exact_in_optax(name):
    assert_same(member(name, "torch", "optax", clip_norm=0.5), "optax")


@pytest.mark.parametrize("target", ["torch", "optax"])
@pytest.mark.parametrize("name", ["momentum", "adadelta"])
@pytest.mark.parametrize("decay", ["all", "weights"])
def test_kerass_decoupled_decay_is_exact_elsewhere(name, decay, target):
    moving = {"schedule": "constant", "warmup": 0.0} if target == "torch" else {}
    config = member(name, "keras", target, weight_decay=0.01, decay=decay, clip_norm=0.5, **moving)
    assert_same(config, target)


@pytest.mark.parametrize(
    ("name", "target"), [("nesterov", to) for to in FRAMEWORKS] + [("adam", to) for to in FRAMEWORKS]
)
def test_a_linear_model_is_exact(name, target):
    config = member(name, target, target, model="linear")
    del config["hidden"], config["activation"]
    assert_same(config, target, problem(()))


@pytest.mark.parametrize("target", TENSORS)
@pytest.mark.parametrize("name", ["nesterov", "adam", "rmsprop"])
def test_float32_is_close(name, target):
    eps = {"eps": 1e-4} if name != "nesterov" else {}
    assert_same(member(name, target, target, **eps), target, problem(dtype="float32"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("target", TENSORS)
@pytest.mark.parametrize(
    "schedule", ["constant", "step", "exponential", "linear", "polynomial", "one_cycle", "inverse_sqrt"]
)
@pytest.mark.parametrize("warmup", [0.0, 0.2])
def test_every_schedule_is_exact(schedule, warmup, target):
    final = {"final": 0.05} if warmup else {}
    config = config_of("sgd", target, lr=0.1, schedule=schedule, warmup=warmup, **final)
    assert_same(config, target)


def test_scikit_learns_alpha_is_decay_of_weights_in_full_batches():
    config = config_of("momentum", lr=0.05, batch_size=83, weight_decay=0.01, decay="weights")  # 13 x 83 rows
    assert_same(config, "sklearn")
    for change, said in (
        ({"decay": "all"}, "alpha does not decay biases"),
        ({"batch_size": 128}, "partial batch decays"),
    ):
        with pytest.raises(InexactMapping, match=said):
            RUNS["sklearn"]({**config, **change}, problem())


@pytest.mark.parametrize("name", ["nesterov", "adam"])
def test_scikit_learns_regression_is_exact(name):
    config = config_of(name, "sklearn", batch_size=32)
    assert_same(config, "sklearn", problem((16,), "diabetes"))


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt"])
@pytest.mark.parametrize(
    ("source", "estimator", "more"),
    [
        ("breast_cancer", "SGDClassifier", {}),
        ("diabetes", "SGDRegressor", {}),
        ("diabetes", "SGDRegressor", {"loss": "huber", "huber_delta": 0.5}),
        ("diabetes", "SGDRegressor", {"loss": "absolute_error"}),
    ],
)
def test_scikit_learns_linear_models_are_exact_a_row_at_a_time(source, estimator, more, schedule):
    from sklearn import linear_model

    from objectives.criterion import criterion_of
    from objectives.problem import Problem

    whole = problem((), source)
    decay = {"weight_decay": 0.01, "decay": "weights"}
    config = config_of("sgd", lr=0.01, batch_size=1, schedule=schedule, model="linear", **decay, **more)
    whole = Problem(whole.replicates, whole.model, criterion_of(config, whole.data.task))
    first = start(config, whole)
    settings = {**best_of(config, whole).to_sklearn(estimator), "shuffle": False, "max_iter": 1}
    model = getattr(linear_model, estimator)(**settings)
    data, order = whole.data.train, whole.replicates[0].order
    x, y = data.x[:, :-1], data.y.ravel()
    model.fit(x[order(0)], y[order(0)], coef_init=first[:-1], intercept_init=first[-1:])
    for epoch in (1, 2):
        model.partial_fit(x[order(epoch)], y[order(epoch)])
    theirs = np.append(model.coef_.ravel(), model.intercept_)
    np.testing.assert_allclose(theirs, core(config, whole), rtol=1e-9, atol=1e-9)
