"""Rules with `framework` equal that framework's, under a moving rate (`pip install jax optax keras` to run them)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.models import Layers, Model
from objectives.optimizers import FRAMEWORKS, RULES, hyperparameters
from objectives.training.descent import descend
from tests.objectives.optimizers.test_optimizers import STEPS, gradients, named, one, path, start
from tests.support.problems import Array, Sizes, config, problem

RATES = 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS))
INSTALL = "compares with optax and Keras: pip install jax optax keras"


def members(framework: str) -> list[dict[str, Any]]:
    """Every rule that the framework has, with a large eps, decay where it may have one, and rmsprop's options."""
    found = []
    for name, row in RULES.items():
        if framework in row.frameworks:
            eps = {"eps": 0.1} if "eps" in row.names else {}
            decay = {} if "weight_decay" in row.frameworks[framework].fixed else {"weight_decay": 0.01}
            found.append(one(name, lr=0.03, schedule="cosine", framework=framework, **eps, **decay))
    if framework != "sklearn":
        found.append({**found[3], "momentum": 0.9})
        found.append({**found[3], "momentum": 0.5, "centered": True})
        found.append(one("adagrad", lr=0.03, schedule="cosine", framework=framework, initial_accumulator=0.1))
    return found


def ours(member: dict[str, Any]) -> Array:
    return path([member], gradients())[:, 0]


