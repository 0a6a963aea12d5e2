"""`Best.to_*`: live objects, what they need to be told, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.schedules import plan_of
from tests.support.framework_runs import INSTALL, best_of, config_of, problem
from tuner.best import load_best, source
from tuner.errors import InexactMapping, NotInstalled, TransferWarning
from tuner.orchestrator.artifacts import best_text

ROOT = Path(__file__).parents[3]


def test_load_best_reads_a_file_with_the_standard_library_alone(tmp_path: Path):
    file = tmp_path / "best.toml"
    file.write_text(best_text(best_of(config_of("adam"), problem())), encoding="utf-8")
    code = (
        "import sys; before = set(sys.modules); import tuner\n"
        f"best = tuner.load_best({str(file)!r}); assert best['lr'] == 0.01 and best.epochs == 3\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"tuner", "objectives"}


def test_what_is_loaded_exports_as_what_was_written(tmp_path: Path):
    best = best_of(config_of("adam", schedule="cosine", warmup=0.1, hidden=[8, 4]), problem())
    (tmp_path / "best.toml").write_text(best_text(best), encoding="utf-8")
    again = load_best(tmp_path)
    for framework in ("torch", "optax"):
        assert again.to_code(framework) == best.to_code(framework)


@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "cosine", "polynomial", "one_cycle"])
@pytest.mark.parametrize("warmup", [0.0, 0.1])
def test_a_torch_scheduler_runs_over_the_users_steps(schedule, warmup):
    torch: Any = pytest.importorskip("torch", reason="pip install torch==2.13.0")
    best = best_of(config_of("sgd", lr=0.3, schedule=schedule, warmup=warmup), problem())
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = best.to_torch_scheduler(optimizer, total_steps=50)
    if schedule == "constant" and not warmup:
        assert scheduler is None
        return
    seen = []
    for _ in range(50):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(seen, 0.3 * plan_of(best.params, 50)(np.arange(50)), rtol=1e-10, atol=1e-12)


def test_a_schedule_needs_its_length():
    best = best_of(config_of("sgd", schedule="cosine"), problem())
    with pytest.raises(InvalidInput, match=r"cosine schedule needs its length: the study's was 27; steps_per_epoch="):
        best.to_optax()
    with pytest.raises(InvalidInput, match="is given together with steps_per_epoch; give one of them"):
        best.to_optax(10, steps_per_epoch=3)
    for wrong in (0, 2.5, True):
        with pytest.raises(InvalidInput, match="must be a whole number of at least 1, but got"):
            best.to_optax(wrong)  # type: ignore[arg-type]
    short = best_of(config_of("sgd", schedule="cosine", warmup=0.9), problem())
    with pytest.raises(InvalidInput, match=r"warmup: 0\.9 of 3 updates leaves none after it"):
        short.to_optax(3)


def test_another_model_is_told_apart_by_its_size():
    torch: Any = pytest.importorskip("torch", reason="pip install torch==2.13.0")
    best = best_of(config_of("adam"), problem())
    other = torch.nn.Linear(64, 10)
    said = r"these are 650 parameters, the tuned model has 1210: .* are a start, no optimum; `tuner run FILE --set 'mod"
    with pytest.warns(TransferWarning, match=said):
        best.to_torch(other.parameters())
    with pytest.warns(TransferWarning, match="650 parameters"):
        best.to_torch([{"params": list(other.parameters()), "lr": 0.5}])
    same = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10))
    assert best.to_torch(same.parameters()).defaults["lr"] == 0.01


def test_groups_that_are_made_already_cannot_be_divided_by_their_decay():
    torch: Any = pytest.importorskip("torch", reason="pip install torch==2.13.0")
    best = best_of(config_of("adam", weight_decay=0.1, decay="weights"), problem())
    model = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10))
    with pytest.raises(InvalidInput, match=r"decay of weights alone makes groups of its own; give model\.param"):
        best.to_torch([{"params": list(model.parameters())}])


def test_what_is_not_installed_comes_with_its_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "find_spec", lambda name: None)
    best = best_of(config_of("sgd"), problem())
    with pytest.raises(NotInstalled, match="PyTorch is not installed: pip install torch"):
        best.to_torch([])
    with pytest.raises(NotInstalled, match="Keras is not installed: pip install keras"):
        best.to_keras()
    with pytest.raises(ImportError, match="optax is not installed: pip install optax"):
        best.to_optax()
    assert "torch.optim.SGD" in best.to_code("torch")  # text needs nothing


def test_unknown_names_come_with_the_nearest():
    best = best_of(config_of("sgd"), problem())
    with pytest.raises(InvalidInput, match="framework: 'pytorch' is not known; did you mean 'torch'"):
        best.to_code("pytorch")
    with pytest.raises(InvalidInput, match="estimator: 'MLPClasifier' is not known; did you mean 'MLPClassifier'"):
        best.to_sklearn("MLPClasifier")
    with pytest.raises(
        InvalidInput, match=r"MLPRegressor is not for a multiclass task; choose one of: .*MLPClassifier"
    ):
        best.to_sklearn("MLPRegressor")
    with pytest.raises(InvalidInput, match=r"no adagrad; take the best of one that it has .*, or tune one: adam, mome"):
        best_of(config_of("adagrad"), problem()).to_sklearn("MLPClassifier")


def test_a_model_in_the_place_of_its_parameters_is_told():
    torch = pytest.importorskip("torch", reason=INSTALL)
    with pytest.raises(InvalidInput, match=r"params: is a model; give model\.parameters\(\)"):
        best_of(config_of("sgd"), problem()).to_torch(torch.nn.Linear(2, 1))


def test_linear_estimators_refuse_what_they_cannot_be():
    with pytest.raises(InvalidInput, match="is linear, but the tuned model has hidden layers; take an MLP"):
        best_of(config_of("sgd"), problem()).to_sklearn("SGDClassifier")
    linear = {"model": "linear", "batch_size": 32}
    with pytest.raises(InvalidInput, match="has plain descent alone, but the tuned optimizer is adam"):
        best_of(config_of("adam", **linear), problem(())).to_sklearn("SGDClassifier")
    said = r"it makes a step a row \(tuned were steps of 32 rows, 32 times as long\); it has no momentum"
    with pytest.raises(InexactMapping, match=said):
        best_of(config_of("momentum", **linear), problem(())).to_sklearn("SGDClassifier")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("activation", "relu)); import os", r"config\.activation: .* is not known"),
        ("hidden", [64, "x"], r"config\.hidden: must be a list of sizes"),
        ("beta1", "0.9", r"config\.beta1: must be a number, but got '0\.9'"),
        ("beta1", 1.5, r"adam\.beta1: must lie in \[0, 1\), but got 1\.5"),
        ("schedule", "cosin", r"schedule: 'cosin' is not known; did you mean 'cosine'"),
        ("optimizer", "adm", r"optimizer: 'adm' is not known; did you mean 'adam'"),
        ("dropout", 1.0, r"dropout: must lie in \[0, 1\), but got 1\.0"),
    ],
)
def test_nonsense_is_refused_before_it_is_written_into_code(key, value, said):
    best = best_of(config_of("adam"), problem())
    edited = type(best)(**{**vars(best), "params": {**best.params, key: value}})
    with pytest.raises(InvalidInput, match=said):
        edited.to_code("torch")


def test_an_imported_config_is_read_and_not_exported(tmp_path: Path):
    best = best_of(config_of("adam"), problem())
    imported = type(best)(**{**vars(best), "params": {"x": 0.5}, "conventions": {}, "model": {}, "training": {}})
    (tmp_path / "best.toml").write_text(best_text(imported), encoding="utf-8")
    again = load_best(tmp_path)
    assert dict(again) == {"x": 0.5}
    with pytest.raises(InvalidInput, match="conventions: study 'made up' was imported, so nobody knows"):
        again.to_code("torch")
