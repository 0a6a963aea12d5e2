"""`tuner.optimizer`: one torch optimizer whose steps are the tuned ones, schedule, clipping and decay included."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tuner
from objectives.errors import InvalidInput
from objectives.optimizers import OPTIMIZERS, RULES
from objectives.schedules import SCHEDULES, plan_of
from tests.support.framework_runs import (
    INSTALL,
    Config,
    batches,
    best_of,
    config_of,
    core,
    problem,
    torch_model,
    torch_step,
    torch_weights,
)
from tuner.best import Best
from tuner.best.conventions import conventions_of
from tuner.errors import InexactMapping, NotInstalled, TransferWarning
from tuner.orchestrator.artifacts import best_text

torch = pytest.importorskip("torch", reason=INSTALL)
TORCHS = [name for name, row in RULES.items() if "torch" in row.frameworks]
STEPS = problem().steps_per_epoch(128)


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trained(config: Config, broken_at: int = -1, **more: Any) -> np.ndarray[Any, Any]:
    """Weights after the config's epochs; `broken_at` an update, all is built again and loaded from a checkpoint."""
    model = torch_model(config, problem())
    optimizer = tuner.optimizer(config, model.parameters(), steps_per_epoch=STEPS, **more)
    for n, (x, y) in enumerate(batches(config, problem())):
        if n == broken_at:
            file = io.BytesIO()
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
            file.seek(0)
            kept, model = torch.load(file), torch_model(config, problem())
            optimizer = tuner.optimizer(config, model.parameters(), steps_per_epoch=STEPS, **more)
            model.load_state_dict(kept["model"])
            optimizer.load_state_dict(kept["optimizer"])
        torch_step(model, optimizer, x, y)
    return torch_weights(model)


def some() -> Any:
    return torch.nn.Parameter(torch.ones(3))


@pytest.mark.parametrize("name", TORCHS)
def test_every_rule_ends_where_the_core_ends(name):
    eps = {"eps": 1e-4} if "eps" in RULES[name].names else {}
    more = {"weight_decay": 0.01} if "weight_decay" in RULES[name].names else {}
    config = config_of(name, schedule="cosine", warmup=0.1, clip_norm=0.5, decay="weights", **eps, **more)
    np.testing.assert_allclose(trained(config), core(config, problem()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("warmup", [0.0, 0.2])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_ends_where_the_core_ends(schedule, warmup):
    config = config_of("momentum", schedule=schedule, warmup=warmup)
    np.testing.assert_allclose(trained(config), core(config, problem()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["momentum", "adamw"])
def test_a_checkpoint_of_the_optimizer_alone_goes_on_where_it_stood(name):
    config = config_of(name, schedule="one_cycle", clip_norm=0.5, weight_decay=0.01)
    assert (trained(config, broken_at=17) == trained(config)).all()


def test_a_whole_batch_method_takes_its_steps():
    config = config_of("gradient_descent", lr=0.5)
    del config["batch_size"]
    model = torch_model(config, problem())
    optimizer = tuner.optimizer(config, model.parameters())
    for x, y in batches(config, problem()):
        torch_step(model, optimizer, x, y)
    np.testing.assert_allclose(torch_weights(model), core(config, problem()), rtol=1e-9, atol=1e-9)


def test_the_rate_stays_where_the_horizon_ends():
    config = {"optimizer": "sgd", "lr": 0.5, "schedule": "cosine", "final": 0.1, "steps": 4}
    one = some()
    optimizer, rates = tuner.optimizer(config, [one]), []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
    plan = plan_of(config, 4)
    np.testing.assert_allclose(rates, 0.5 * plan(np.arange(6)), rtol=1e-12)
    assert rates[4] == rates[5] == pytest.approx(0.05)


def test_groups_with_rates_of_their_own_follow_the_schedule():
    config = {"optimizer": "adam", "lr": 0.5, "schedule": "linear", "epochs": 2}
    groups = [{"params": [some()]}, {"params": [some()], "lr": 0.05}]
    optimizer = tuner.optimizer(config, groups, steps_per_epoch=2)
    optimizer.step()
    optimizer.add_param_group({"params": [some()], "lr": 1.0})
    optimizer.step()
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.025, 0.5]


@pytest.mark.parametrize(
    ("budget", "given", "total"),
    [
        ({"epochs": 4}, {"steps_per_epoch": 5}, 20),
        ({"epochs": 4}, {"total_steps": 7}, 7),
        ({"steps": 30}, {}, 30),
        ({"steps": 30}, {"steps_per_epoch": 5}, 30),
        ({"examples": 100, "batch_size": 30}, {}, 4),
        ({"epochs": 3, "horizon": 4}, {"steps_per_epoch": 5}, 20),
    ],
)
def test_a_schedule_runs_over_the_budget_of_the_study(budget, given, total):
    optimizer = tuner.optimizer({"optimizer": "sgd", "lr": 1.0, "schedule": "linear", **budget}, [some()], **given)
    optimizer.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1 - 1 / total)


def test_parameters_of_somebodys_own_are_none_of_its_business():
    config = {"optimizer": "adam", "lr": 0.5, "hidden": "wide", "dropout": 7, "loss": "focal", "seed": 3}
    assert tuner.optimizer(config, [some()]).param_groups[0]["lr"] == 0.5


def test_a_best_config_is_a_config():
    config = config_of("nesterov", schedule="cosine")
    model, best = torch_model(config, problem()), best_of(config, problem())
    optimizer = tuner.optimizer(best, model.parameters(), steps_per_epoch=STEPS)
    assert optimizer.param_groups[0]["nesterov"]
    assert optimizer.param_groups[0]["lr"] == 0.01
    with pytest.warns(TransferWarning, match="these are 3 parameters"):
        tuner.optimizer(best, [some()], steps_per_epoch=STEPS)


@pytest.mark.parametrize("budget", [{"epochs": 4}, {"steps": 12}])
def test_the_best_of_code_of_ones_own_is_a_config(budget):
    config = {"optimizer": "sgd", "lr": 1.0, "schedule": "linear", "hidden": 3, "dropout": "none", **budget}
    params = {**config, "epochs": 2, "horizon": budget.get("epochs", 12)}  # epochs of a best are its best epoch's
    best = Best("own", 0, params, {}, {}, conventions_of(config))
    optimizer = tuner.optimizer(best, [some()], steps_per_epoch=3)
    optimizer.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1 - 1 / 12)


