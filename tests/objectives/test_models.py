"""Models: shapes, initial weights, the stacked forward pass, predictions."""

from __future__ import annotations

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.evaluation.predictions import predict
from objectives.models import ACTIVATIONS, INITS, MODELS, Layers, Model, Workspace, forward, model_of
from objectives.training.descent import descend
from tests.support.problems import Array, Sizes, config, problem, same_bits


def layers(weights: Array, shapes: tuple[tuple[int, int], ...]) -> list[Array]:
    """Layers `(D + 1, H)` of one trial's weights `(P,)`."""
    return [view[0, 0] for view in Layers(weights[None, None], shapes).views]


def naive_outputs(model: Model, weights: Array, x: Array) -> Array:
    """Outputs `(n, C)` for inputs `x (n, D + 1)`, a layer after the other."""
    inputs, outputs = x.shape[1] - 1, 3
    *hidden, last = layers(weights, model.shapes(inputs, outputs))
    below = x[:, :-1]
    for layer in hidden:
        before = below @ layer[:-1] + layer[-1]
        below = np.tanh(before) if model.activation == "tanh" else np.maximum(before, 0)
    return below @ last[:-1] + last[-1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (1,), (7,), (5, 4, 3)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_is_a_plain_network_for_every_trial_and_replicate(hidden, activation, dtype):
    model, rng = Model(hidden, activation), np.random.default_rng(3)
    weights = rng.normal(size=(2, 4, model.size(6, 3))).astype(dtype)
    x = np.concatenate([rng.normal(size=(2, 1, 5, 6)), np.ones((2, 1, 5, 1))], axis=-1).astype(dtype)
    shapes = model.shapes(6, 3)
    z = forward(x, Layers(weights, shapes), Workspace(shapes, 2, 4, 5, dtype), ACTIVATIONS[activation])
    expected = [[naive_outputs(model, weights[r, k], x[r, 0]).T for k in range(4)] for r in range(2)]
    assert (z.shape, z.dtype) == ((2, 4, 3, 5), np.dtype(dtype))
    np.testing.assert_allclose(z, expected, rtol=1e-3 if dtype == "float32" else 1e-11, atol=1e-5)


def test_shapes_and_size():
    model = Model((64, 16))
    assert model.shapes(8, 10) == ((9, 64), (65, 16), (17, 10))
    assert model.size(8, 10) == 9 * 64 + 65 * 16 + 17 * 10
    assert Model().shapes(8, 1) == ((9, 1),)


def test_layers_are_views_that_cover_the_buffer():
    model = Model((4, 3))
    buffer = np.zeros((2, 3, model.size(5, 2)))
    for i, view in enumerate(Layers(buffer, model.shapes(5, 2)).views):
        view += i + 1
    assert np.bincount(buffer[1, 2].astype(int)).tolist() == [0, 6 * 4, 5 * 3, 4 * 2]


@pytest.mark.parametrize("init", INITS)
def test_initial_weights_are_uniform_within_the_bound(init):
    model = Model((300,), init=init)
    first, second = layers(model.initial(np.random.default_rng(0), 200, 100), model.shapes(200, 100))
    for layer, inputs, outputs in ((first, 200, 300), (second, 300, 100)):
        bound = 1 / np.sqrt(inputs) if init == "torch" else np.sqrt(6 / (inputs + outputs))
        weights = layer[:-1].ravel() / bound
        assert 0.9995 < np.abs(weights).max() <= 1
        # Kolmogorov-Smirnov distance from U(-1, 1): 1.95 / sqrt(n) is its 0.1 % point.
        places = (np.sort(weights) + 1) / 2
        assert np.abs(places - np.arange(len(places)) / len(places)).max() < 1.95 / np.sqrt(len(places))


def test_torch_biases_come_from_the_same_bound_and_glorot_biases_are_zero():
    wide = {
        name: layers(Model((), init=name).initial(np.random.default_rng(0), 100, 4000), ((101, 4000),))[0]
        for name in INITS
    }
    torch_bias = wide["torch"][-1]
    assert 0.099 < np.abs(torch_bias).max() <= 0.1
    assert abs(torch_bias.std() - 0.1 / np.sqrt(3)) < 0.002
    assert not wide["glorot"][-1].any()


@pytest.mark.parametrize("init", INITS)
def test_initial_weights_are_a_function_of_the_generator(init):
    model = Model((5,), init=init)
    first, again, other = (model.initial(np.random.default_rng(seed), 4, 3) for seed in (1, 1, 2))
    assert first.shape == (model.size(4, 3),)
    assert first.dtype == np.float64
    assert same_bits(first, again)
    assert not same_bits(first, other)


def test_models_are_read_from_configs():
    assert model_of({}) == Model((64,), "relu", "torch")
    assert model_of({"model": "linear", "hidden": [8], "init": "glorot"}) == Model((), init="glorot")
    assert model_of({"model": "mlp", "hidden": [8, 4], "activation": "tanh"}) == Model((8, 4), "tanh")
    for name in MODELS:
        assert model_of({"model": name}).shapes(3, 2)


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("model", "mpl", "did you mean 'mlp'"),
        ("activation", "rely", "did you mean 'relu'"),
        ("init", "xavier", "choose one of: glorot, torch"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(key, value, hint):
    with pytest.raises(InvalidInput, match=rf"{key}: '{value}' is not known; {hint}"):
        model_of({key: value})


@pytest.mark.parametrize(("task", "outputs"), [("binary", 1), ("multiclass", 3), ("regression", 2)])
def test_predictions_are_probabilities_or_values_in_the_users_units(task, outputs):
    whole = problem(Sizes(task, outputs, train=60), Model((8,)))
    weights = descend(whole, [config("adam", lr=0.02, epochs=30)], 30).state.weights[0, 0]
    part = whole.data.train
    predicted = predict(whole, weights, part.x)
    assert predicted.shape == (60, outputs)
    if task == "regression":
        np.testing.assert_allclose(predicted.mean(axis=0), whole.data.y_mean, atol=0.2)
        np.testing.assert_allclose(predicted.std(axis=0), whole.data.y_scale, rtol=0.2)
    elif task == "multiclass":
        np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-12)
        assert (predicted.argmax(axis=1) == part.y.argmax(axis=1)).mean() > 0.9
    else:
        assert ((predicted > 0.5) == (part.y > 0.5)).mean() > 0.9
        assert ((predicted >= 0) & (predicted <= 1)).all()


def test_predictions_are_those_that_training_saw():
    whole = problem(Sizes("multiclass", 4, valid=40), Model((6,), "tanh"))
    outcome = descend(whole, [config("momentum", lr=0.05)], 4)
    q = predict(whole, outcome.state.weights[0, 0], whole.data.valid.x)
    y = whole.data.valid.y
    np.testing.assert_allclose(outcome.curves["valid_loss"][0, 0, -1], -np.log(q[y == 1]).mean(), rtol=1e-12)
    assert outcome.curves["valid_accuracy"][0, 0, -1] == (q.argmax(axis=1) == y.argmax(axis=1)).mean()
