"""Printed code runs where there is no tuner, uses what was tuned, and is what the live object is made of."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from objectives.errors import InvalidInput
from objectives.models import INITS
from objectives.optimizers import FRAMEWORKS, RULES
from objectives.schedules import SCHEDULES
from objectives.training.hypers import Entry, hypers_of
from tests.support.framework_runs import Config, best_of, config_of, problem
from tests.support.problems import natural
from tuner.best.exporters import EXPORTERS, Exporter
from tuner.best.keras import code as keras_code
from tuner.best.schedule_code import FORMULAS
from tuner.best.source import executed
from tuner.errors import InexactMapping, InexactWarning

PACKAGES = {"torch": "torch", "keras": "keras", "optax": "optax", "sklearn": "sklearn"}
ALONE = """
import runpy, sys, pathlib
sys.path[:] = [p for p in sys.path if not (pathlib.Path(p or ".") / "tuner" / "__init__.py").exists()]
sys.modules["tuner"] = sys.modules["objectives"] = None  # an import of them fails, wherever they are installed
import numpy as np
"""
TRAIN = {
    "torch": """
import torch
torch.manual_seed(0)
model = code["train"](code["make_model"](), torch.tensor(x), torch.tensor(y))
model.eval()
z = model(torch.tensor(x)).detach().numpy()
""",
    "keras": """
import keras
keras.utils.set_random_seed(0)
z = np.asarray(code["train"](code["make_model"](), x, y).predict(x, verbose=0))
""",
    "optax": """
import jax
key = jax.random.key(0)
params = code["train"](code["make_model"](key), jax.numpy.asarray(x), jax.numpy.asarray(y), key)
z = np.asarray(code["predict"](params, x))
""",
    "sklearn": """
