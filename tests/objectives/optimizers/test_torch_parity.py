"""Update rules, schedules and training runs equal torch's to rounding (`pip install torch==2.13.0` to run them)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objectives.criterion import criterion_of
from objectives.data import SplitSpec, load_table, prepare
from objectives.models import Layers, Model
from objectives.optimizers import RULES, hyperparameters
from objectives.problem import Problem, Replicate
from objectives.schedules import SCHEDULES, plan_of
from objectives.training.descent import descend
from objectives.training.minibatches import Minibatches
from tests.objectives.optimizers.test_optimizers import OPTIONS, STEPS, gradients, named, one, path, start
from tests.support.problems import Array, Sizes, config, prepared

torch = pytest.importorskip("torch", reason="compares with torch: pip install torch==2.13.0")


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """Counts and nadam's product of momenta are kept in torch's default dtype, whatever the weights'."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


LOSSES = {
    "binary": torch.nn.BCEWithLogitsLoss,
    "multiclass": torch.nn.CrossEntropyLoss,
    "regression": torch.nn.MSELoss,
}
ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}


def torch_optimizer(config: dict[str, Any], parameters: Any) -> Any:
    """The optimizer of torch.optim that a config describes, every argument written out."""
    h = hyperparameters(config)
    decay = {"lr": h["lr"], "weight_decay": h["weight_decay"]}
    adam = {"betas": (h.get("beta1"), h.get("beta2")), "eps": h.get("eps"), **decay}
    makers = {
        "sgd": lambda: torch.optim.SGD(parameters, momentum=0.0, **decay),
        "momentum": lambda: torch.optim.SGD(parameters, momentum=h["momentum"], **decay),
        "nesterov": lambda: torch.optim.SGD(parameters, momentum=h["momentum"], nesterov=True, **decay),
        "adagrad": lambda: torch.optim.Adagrad(
            parameters, initial_accumulator_value=h["initial_accumulator"], eps=h["eps"], **decay
        ),
        "rmsprop": lambda: torch.optim.RMSprop(
            parameters,
            alpha=h["alpha"],
            eps=h["eps"],
            momentum=h["momentum"],
            centered=config.get("centered", False),
            **decay,
        ),
        "adadelta": lambda: torch.optim.Adadelta(parameters, rho=h["rho"], eps=h["eps"], **decay),
        "amsgrad": lambda: torch.optim.Adam(parameters, amsgrad=True, **adam),
        "adamax": lambda: torch.optim.Adamax(parameters, **adam),
        "nadam": lambda: torch.optim.NAdam(parameters, momentum_decay=h["momentum_decay"], **adam),
        "adam": lambda: torch.optim.Adam(parameters, **adam),
        "adamw": lambda: torch.optim.AdamW(parameters, **adam),
    }
    return makers[config["optimizer"]]()


def torch_schedule(config: dict[str, Any], optimizer: Any, horizon: int) -> Any:
    """The schedule of torch.optim that a config describes, started over after its warmup."""
    ways, plan = torch.optim.lr_scheduler, plan_of(config, horizon)
    late, lr, v = plan.horizon, optimizer.param_groups[0]["lr"], plan.values
    makers = {
        "constant": lambda: ways.ConstantLR(optimizer, factor=1.0),
        "step": lambda: ways.StepLR(optimizer, max(1, round(v["step_size"] * late)), v["gamma"]),
        "exponential": lambda: ways.ExponentialLR(optimizer, v["gamma"] ** (1 / (v["step_size"] * late))),
        "cosine": lambda: ways.CosineAnnealingLR(optimizer, T_max=late, eta_min=v["final"] * lr),
        "linear": lambda: ways.LinearLR(optimizer, 1.0, v["final"], late),
        "polynomial": lambda: ways.PolynomialLR(optimizer, late, v["power"]),
        "one_cycle": lambda: ways.OneCycleLR(optimizer, lr, late, cycle_momentum=False),
        "inverse_sqrt": lambda: ways.LambdaLR(
            optimizer, lambda k: math.sqrt(max(plan.warmup, 1) / (k + plan.warmup + 1))
        ),
    }
    if not plan.warmup:
        return makers[config["schedule"]]()
    rising = ways.LinearLR(optimizer, 1 / plan.warmup, total_iters=max(1, plan.warmup - 1))
    return ways.SequentialLR(optimizer, [rising, makers[config["schedule"]]()], milestones=[plan.warmup])