def compare(member: dict[str, Any], theirs: Array) -> None:
    np.testing.assert_allclose(ours(member), theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("member", members("optax"), ids=named)
def test_a_rule_is_optaxs(member):
    jax = pytest.importorskip("jax", reason=INSTALL)
    optax = pytest.importorskip("optax", reason=INSTALL)
    jax.config.update("jax_enable_x64", True)
    h = hyperparameters(member)
    rate = lambda k: jax.numpy.asarray(h["lr"] * RATES)[k]  # noqa: E731
    betas = {"b1": h.get("beta1"), "b2": h.get("beta2"), "eps": h.get("eps")}
    makers: dict[str, Callable[[], Any]] = {
        "sgd": lambda: optax.sgd(rate),
        "momentum": lambda: optax.sgd(rate, h["momentum"]),
        "nesterov": lambda: optax.sgd(rate, h["momentum"], nesterov=True),
        "rmsprop": lambda: optax.rmsprop(
            rate, h["alpha"], h["eps"], centered=member.get("centered", False), momentum=h["momentum"] or None
        ),
        "adagrad": lambda: optax.adagrad(rate, h["initial_accumulator"], h["eps"]),
        "adadelta": lambda: optax.adadelta(rate, h["rho"], h["eps"]),
        "adam": lambda: optax.adam(rate, **betas),
        "adamw": lambda: optax.adamw(rate, **betas, weight_decay=h["weight_decay"]),
        "amsgrad": lambda: optax.amsgrad(rate, **betas),
        "adamax": lambda: optax.adamax(rate, **betas),
        "nadam": lambda: optax.nadam(rate, **betas),
    }
    rule = makers[member["optimizer"]]()
    if member["optimizer"] != "adamw":
        rule = optax.chain(optax.add_decayed_weights(h["weight_decay"]), rule)
    p = jax.numpy.asarray(start())
    state, seen = rule.init(p), []
    for g in gradients():
        updates, state = rule.update(jax.numpy.asarray(g), state, p)
        p = optax.apply_updates(p, updates)
        seen.append(np.asarray(p))
    compare(member, np.stack(seen))


@pytest.mark.parametrize("member", members("keras"), ids=named)
def test_a_rule_is_keras(member):
    pytest.importorskip("jax", reason=INSTALL).config.update("jax_enable_x64", True)
    os.environ["KERAS_BACKEND"] = "jax"
    keras = pytest.importorskip("keras", reason=INSTALL)
    keras.backend.set_floatx("float64")
    h, name = hyperparameters(member), member["optimizer"]
    eps = {"epsilon": h["eps"]} if "eps" in h else {}
    betas = {"beta_1": h.get("beta1"), "beta_2": h.get("beta2"), **eps}
    classes = keras.optimizers
    makers: dict[str, Callable[..., Any]] = {
        "sgd": classes.SGD,
        "momentum": lambda *a, **k: classes.SGD(*a, momentum=h["momentum"], **k),
        "nesterov": lambda *a, **k: classes.SGD(*a, momentum=h["momentum"], nesterov=True, **k),
        "rmsprop": lambda *a, **k: classes.RMSprop(
            *a, rho=h["alpha"], momentum=h["momentum"], centered=member.get("centered", False), **eps, **k
        ),
        "adagrad": lambda *a, **k: classes.Adagrad(*a, initial_accumulator_value=h["initial_accumulator"], **eps, **k),
        "adadelta": lambda *a, **k: classes.Adadelta(*a, rho=h["rho"], **eps, **k),
        "adam": lambda *a, **k: classes.Adam(*a, **betas, **k),
        "adamw": lambda *a, **k: classes.AdamW(*a, **betas, **k),
        "amsgrad": lambda *a, **k: classes.Adam(*a, amsgrad=True, **betas, **k),
        "adamax": lambda *a, **k: classes.Adamax(*a, **betas, **k),
        "nadam": lambda *a, **k: classes.Nadam(*a, **betas, **k),
    }
    rule = makers[name](h["lr"], weight_decay=h["weight_decay"] or None)
    p = keras.Variable(start(), dtype="float64")
    seen = []
    for g, share in zip(gradients(), RATES, strict=True):
        rule.learning_rate = h["lr"] * share
        rule.apply([keras.ops.convert_to_tensor(g, "float64")], [p])
        seen.append(np.asarray(p.value))
    compare(member, np.stack(seen))


@pytest.mark.parametrize("member", members("sklearn"), ids=named)
def test_a_rule_is_scikit_learns(member):
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

    h, p = hyperparameters(member), [start()]
    if member["optimizer"] == "adam":
        rule = AdamOptimizer(p, h["lr"], h["beta1"], h["beta2"], h["eps"])
    else:
        momentum = h.get("momentum", 0.0)
        rule = SGDOptimizer(p, h["lr"], momentum=momentum, nesterov=member["optimizer"] == "nesterov")
    seen = []
    for g, share in zip(gradients(), RATES, strict=True):
        for name in ("learning_rate", "learning_rate_init"):
            if hasattr(rule, name):
                setattr(rule, name, h["lr"] * share)
        rule.update_params(p, [g])
        seen.append(p[0].copy())
    compare(member, np.stack(seen))


def test_what_a_framework_does_not_have_is_refused():
    with pytest.raises(InvalidInput, match="optimizer: sklearn has no adamax; it has sgd, momentum, nesterov, adam"):
        hyperparameters(one("adamax", framework="sklearn"))
    with pytest.raises(InvalidInput, match="framework: 'kears' is not known; did you mean 'keras'"):
        hyperparameters(one("adam", framework="kears"))
    with pytest.raises(InvalidInput, match=r"nadam\.momentum_decay: must be 1, but got 0\.004; Keras has no other"):
        hyperparameters(one("nadam", framework="keras", momentum_decay=0.004))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_frameworks_agree_where_their_conventions_do(framework):
    rule = one("sgd", lr=0.05, schedule="cosine")
    np.testing.assert_array_equal(ours({**rule, "framework": framework}), ours(rule))
    steady = one("momentum", lr=0.05)  # a buffer of steps tells nothing apart while the rate stays
    np.testing.assert_allclose(ours({**steady, "framework": framework}), ours(steady), rtol=1e-12)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("size", [8, 24])
def test_decay_of_weights_alone_is_scikit_learns_alpha_over_full_batches(rule, size):
    from sklearn.neural_network import MLPClassifier

    whole, epochs = problem(Sizes(train=24), Model((6,))), 4
    member = config(rule, lr=0.1, batch_size=size, epochs=epochs, weight_decay=0.1, decay="weights")
    shapes, (replicate,) = whole.model.shapes(whole.inputs, whole.outputs), whole.replicates
    settings = {"momentum": hyperparameters(member).get("momentum", 0.0), "nesterovs_momentum": rule == "nesterov"}
    theirs = MLPClassifier(
        (6,), solver="sgd", alpha=0.1 * size, batch_size=size, learning_rate_init=0.1, shuffle=False, **settings
    )
    x, y = whole.data.train.x[:, :-1], whole.data.train.y.argmax(axis=1)
    theirs.partial_fit(x, y, classes=range(3))
    for layer, view in enumerate(Layers(descend(whole, [member], 0).state.weights, shapes).views):
        theirs.coefs_[layer][...], theirs.intercepts_[layer][...] = view[0, 0, :-1], view[0, 0, -1]
    del theirs._optimizer
    for epoch in range(epochs):
        rows = replicate.order(epoch)
        theirs.partial_fit(x[rows], y[rows])
    ours = Layers(descend(whole, [member], epochs).state.weights, shapes).views
    for layer, view in enumerate(ours):
        np.testing.assert_allclose(view[0, 0, :-1], theirs.coefs_[layer], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(view[0, 0, -1], theirs.intercepts_[layer], rtol=1e-12, atol=1e-14)