import warnings
warnings.simplefilter("ignore")  # it warns that all epochs were used
model = code["make_model"]().fit(x, y)
z = model.predict_proba(x) if hasattr(model, "classes_") else model.predict(x)[:, None]
z = z[:, 1:] - 0.5 if z.shape[1] == 2 else z
""",
}
LEARNED = """
found = z.argmax(axis=1) if task == "multiclass" else (z[:, 0] > 0) if task == "binary" else None
share = (found == y).mean() if found is not None else 1 - ((z[:, 0] - y) ** 2).mean() / y.var()
print(name, round(float(share), 3))
"""


def cases(framework: str) -> dict[str, tuple[str, Config]]:
    """A data set and a config for each task, with what the framework has of schedules, clipping, dropout and decay."""
    everything = {"schedule": "cosine", "warmup": 0.1, "clip_norm": 1.0, "dropout": 0.1, "weight_decay": 1e-3}
    smooth = {} if framework == "sklearn" else {"label_smoothing": 0.1}
    weigh = {"class_weight": "balanced"} if framework in ("torch", "optax") else smooth
    more = {} if framework == "sklearn" else {**everything, **smooth, "decay": "weights"}
    flat = {"model": "linear", "batch_size": 32, "epochs": 20}
    rest = {"lr": 0.02, "batch_size": 32, "epochs": 30, "init": "glorot"}
    rest |= {} if framework == "sklearn" else {"loss": "huber", "huber_delta": 1.0, "schedule": "one_cycle"}
    return {
        "multiclass": ("digits", config_of("adam", framework, batch_size=32, epochs=10, **more)),
        "binary": ("breast_cancer", config_of("nesterov", framework, lr=0.02, momentum=0.9, **flat, **weigh)),
        "regression": ("diabetes", config_of("sgd", framework, **rest)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_code_trains_without_the_tuner(framework, tmp_path: Path):
    if find_spec(PACKAGES[framework]) is None:
        pytest.skip(f"runs {framework}: pip install torch==2.13.0 jax optax keras")
    script = [ALONE]
    for task, (source, config) in cases(framework).items():
        whole = problem(() if config["model"] == "linear" else (16,), source, "float32")
        (tmp_path / f"{task}.py").write_text(best_of(config, whole).to_code(framework), encoding="utf-8")
        data = whole.data.train
        y = data.y.argmax(axis=1) if task == "multiclass" else data.y[:, 0]
        np.savez(tmp_path / f"{task}.npz", x=data.x[:, :-1], y=y)
        script.append(f"name = task = {task!r}\ncode = runpy.run_path('{task}.py')\narrays = np.load('{task}.npz')")
        script += ["x, y = arrays['x'], arrays['y']", TRAIN[framework], LEARNED]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": ""}
    command = [sys.executable, "-c", "\n".join(script)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shares = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}
    assert shares["multiclass"] > 0.9
    assert shares["binary"] > 0.93
    assert shares["regression"] > 0.35


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", RULES)
def test_code_of_every_rule_and_schedule_is_python_of_moderate_width(name, framework):
    if framework not in RULES[name].frameworks:
        return
    for schedule in SCHEDULES:
        for init in INITS:
            config = config_of(name, schedule=schedule, warmup=0.05, init=init, weight_decay=0.01, clip_norm=1.0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InexactWarning)
                text = best_of(config, problem()).to_code(framework, strict=False)
            ast.parse(text)
            assert max(map(len, text.splitlines())) <= 120
            assert "tuner" not in [word for node in ast.walk(ast.parse(text)) for word in names_of(node)]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("row", hypers_of(Entry.LAYERS, Entry.LOSS), ids=lambda row: row.name)
def test_no_hyperparameter_of_training_is_left_out_in_silence(row, framework):
    value = natural(row.hyper, 0.37)
    owner = {row.owner: row.owners[0]} if row.owner else {}
    for task, source in (("multiclass", "digits"), ("binary", "breast_cancer"), ("regression", "diabetes")):
        if not row.fits(task) or (owner and task != "regression"):
            continue
        config, whole = config_of("sgd", framework, **owner), problem((16,), source)
        if framework in row.lacking:
            with pytest.raises(InexactMapping, match=row.lacking[framework]):
                best_of({**config, row.name: value}, whole).to_code(framework)
        elif framework == "sklearn":  # its networks have the squared error alone
            with pytest.raises(InexactMapping, match="it is another"):
                best_of({**config, row.name: value}, whole).to_code(framework)
        else:
            plain, tuned = (best_of(one, whole).to_code(framework) for one in (config, {**config, row.name: value}))
            assert plain != tuned


@pytest.mark.parametrize("source", ["digits", "breast_cancer"])
def test_smoothed_labels_of_the_code_are_those_of_the_core(source):
    torch = pytest.importorskip("torch")
    value, whole = 0.25, problem((16,), source)
    config = config_of("sgd", lr=1e-12, batch_size=10**6, epochs=1, label_smoothing=value)
    names = executed(best_of(config, whole).to_code("torch"), "smoothed")
    plain = torch.nn.functional.binary_cross_entropy_with_logits if source == "breast_cancer" else None
    data = whole.data.train
    x, y = torch.tensor(data.x[:, :-1]), torch.tensor(data.y if plain else data.y.argmax(axis=1))
    model = names["make_model"]().to(x.dtype)
    with mock.patch.object(torch.Tensor, "backward", autospec=True) as backward:
        names["train"](model, x, y)
    (found,) = backward.call_args.args
    z = model(x).detach()
    both = z if plain is None else torch.cat([torch.zeros_like(z), z], 1)
    share = torch.tensor(data.y if plain is None else np.c_[1 - data.y, data.y])
    expected = torch.nn.CrossEntropyLoss(label_smoothing=value)(both, share).item()
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("source", ["digits", "breast_cancer"])
def test_balanced_weights_of_the_code_are_those_of_the_core(source):
    torch = pytest.importorskip("torch")
    whole = problem((16,), source)
    config = config_of("sgd", lr=1e-12, batch_size=10**6, epochs=1, class_weight="balanced")
    names = executed(best_of(config, whole).to_code("torch"), "weighted")
    data, binary = whole.data.train, source == "breast_cancer"
    x, y = torch.tensor(data.x[:, :-1]), torch.tensor(data.y if binary else data.y.argmax(axis=1))
    model = names["make_model"]().to(x.dtype)
    with mock.patch.object(torch.Tensor, "backward", autospec=True) as backward:
        names["train"](model, x, y)
    (found,) = backward.call_args.args
    z = model(x).detach()
    both, codes = torch.cat([torch.zeros_like(z), z], 1) if binary else z, y.flatten().long()
    weight = len(y) / torch.bincount(codes) / both.shape[1]
    assert found.item() == pytest.approx(torch.nn.CrossEntropyLoss(weight=weight.to(x.dtype))(both, codes).item())


@pytest.mark.parametrize("framework", ["torch", "keras", "optax"])
def test_class_weights_that_code_does_not_write_are_named(framework):
    whole = problem((16,), "digits")
    config = config_of("sgd", framework, lr=0.1, class_weight='{"3": 2.0}')
    with pytest.raises(InexactMapping, match=r"this code trains without \(tuned was .*3"):
        best_of(config, whole).to_code(framework)


def names_of(node: ast.AST) -> list[str]:
    """The modules that a node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


STUB = """
from tuner.best.differences import same_steps

def code(recipe, strict):
    same_steps(recipe, "torch", strict)
    return f"lightning at {recipe.lr}"

def optimizer_parts(recipe):
    return ["import lightning", f"lr = {recipe.lr}"]
"""