COSINE = {"optimizer": "sgd", "schedule": "cosine"}


@pytest.mark.parametrize(
    ("config", "given", "said"),
    [
        ({"lr": 0.1}, {}, r"names no optimizer; write a table \[optimizers.adam\]"),
        (3, {}, "config: is int"),
        ({"optimizer": "adm"}, {}, "'adm' is not known; did you mean 'adam'"),
        ({"optimizer": "adam", "lr": -1.0}, {}, "lr: must lie in"),
        ({"optimizer": "adam", "lr": "0.1"}, {}, "lr: must be a number"),
        ({**COSINE, "epochs": 5}, {}, r"needs its length in updates; give steps_per_epoch=len\(loader\), or total"),
        (COSINE, {"steps_per_epoch": 5}, "needs its length in updates; give total_steps="),
        ({**COSINE, "epochs": 5}, {"steps_per_epoch": 5, "total_steps": 3}, "is given together with"),
        ({**COSINE, "epochs": 5}, {"steps_per_epoch": 2.5}, "steps_per_epoch: must be a whole number"),
        ({**COSINE, "epochs": 1, "warmup": 0.9}, {"total_steps": 1}, "leaves none after it"),
        ({"optimizer": "newton"}, {}, "newton cannot go to torch: it has no Hessian"),
        ({"optimizer": "random_weights"}, {}, "it makes no steps, it draws weights"),
    ],
)
def test_what_cannot_be_used_is_said(config, given, said):
    with pytest.raises(InvalidInput, match=said):
        tuner.optimizer(config, [some()], **given)


def test_what_torch_does_otherwise_is_refused_or_the_nearest():
    config = {"optimizer": "adam", "framework": "keras", "lr": 0.1, "eps": 1e-3}
    with pytest.raises(InexactMapping, match="PyTorch cannot make the steps of this adam, tuned as Keras's"):
        tuner.optimizer(config, [some()])
    with pytest.warns(UserWarning, match="this is the nearest"):
        assert tuner.optimizer(config, [some()], strict=False).param_groups[0]["lr"] == 0.1


def test_a_model_is_not_its_parameters():
    with pytest.raises(InvalidInput, match=r"is a model; give model.parameters\(\)"):
        tuner.optimizer({"optimizer": "adam"}, torch.nn.Linear(1, 1))


def test_every_row_is_made_or_refused_with_a_reason():
    made = {*TORCHS, "gradient_descent"}
    assert len(made) >= 12
    for name in OPTIMIZERS:
        if name in made:
            assert isinstance(tuner.optimizer({"optimizer": name}, [some()]), torch.optim.Optimizer)
        else:
            said = r"cannot go to torch: \w+|cannot make the steps of this lbfgs: the line search"
            with pytest.raises((InvalidInput, InexactMapping), match=said):
                tuner.optimizer({"optimizer": name}, [some()])


def test_without_torch_the_install_line_is_said(monkeypatch):
    monkeypatch.setattr("tuner.best.source.find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match="pip install torch"):
        tuner.optimizer({"optimizer": "adam"}, [some()])


@pytest.mark.parametrize("framework", ["torch", "keras", "optax"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_code_for_training_of_ones_own_is_the_optimizer_alone(framework, schedule, tmp_path):
    config = {
        "optimizer": "adamw",
        "lr": 0.5,
        "schedule": schedule,
        "hidden": 3,
        "loss": "focal",
        "framework": framework,
    }
    best = own_best(config)
    text = best.to_code(framework)
    compile(text, framework, "exec")
    assert "def make_optimizer(" in text
    assert "model" not in text
    assert ("math" in text) == (schedule == "cosine")
    if framework == "torch":
        assert best.to_torch([some()]).param_groups[0]["lr"] == 0.5
    file = tmp_path / "best.toml"
    file.write_text(best_text(best), encoding="utf-8")
    assert tuner.load_best(file)["loss"] == "focal"


def test_scikit_learn_has_no_optimizer_alone():
    with pytest.raises(InvalidInput, match="no optimizer apart from its estimators; take the values"):
        own_best({"optimizer": "adam", "lr": 0.5}).to_code("sklearn")


def own_best(config: Config) -> Best:
    """The best config of a study of somebody's own code."""
    params = {**config, "epochs": 2, "horizon": 4}
    training = {"epochs": 2, "horizon": 4, "horizon_steps": 4}
    result = {"metric": "valid_loss", "value": 0.5}
    return Best("own", 0, params, training, result, conventions_of(config), {"task": "own"})