def path_torch(member: dict[str, Any], drawn: Array, dtype: str) -> Array:
    """Weights `(60, P)` after every update."""
    parameter = torch.nn.Parameter(torch.tensor(start().astype(dtype)))
    optimizer = torch_optimizer(member, [parameter])
    schedule = torch_schedule(member, optimizer, STEPS)
    seen = []
    for g in drawn.astype(dtype):
        parameter.grad = torch.tensor(g)
        optimizer.step()
        schedule.step()
        seen.append(parameter.detach().numpy().copy())
    return np.stack(seen)


def assert_same_path(member: dict[str, Any], dtype: str, rtol: float, atol: float) -> None:
    drawn = gradients()
    ours = path([member], drawn, dtype)[:, 0]
    np.testing.assert_allclose(ours, path_torch(member, drawn, dtype), rtol=rtol, atol=atol)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_rule_is_torchs_with_a_large_eps_and_decay(rule, schedule):
    values = {"eps": 0.1} if "eps" in RULES[rule].names else {}
    member = one(rule, lr=0.03, schedule=schedule, weight_decay=0.01, **values)
    assert_same_path(member, "float64", 1e-12, 1e-12)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_rule_is_torchs_at_its_defaults(rule, schedule):
    assert_same_path(one(rule, schedule=schedule), "float64", 1e-12, 1e-12)


def rates_torch(config: dict[str, Any], horizon: int) -> list[float]:
    """The learning rates of torch's schedule, update by update."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = torch_schedule(config, optimizer, horizon)
    seen = []
    for _ in range(horizon):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.02, 0.1, 0.35])
@pytest.mark.parametrize("horizon", [50, 137])
@pytest.mark.parametrize(
    "values", [{}, {"gamma": 0.5, "step_size": 0.1, "power": 0.7}, {"final": 0.01, "gamma": 0.9, "step_size": 0.02}]
)
def test_a_schedule_is_torchs(schedule, warmup, horizon, values):
    if schedule == "polynomial":
        values = {**values, "final": 0.0}  # torch's ends at 0
    if schedule == "one_cycle" and warmup:
        pytest.skip("torch's OneCycleLR does not start from another schedule's rate")
    config = {"schedule": schedule, "warmup": warmup, **values}
    ours = 0.3 * plan_of(config, horizon)(np.arange(horizon))
    np.testing.assert_allclose(ours, rates_torch(config, horizon), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_torchs_in_float32(rule):
    assert_same_path(one(rule, schedule="cosine", weight_decay=0.01), "float32", 1e-5, 1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("member", OPTIONS, ids=named)
def test_an_option_is_torchs(member, schedule):
    assert_same_path({**member, "schedule": schedule}, "float64", 1e-12, 1e-12)
    assert_same_path({**member, "schedule": schedule}, "float32", 1e-5, 1e-6)


def test_nadam_is_torchs_with_its_product_in_float32():
    torch.set_default_dtype(torch.float32)
    assert_same_path(one("nadam", eps=0.1, weight_decay=0.01), "float64", 1e-9, 1e-9)


DEFAULTS = {
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
}


def test_defaults_are_torchs():
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    for name, torchs in DEFAULTS.items():
        ours, theirs = hyperparameters({"optimizer": name}), torchs(parameters).defaults
        theirs["initial_accumulator"] = theirs.get("initial_accumulator_value")
        if "betas" in theirs:
            theirs["beta1"], theirs["beta2"] = theirs["betas"]
        assert {key: theirs[key] for key in ours} == ours


def prepared_problem(source: str, model: Model) -> Problem:
    table = load_table(f"sklearn:{source}", base=Path())
    return Problem((Replicate(3, 0, prepare(table, SplitSpec(), 0, dtype="float64")),), model)


def torch_model(problem: Problem, weights: Array) -> Any:
    """The same network with the same weights `(P,)`; torch keeps `(out, in)` and its biases apart."""
    activation = ACTIVATIONS[problem.model.activation]
    shapes = problem.model.shapes(problem.inputs, problem.outputs)
    modules: list[Any] = []
    for (rows, columns), view in zip(shapes, Layers(weights[None, None], shapes).views, strict=True):
        linear = torch.nn.Linear(rows - 1, columns, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(view[0, 0, :-1].T.copy()))
            linear.bias.copy_(torch.tensor(view[0, 0, -1].copy()))
        modules += [linear, activation()]
    return torch.nn.Sequential(*modules[:-1])


def torch_weights(model: Any) -> Array:
    linears = [module for module in model if isinstance(module, torch.nn.Linear)]
    layers = [np.vstack([m.weight.detach().numpy().T, m.bias.detach().numpy()]) for m in linears]
    return np.concatenate([layer.ravel() for layer in layers])


def torch_criterion(problem: Problem, member: dict[str, Any]) -> Any:
    if member.get("loss") == "huber":
        return torch.nn.HuberLoss(delta=member["huber_delta"])
    if member.get("loss") == "absolute_error":
        return torch.nn.L1Loss()
    if smoothing := member.get("label_smoothing"):
        several = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
        return several if problem.data.task == "multiclass" else lambda z, y: several(*as_two_classes(z, y))
    return LOSSES[problem.data.task]()


def as_two_classes(z: Any, y: Any) -> tuple[Any, Any]:
    """One output for the second of two classes as outputs of both, and its targets as shares of both."""
    return torch.cat([torch.zeros_like(z), z], 1), torch.cat([1 - y, y], 1)


def torch_parameters(model: Any, member: dict[str, Any]) -> Any:
    """All parameters, or two groups of which the biases do not decay."""
    if member.get("decay", "all") == "all":
        return model.parameters()
    weights, biases = (
        [p for name, p in model.named_parameters() if name.endswith(kind)] for kind in ("weight", "bias")
    )
    return [{"params": weights}, {"params": biases, "weight_decay": 0.0}]


def outputs_of(model: Any, x: Any, rate: float, streams: list[np.random.Generator]) -> Any:
    """The model's outputs, what `torch.nn.Dropout(rate)` does by our masks behind every activation."""
    layer = 0
    for module in model:
        x = module(x)
        if rate and isinstance(module, tuple(ACTIVATIONS.values())):
            keep = streams[layer].random(tuple(x.shape), dtype=np.float32) >= np.float32(rate)
            x, layer = x * torch.tensor(keep / (1 - rate)), layer + 1
    return x


