"""The same training twice: by the core, and in a framework with an exported object, from the same start and batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objectives.data import SplitSpec, load_table, prepare
from objectives.models import Layers, Model, model_of
from objectives.problem import Problem, Replicate
from objectives.training.descent import descend
from objectives.training.minibatches import Minibatches
from tuner.best import Best
from tuner.best.conventions import conventions_of

Array = np.ndarray[Any, Any]
Config = dict[str, Any]
Pairs = list[tuple[Array, Array]]
EPOCHS = 3
INSTALL = "pip install torch==2.13.0 jax optax keras"


@cache
def problem(hidden: tuple[int, ...] = (16,), source: str = "digits", dtype: str = "float64") -> Problem:
    """A network, or a linear model, on data that ship."""
    data = prepare(load_table(f"sklearn:{source}", base=Path()), SplitSpec(), 0, dtype=dtype)
    return Problem((Replicate(3, 0, data),), Model(hidden))


def config_of(optimizer: str, framework: str = "torch", **values: Any) -> Config:
    """A config of what every trial has; a batch of 128 rows leaves a partial one of digits."""
    base = {"model": "mlp", "hidden": [16], "activation": "relu", "init": "torch", "schedule": "constant"}
    shared = {"optimizer": optimizer, "framework": framework, "lr": 0.01, "batch_size": 128, "epochs": EPOCHS}
    return {**base, **shared, **values}


def best_of(config: Config, whole: Problem) -> Best:
    """What a study would hand over for a config that was trained for its whole horizon."""
    steps = whole.steps_per_epoch(rows_of(config, whole))
    sizes = {"inputs": whole.inputs, "outputs": whole.outputs, "rows": len(whole.data.train)}
    return Best(
        study="made up",
        trial=0,
        params={**config, "horizon": config["epochs"]},
        conventions=conventions_of(config),
        training={
            "epochs": config["epochs"],
            "horizon": config["epochs"],
            "horizon_steps": steps * config["epochs"],
            "steps_per_epoch": steps,
        },
        model={
            "task": whole.data.task,
            "loss": whole.loss.name,
            "parameters": model_of(config).size(whole.inputs, whole.outputs),
            **sizes,
        },
        result={"metric": "valid_loss", "direction": "minimize", "value": 0.1},
    )


def rows_of(config: Config, whole: Problem) -> int:
    """Rows of a batch: all of them for a whole-batch method."""
    return int(config.get("batch_size", len(whole.data.train)))


def core(config: Config, whole: Problem) -> Array:
    """Weights `(P,)` after the config's epochs."""
    outcome = descend(whole, [config], int(config["epochs"]))
    assert not outcome.diverged.any()
    return outcome.state.weights[0, 0]


def start(config: Config, whole: Problem) -> Array:
    """The initial weights `(P,)`."""
    return descend(whole, [config], 0).state.weights[0, 0]


def layers(weights: Array, whole: Problem) -> Pairs:
    """`(kernel (D, H), bias (H,))` of each layer."""
    views = Layers(weights[None, None].copy(), whole.model.shapes(whole.inputs, whole.outputs)).views
    return [(view[0, 0, :-1], view[0, 0, -1]) for view in views]


def flat(pairs: Pairs) -> Array:
    """The weights `(P,)` of layers: the inverse of `layers`."""
    return np.concatenate([np.vstack([kernel, bias]).ravel() for kernel, bias in pairs])


def batches(config: Config, whole: Problem) -> Iterator[tuple[Array, Array]]:
    """Inputs `(B, D)` and targets `(B, C)`, as the core meets them."""
    source = Minibatches(whole.replicates, rows_of(config, whole))
    for epoch in range(int(config["epochs"])):
        for x, y, _ in source.epoch(epoch):
            yield x[0, 0, :, :-1].copy(), y[0, 0].T.copy()


def in_torch(config: Config, whole: Problem, strict: bool = True) -> Array:
    best, model = best_of(config, whole), torch_model(config, whole)
    optimizer = best.to_torch(model.parameters(), strict=strict)
    scheduler = best.to_torch_scheduler(optimizer, steps_per_epoch=best.training["steps_per_epoch"])
    for x, y in batches(config, whole):
        torch_step(model, optimizer, x, y)
        if scheduler:
            scheduler.step()
    return torch_weights(model)


def torch_model(config: Config, whole: Problem) -> Any:
    """A torch network with the config's initial weights."""
    torch = pytest.importorskip("torch", reason=INSTALL)
    dtype = getattr(torch, str(whole.data.train.x.dtype))
    active = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[whole.model.activation]
    modules: list[Any] = []
    for kernel, bias in layers(start(config, whole), whole):
        linear = torch.nn.Linear(*kernel.shape, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(kernel.T.copy()))
            linear.bias.copy_(torch.tensor(bias.copy()))
        modules += [linear, active()]
    return torch.nn.Sequential(*modules[:-1])


