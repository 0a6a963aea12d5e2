"""A model elsewhere: the same predictions without the tuner, in PyTorch, Keras, scikit-learn and onnxruntime."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from objectives.data.incoming import incoming
from tests.support.command import Shell
from tests.support.small_models import frame, trained
from tuner.model.elsewhere.writing import write_elsewhere
from tuner.model.trained import TrainedModel

ALONE = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}
TASKS = ("binary", "multiclass", "regression")
CODE = """
import sys, json
import numpy as np, pandas as pd
sys.path.insert(0, sys.argv[1])
from model import load
rows = pd.read_csv("rows.csv")
model = load()
if sys.argv[2] == "regression":
    found = model.predict(rows)
else:
    found = model.predict_proba(rows)
    assert (model.predict(rows) == np.array(json.load(open(sys.argv[1] + "/preparation.json"))["labels"])[found.argmax(1)]).all()
np.save("found.npy", found)
assert not {"tuner", "objectives"} & set(sys.modules)
"""  # noqa: E501


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("homes")
    for task in TASKS:
        trained(task, place / task)
    return place


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    frame(120, seed=4).to_csv("rows.csv", index=False)
    return Shell(capsys)


def own(homes: Path, task: str) -> tuple[TrainedModel, Any]:
    """The model and what it says of the rows."""
    import pandas as pd

    model = tuner.load_model(homes / task / "small")
    rows = pd.read_csv("rows.csv")
    members = model.of_members(model.preparation.transform(incoming(rows, model.preparation).values))
    return model, (model.answers(members) if task == "regression" else model.shares(members))


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("tool", ["torch", "keras", "sklearn"])
def test_code_and_files_predict_the_same_without_the_tuner(tool: str, task: str, homes: Path, shell: Shell) -> None:
    needed = ("keras", "torch") if tool == "keras" else (tool,)
    if not all(map(find_spec, needed)):
        pytest.skip(f"needs {' and '.join(needed)}")
    ended = shell("export", "small", "there", "--to", tool, "--home", homes / task)
    assert (ended.code, ended.err) == (0, "wrote the model into there\n")
    code = [sys.executable, "-W", "error::UserWarning", "-c", CODE, "there", task]
    done = subprocess.run(code, capture_output=True, text=True, env=ALONE)
    assert done.returncode == 0, done.stderr
    close = 1e-7 if tool == "keras" else 1e-9  # Keras multiplies matrices in float32 on some backends
    assert np.allclose(np.load("found.npy"), own(homes, task)[1], rtol=close, atol=close)


DECIDE = """
import sys
import numpy as np, pandas as pd
sys.path.insert(0, sys.argv[1])
from model import load
np.save("decided.npy", load().predict(pd.read_csv("rows.csv")))
"""


def decided(homes: Path) -> tuple[TrainedModel, Any]:
    """The model with a threshold that changes what it says of some rows, and whether each row is above it."""
    model, shares = own(homes, "binary")
    least = float(np.quantile(shares[:, 1], 0.2))
    above = shares[:, 1] > least
    assert (above != (shares[:, 1] > 0.5)).any()
    return replace(model, facts={**model.facts, "threshold": least, "goal": "valid_f1"}), above


@pytest.mark.parametrize("tool", ["torch", "keras", "sklearn"])
def test_a_threshold_goes_with_the_model(tool: str, homes: Path, shell: Shell) -> None:
    needed = ("keras", "torch") if tool == "keras" else (tool,)
    if not all(map(find_spec, needed)):
        pytest.skip(f"needs {' and '.join(needed)}")
    model, above = decided(homes)
    write_elsewhere(model, tool, Path("there"))
    done = subprocess.run([sys.executable, "-c", DECIDE, "there"], capture_output=True, text=True, env=ALONE)
    assert done.returncode == 0, done.stderr
    found = np.load("decided.npy", allow_pickle=True)
    assert (found == np.array(model.classes)[above.astype(int)]).all()


def test_onnxruntime_says_the_class_above_the_threshold(homes: Path, shell: Shell) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model, above = decided(homes)
    write_elsewhere(model, "onnx", Path("model.onnx"))
    rows = incoming(frame(120, seed=4), model.preparation)
    fed = {name: values[:, None] for name, values in zip(model.features, rows.values, strict=True)}
    label = runtime.InferenceSession("model.onnx").run(["label"], fed)[0]
    assert label.dtype == np.int64
    assert (label == above).all()


@pytest.mark.parametrize("task", TASKS)
def test_onnxruntime_predicts_the_same(task: str, homes: Path, shell: Shell) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    ended = shell("export", "small", "model.onnx", "--to", "onnx", "--home", homes / task)
    assert ended.code == 0, ended.err
    model, expected = own(homes, task)
    rows = incoming(frame(120, seed=4), model.preparation)
    fed = {name: values[:, None] for name, values in zip(model.features, rows.values, strict=True)}
    first = runtime.InferenceSession("model.onnx").run(None, fed)[0]
    found = first[:, 0] if task == "regression" else first
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_what_is_there_is_not_replaced_unasked(homes: Path, shell: Shell) -> None:
    Path("there").mkdir()
    ended = shell("export", "small", "there", "--to", "torch", "--home", homes / "binary")
    assert (ended.code, ended.err) == (2, "error: there: is there already; choose another name, or add --force\n")
    assert shell("export", "small", "there", "--to", "torch", "--home", homes / "binary", "--force").code == 0
    assert {path.name for path in Path("there").iterdir()} == {
        "card.md", "model.json", "model.py", "preparation.json", "weights.npz",
    }  # fmt: skip


def test_the_networks_in_torch_can_be_trained_on(homes: Path, shell: Shell) -> None:
    torch = pytest.importorskip("torch")
    from tuner.model.elsewhere.torch_model import load

    model = load(homes / "multiclass" / "small" / "model")
    numbers, texts = model.read(frame(20, seed=4))
    assert numbers.shape == (20, 3)
    torch.nn.functional.nll_loss(model(numbers, texts).log(), torch.zeros(20, dtype=torch.long)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.networks[0][-1].parameters())
    again = load(homes / "multiclass" / "small" / "model")
    again.load_state_dict(model.state_dict())