def train_torch(problem: Problem, member: dict[str, Any], weights: Array, epochs: int) -> tuple[Array, list[float]]:
    """Weights `(P,)` and mean train losses of each epoch, from the same start over the same minibatches."""
    model, criterion = torch_model(problem, weights), torch_criterion(problem, member)
    optimizer = torch_optimizer(member, torch_parameters(model, member))
    size = member["batch_size"]
    schedule = torch_schedule(member, optimizer, member["epochs"] * problem.steps_per_epoch(size))
    losses = []
    for epoch in range(epochs):
        total = 0.0
        layers = range(len(problem.model.hidden))
        streams = [problem.replicates[0].dropout_stream(epoch, layer) for layer in layers]
        for x, y, _ in Minibatches(problem.replicates, size).epoch(epoch):
            optimizer.zero_grad()
            found = outputs_of(model, torch.tensor(x[0, 0, :, :-1]), member.get("dropout", 0.0), streams)
            loss = criterion(found, torch.tensor(y[0, 0].T.copy()))
            loss.backward()
            if member.get("clip_norm"):
                torch.nn.utils.clip_grad_norm_(model.parameters(), member["clip_norm"])
            optimizer.step()
            schedule.step()
            total += loss.item() * x.shape[2]
        losses.append(total / len(problem.data.train))
    return torch_weights(model), losses


def assert_same_run(problem: Problem, member: dict[str, Any], epochs: int = 3) -> None:
    outset = descend(problem, [member], 0).state.weights[0, 0]
    weights, losses = train_torch(problem, member, outset, epochs)
    ours = descend(problem, [member], epochs)
    assert not ours.diverged.any()
    assert np.abs(weights - outset).max() > 1e-3
    np.testing.assert_allclose(ours.state.weights[0, 0], weights, **TOLERANCE)
    np.testing.assert_allclose(ours.curves["train_loss"][0, 0], losses, **TOLERANCE)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "linear"])
def test_three_epochs_of_digits_end_at_torchs_weights(rule, schedule):
    digits = prepared_problem("digits", Model((64,)))
    # a weight that no pixel reaches ends by turning around 0, where a tiny eps magnifies rounding
    values = {"eps": 1e-4} if rule == "nadam" else {}
    assert_same_run(digits, config(rule, batch_size=32, epochs=3, schedule=schedule, weight_decay=1e-3, **values))


@pytest.mark.parametrize("member", OPTIONS, ids=named)
def test_three_epochs_of_digits_with_an_option_end_at_torchs_weights(member):
    assert_same_run(prepared_problem("digits", Model((64,))), {**member, "batch_size": 32, "epochs": 3})