def torch_step(model: Any, optimizer: Any, x: Array, y: Array) -> None:
    """One update on a minibatch of classes."""
    import torch

    optimizer.zero_grad()
    torch.nn.CrossEntropyLoss()(model(torch.tensor(x)), torch.tensor(y)).backward()
    optimizer.step()


def torch_weights(model: Any) -> Array:
    """The weights `(P,)` in the core's order."""
    import torch

    linears = [module for module in model if isinstance(module, torch.nn.Linear)]
    return flat([(m.weight.detach().numpy().T, m.bias.detach().numpy()) for m in linears])


def in_optax(config: Config, whole: Problem, strict: bool = True) -> Array:
    jax = jax_of(str(whole.data.train.x.dtype))
    optax = pytest.importorskip("optax", reason=INSTALL)
    best = best_of(config, whole)
    rule = best.to_optax(strict=strict, steps_per_epoch=best.training["steps_per_epoch"])
    params = jax.tree.map(jax.numpy.asarray, layers(start(config, whole), whole))
    state, gradient = rule.init(params), gradient_in_jax()
    for x, y in batches(config, whole):
        updates, state = rule.update(gradient(params, x, y), state, params)
        params = optax.apply_updates(params, updates)
    return flat([(np.asarray(kernel), np.asarray(bias)) for kernel, bias in params])


def in_keras(config: Config, whole: Problem, strict: bool = True) -> Array:
    dtype = str(whole.data.train.x.dtype)
    jax, best = jax_of(dtype), best_of(config, whole)
    os.environ["KERAS_BACKEND"] = "jax"
    keras = pytest.importorskip("keras", reason=INSTALL)
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    model = keras.Sequential([keras.Input((whole.inputs,))])
    for size in whole.model.hidden:
        model.add(keras.layers.Dense(size, activation=whole.model.activation))
    model.add(keras.layers.Dense(whole.outputs))
    model.set_weights([array for pair in layers(start(config, whole), whole) for array in pair])
    variables = model.trainable_variables
    steps = {"steps_per_epoch": best.training["steps_per_epoch"]}
    optimizer, gradient = best.to_keras(strict=strict, **steps), gradient_in_jax()
    for x, y in batches(config, whole):
        values = [variable.value for variable in variables]
        pairs = list(zip(values[::2], values[1::2], strict=True))
        optimizer.apply(jax.tree.leaves(gradient(pairs, x, y)), variables)
    values = [np.asarray(variable.value) for variable in variables]
    return flat(list(zip(values[::2], values[1::2], strict=True)))


def jax_of(dtype: str) -> Any:
    jax = pytest.importorskip("jax", reason=INSTALL)
    jax.config.update("jax_enable_x64", dtype == "float64")
    return jax


@cache
def gradient_in_jax() -> Callable[..., Any]:
    """The gradient of a network's mean cross-entropy, compiled once for each shape."""
    import jax

    def loss(params: Any, x: Any, y: Any) -> Any:
        for kernel, bias in params[:-1]:
            x = jax.nn.relu(x @ kernel + bias)
        kernel, bias = params[-1]
        return -(y * jax.nn.log_softmax(x @ kernel + bias)).sum(axis=1).mean()

    compiled: Callable[..., Any] = jax.jit(jax.grad(loss))
    return compiled


def in_sklearn(config: Config, whole: Problem, strict: bool = True) -> Array:
    """`partial_fit` is one epoch over the rows in the order given, and keeps the optimizer's memory."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    name = "MLPRegressor" if whole.data.task == "regression" else "MLPClassifier"
    settings = best_of(config, whole).to_sklearn(name, n_samples=len(whole.data.train), strict=strict)
    model = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}[name](**settings, shuffle=False)
    data, order = whole.data.train, whole.replicates[0].order
    x, y = data.x[:, :-1], data.y
    target = y.argmax(axis=1) if whole.data.task == "multiclass" else y.ravel() if y.shape[1] == 1 else y
    model.partial_fit(x, target, **({} if name == "MLPRegressor" else {"classes": np.unique(target)}))
    for i, (kernel, bias) in enumerate(layers(start(config, whole), whole)):
        model.coefs_[i][...], model.intercepts_[i][...] = kernel, bias
    del model._optimizer
    for epoch in range(int(config["epochs"])):
        rows = order(epoch)
        model.partial_fit(x[rows], target[rows])
    return flat(list(zip(model.coefs_, model.intercepts_, strict=True)))


RUNS: dict[str, Callable[..., Array]] = {
    "torch": in_torch,
    "keras": in_keras,
    "optax": in_optax,
    "sklearn": in_sklearn,
}