def test_a_new_exporter_is_a_module_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "to_lightning.py").write_text(STUB, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(
        EXPORTERS, "lightning", Exporter("lightning", "Lightning", "lightning", "to_lightning", "torch")
    )
    best = best_of(config_of("adam", lr=0.5), problem())
    assert best.to_code("lightning") == "lightning at 0.5"
    own = type(best)(**{**vars(best), "model": {"task": "own"}})
    assert own.to_code("lightning").endswith("\nimport lightning\n\n\nlr = 0.5\n")
    with pytest.raises(InvalidInput, match="framework: 'lightnin' is not known; did you mean 'lightning'"):
        best.to_code("lightnin")


def test_every_schedule_has_a_formula():
    assert FORMULAS.keys() == SCHEDULES.keys()


def test_the_code_names_what_was_tuned():
    config = config_of("adamw", lr=0.003, batch_size=64, epochs=5, schedule="cosine", dropout=0.25, clip_norm=2.0)
    best = best_of(config, problem())
    text = best.to_code("torch")
    for said in (
        "BATCH_SIZE = 64", "EPOCHS = 5", "HORIZON = 5", "lr=0.003", "weight_decay=0.01", "betas=(0.9, 0.999)",
        "torch.nn.Dropout(0.25)", "clip_grad_norm_(params, 2.0)", "CosineAnnealingLR", "CrossEntropyLoss()",
        "torch.nn.Linear(inputs, 16)", "make_model(inputs=64, outputs=10)",
    ):  # fmt: skip
        assert said in text
    assert text.startswith("# Trial 0 of study 'made up': valid_loss 0.1 in the search, not confirmed.\n")


def test_the_best_epoch_and_the_horizon_are_two_numbers():
    best = best_of(config_of("sgd", epochs=9, schedule="linear"), problem())
    early = type(best)(**{**vars(best), "training": {**best.training, "epochs": 4}})
    assert "EPOCHS = 4 " in early.to_code("torch")
    assert "HORIZON = 9 " in early.to_code("torch")
    assert "max_iter=4," in type(best)(**{**vars(early), "params": {**best.params, "schedule": "constant"}}).to_code(
        "sklearn"
    )


def test_the_nearest_says_so_in_its_first_lines():
    best = best_of(config_of("adam", eps=1e-4), problem())
    with pytest.raises(InexactMapping, match=r"eps counts 31\.6 times as much at the first update"):
        best.to_code("keras")
    with pytest.warns(InexactWarning, match=r"Keras cannot make the steps of this adam, tuned as PyTorch's"):
        text = best.to_code("keras", strict=False)
    assert "# NOT the tuned steps, but the nearest: the divisor is sqrt(v) + eps, before the bias correction" in text


def test_a_difference_below_the_tolerance_is_said_and_no_reason_to_refuse():
    for framework in ("keras", "sklearn"):
        text = " ".join(best_of(config_of("adam"), problem()).to_code(framework).replace("\n#", "").split())
        assert "The tuned update rule, but for this: the divisor is sqrt(v) + eps, before the bias correction" in text
        assert "less than a thousandth of a step where gradients are above a thousandth" in text


def test_how_inputs_are_prepared_is_said_for_categories_and_gaps():
    text = " ".join(best_of(config_of("sgd"), problem()).to_code("torch").replace("\n#", "").split())
    assert "0 or 1 for each category of a text column, which is NOT standardised" in text
    assert "gaps of numbers and dates filled with their median over the train rows" in text


def test_keras_has_coupled_decay_in_its_layers():
    config = config_of("adadelta", weight_decay=0.02)
    text = best_of(config, problem()).to_code("keras")
    assert text.count("kernel_regularizer=keras.regularizers.L2(0.01)") == 2
    assert text.count("bias_regularizer=keras.regularizers.L2(0.01)") == 2
    assert "weight_decay" not in text
    assert "bias_regularizer" not in keras_code(best_of({**config, "decay": "weights"}, problem()).recipe())
    with pytest.raises(InexactMapping, match="its weight decay shrinks the weights, the tuned one adds"):
        best_of({**config, "clip_norm": 1.0}, problem()).to_code("keras")


def test_a_name_cannot_leave_its_comment():
    best = best_of(config_of("sgd"), problem())
    evil = type(best)(**{**vars(best), "study": "a\nimport os\n#"})
    tree = ast.parse(evil.to_code("torch"))
    assert [name for node in ast.walk(tree) for name in names_of(node)] == ["torch"]


def test_live_objects_are_made_of_the_printed_lines():
    torch: Any = pytest.importorskip("torch", reason="pip install torch==2.13.0")
    best = best_of(config_of("nesterov", momentum=0.8, weight_decay=0.01, decay="weights"), problem())
    model = torch.nn.Linear(3, 2)
    names: dict[str, Any] = {}
    exec(best.to_code("torch"), names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live = best.to_torch(model.parameters())
    printed = names["make_optimizer"](model.parameters())
    assert type(live) is type(printed)
    assert str(live) == str(printed)
    assert [len(group["params"]) for group in live.param_groups] == [1, 1]