@pytest.mark.parametrize(
    ("source", "model"),
    [
        ("digits", Model((32, 16), "tanh", "glorot")),
        ("breast_cancer", Model()),
        ("breast_cancer", Model((8,))),
        ("diabetes", Model()),
        ("diabetes", Model((8,), "tanh")),
        ("iris", Model()),
    ],
    ids=str,
)
def test_other_tasks_and_models_end_at_torchs_weights(source, model):
    assert_same_run(prepared_problem(source, model), config("adam", lr=0.01, batch_size=32, epochs=6))


@pytest.mark.parametrize(("inputs", "outputs"), [(64, 300), (300, 64)])
def test_initial_weights_are_distributed_as_torchs(inputs, outputs):
    torch.manual_seed(0)
    linear = torch.nn.Linear(inputs, outputs)
    theirs = torch_weights([linear])
    ours = Model().initial(np.random.default_rng(0), inputs, outputs)
    assert abs(np.abs(theirs).max() - np.abs(ours).max()) < 0.01 / np.sqrt(inputs)
    np.testing.assert_allclose(np.quantile(ours, [0.25, 0.5, 0.75]), np.quantile(theirs, [0.25, 0.5, 0.75]), atol=4e-3)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "adam", "adamw"])
@pytest.mark.parametrize("clip_norm", [0.05, 0.5, 1e6])
def test_three_epochs_of_digits_clipped_end_at_torchs_weights(rule, clip_norm):
    digits = prepared_problem("digits", Model((64,)))
    assert_same_run(digits, config(rule, batch_size=32, epochs=3, weight_decay=1e-3, clip_norm=clip_norm))


@pytest.mark.parametrize("rule", ["sgd", "nesterov", "adam", "adamw"])
@pytest.mark.parametrize("model", [Model((64,)), Model((32, 16), "tanh")], ids=str)
@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_three_epochs_of_digits_with_dropout_end_at_torchs_weights(rule, model, rate):
    assert_same_run(prepared_problem("digits", model), config(rule, batch_size=32, epochs=3, dropout=rate))


def test_dropout_drops_and_scales_as_torchs():
    torch.manual_seed(0)
    theirs = torch.nn.Dropout(0.3)(torch.ones(400, 100)).numpy()
    stream = Replicate(0, 0, prepared(Sizes())).dropout_stream(0, 0)
    ours = (stream.random((400, 100), dtype=np.float32) >= np.float32(0.3)) / (1 - 0.3)
    np.testing.assert_allclose(np.unique(ours), np.unique(theirs), rtol=1e-7)
    assert abs(ours.mean() - theirs.mean()) < 0.01


@pytest.mark.parametrize("rule", RULES)
def test_three_epochs_of_digits_with_decay_of_weights_alone_end_at_torchs_weights(rule):
    values = {"eps": 1e-4} if rule == "nadam" else {}
    member = config(rule, batch_size=32, epochs=3, weight_decay=0.1, decay="weights", **values)
    assert_same_run(prepared_problem("digits", Model((64,))), member)


@pytest.mark.parametrize("delta", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("model", [Model(), Model((8,), "tanh")], ids=str)
def test_training_on_huber_ends_at_torchs_weights(delta, model):
    member = config("adam", lr=0.01, batch_size=32, epochs=6, loss="huber", huber_delta=delta)
    plain = prepared_problem("diabetes", model)
    assert_same_run(Problem(plain.replicates, model, criterion_of(member, "regression")), member, 6)


@pytest.mark.parametrize("model", [Model(), Model((8,), "tanh")], ids=str)
def test_training_on_the_absolute_error_ends_at_torchs_weights(model):
    member = config("adam", lr=0.01, batch_size=32, epochs=6, loss="absolute_error")
    plain = prepared_problem("diabetes", model)
    assert_same_run(Problem(plain.replicates, model, criterion_of(member, "regression")), member, 6)


@pytest.mark.parametrize("smoothing", [0.05, 0.3])
@pytest.mark.parametrize("source", ["digits", "breast_cancer", "iris"])
@pytest.mark.parametrize("model", [Model(), Model((8,), "tanh")], ids=str)
def test_training_on_smoothed_labels_ends_at_torchs_weights(source, model, smoothing):
    member = config("adam", lr=0.01, batch_size=32, epochs=3, label_smoothing=smoothing)
    plain = prepared_problem(source, model)
    assert_same_run(Problem(plain.replicates, model, criterion_of(member, plain.data.task)), member)
