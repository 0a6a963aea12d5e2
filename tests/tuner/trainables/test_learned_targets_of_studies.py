"""Studies of counts, quantiles and logarithms: judged in the target's own units, shipped, and the same elsewhere."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import tuner
from objectives.data import SplitSpec, table_from
from objectives.data.incoming import incoming
from objectives.data.splits import divide
from objectives.errors import DataError, InvalidInput
from tuner.errors import InexactMapping, StudyError
from tuner.model.elsewhere.writing import write_elsewhere
from tuner.study import read_study

pytestmark = pytest.mark.filterwarnings("ignore::tuner.errors.RowsWarning")  # of what the test rows alone have
KINDS: dict[str, dict[str, Any]] = {
    "counts": {"study": {"minimize": "valid_poisson_deviance"}, "train": {"loss": "poisson"}},
    "quantile": {"study": {"minimize": "valid_pinball"}, "train": {"loss": "quantile", "quantile": 0.9}},
    "log": {"study": {"minimize": "valid_mae"}, "data": {"target_transform": "log"}},
    "log1p": {"study": {"minimize": "valid_rmse"}, "data": {"target_transform": "log"}},
}


def table(kind: str, n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(n, 2))
    mean = np.exp(x @ [0.6, -0.4])
    outcome = rng.poisson(mean) if kind in ("counts", "log1p") else mean * np.exp(0.3 * rng.normal(size=n))
    return pd.DataFrame(x, columns=["u", "v"]).assign(outcome=outcome.astype(float))


def study(kind: str) -> dict[str, Any]:
    asked: dict[str, dict[str, Any]] = {
        "study": {"name": kind, "trials": 2},
        "data": {"target": "outcome"},
        "train": {"epochs": 20, "batch_size": 16},
        "model": {"hidden": [6]},
        "optimizers": {"adam": {"lr": {"low": 0.01, "high": 0.05}}},
        "confirm": {"top": 2, "seeds": 2},
    }
    return asked | {name: asked[name] | keys for name, keys in KINDS[kind].items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("learned")
    for kind in KINDS:
        tuner.run(study(kind), data=table(kind), jobs=1, home=made)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_judged_in_the_targets_own_units(kind: str, home: Path) -> None:
    data, model = table(kind), tuner.load_model(home / kind)
    rows = table_from(data[["u", "v"]], data["outcome"], task="regression").rows
    held = data.iloc[divide(rows, SplitSpec(), 0).test]
    said, truth = model.predict(held), held["outcome"]
    metrics = {name: kinds["ensemble"]["value"] for name, kinds in model.metrics.items()}
    assert metrics["test_rmse"] == pytest.approx(np.sqrt(sk.mean_squared_error(truth, said)))
    assert metrics["test_r2"] == pytest.approx(sk.r2_score(truth, said))
    expected = {
        "counts": ("test_poisson_deviance", lambda: sk.mean_poisson_deviance(truth, said)),
        "quantile": ("test_pinball", lambda: sk.mean_pinball_loss(truth, said, alpha=0.9)),
        "log": ("test_mae", lambda: sk.mean_absolute_error(truth, said)),
        "log1p": ("test_rmse", lambda: np.sqrt(sk.mean_squared_error(truth, said))),
    }
    name, value = expected[kind]
    assert metrics[name] == pytest.approx(value())
    constant = model.facts["baselines"]["constant"][name]["value"]
    assert metrics[name] < constant
    if kind == "quantile":
        share = (model.predict(data) >= data["outcome"]).mean()
        assert 0.8 < share < 0.98
        rest = data.drop(index=held.index)["outcome"]
        flat = np.full(len(truth), np.quantile(rest, 0.9))
        assert constant == pytest.approx(sk.mean_pinball_loss(truth, flat, alpha=0.9), rel=0.02)
    if kind != "quantile":
        assert model.predict(data).min() > (-1 if kind == "log1p" else 0)
    ends = model.predict_interval(data, 0.8)
    inside = (ends[0] <= data["outcome"]) & (data["outcome"] <= ends[1])
    assert inside.mean() > 0.7
    assert kind == "quantile" or ends[0].min() == 0  # no such target lies below
    best = tuner.load_best(home / kind)
    low, high = best.interval or (np.nan, np.nan)
    assert low < best.confirmation["mean"] < high


def loaded(place: Path, name: str) -> Any:
    """The module that an export wrote."""
    spec = spec_from_file_location(name, place / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.load()


@pytest.mark.parametrize("kind", KINDS)
def test_torch_predicts_the_same(kind: str, home: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="loads a torch model: pip install torch==2.13.0")
    model, rows = tuner.load_model(home / kind), table(kind)
    write_elsewhere(model, "torch", tmp_path / "there")
    found = loaded(tmp_path / "there", f"torch_{kind}").predict(rows)
    np.testing.assert_allclose(found, model.predict(rows), rtol=1e-9)


KERAS = """
import importlib.util, sys
import numpy as np, pandas as pd
for kind in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location(kind, f"{kind}/model.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[kind] = module
    spec.loader.exec_module(module)
    np.save(f"{kind}.npy", module.load(kind).predict(pd.read_csv(f"{kind}.csv")))
    import keras
    keras.saving.get_custom_objects().clear()
"""


@pytest.mark.slow
def test_keras_predicts_the_same(home: Path, tmp_path: Path) -> None:
    if not all(map(find_spec, ("keras", "torch"))):
        pytest.skip("needs keras and torch")
    for kind in KINDS:
        write_elsewhere(tuner.load_model(home / kind), "keras", tmp_path / kind)
        table(kind).to_csv(tmp_path / f"{kind}.csv", index=False)
    alone = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}
    code = [sys.executable, "-c", KERAS, *KINDS]
    done = subprocess.run(code, capture_output=True, text=True, env=alone, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for kind in KINDS:
        expected = tuner.load_model(home / kind).predict(pd.read_csv(tmp_path / f"{kind}.csv"))
        np.testing.assert_allclose(np.load(tmp_path / f"{kind}.npy"), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_predicts_the_same(kind: str, home: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model, rows = tuner.load_model(home / kind), table(kind)
    write_elsewhere(model, "onnx", tmp_path / "model.onnx")
    given = incoming(rows, model.preparation).values
    fed = {name: values[:, None] for name, values in zip(model.features, given, strict=True)}
    found = runtime.InferenceSession(str(tmp_path / "model.onnx")).run(None, fed)[0][:, 0]
    np.testing.assert_allclose(found, model.predict(rows), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_scikit_learn_has_it_or_is_refused_with_the_reason(kind: str, home: Path, tmp_path: Path) -> None:
    model, rows = tuner.load_model(home / kind), table(kind)
    if kind != "quantile":
        with pytest.raises(InvalidInput, match=r"sklearn: .* averages before the logarithm is undone.*--to torch"):
            write_elsewhere(model, "sklearn", tmp_path / "there")
        return
    write_elsewhere(model, "sklearn", tmp_path / "there")
    np.testing.assert_allclose(loaded(tmp_path / "there", "sklearn_kind").predict(rows), model.predict(rows), rtol=1e-9)


@pytest.mark.parametrize("framework", ["torch", "keras", "optax"])
def test_code_says_what_the_targets_are(framework: str, home: Path) -> None:
    texts = {kind: tuner.load_best(home / kind).to_code(framework, strict=False) for kind in KINDS}
    assert "divided by their mean over the train rows: exp(output) predicts them" in texts["counts"]
    assert "Targets are log(target), standardised: a prediction is exp of that" in texts["log"]
    assert "Targets are log(1 + target), standardised" in texts["log1p"]
    assert "0.9" in texts["quantile"]
    for text in texts.values():
        compile(text, "code", "exec")
        assert max(map(len, text.splitlines())) <= 120


def test_code_trains_on_torchs_losses(home: Path) -> None:
    torch = pytest.importorskip("torch", reason="runs torch code: pip install torch==2.13.0")
    z, y = torch.linspace(-1, 1, 7)[:, None], torch.linspace(0, 2, 7)[:, None]
    expected = {
        "counts": torch.nn.PoissonNLLLoss()(z, y),
        "quantile": torch.maximum(0.9 * (y - z), -0.1 * (y - z)).mean(),
    }
    for kind, value in expected.items():
        names: dict[str, Any] = {}
        exec(compile(tuner.load_best(home / kind).to_code("torch", strict=False), kind, "exec"), names)
        layer = torch.nn.Linear(1, 1)
        torch.nn.init.ones_(layer.weight), torch.nn.init.zeros_(layer.bias)
        with mock.patch.object(torch.Tensor, "backward", autospec=True) as backward:
            names["train"](layer, torch.cat([z] * 2), torch.cat([y] * 2))
        assert backward.call_args_list[0].args[0].item() == pytest.approx(float(value), rel=1e-6)


def test_scikit_learns_code_names_the_loss_that_it_lacks(home: Path) -> None:
    for kind, words in (("counts", "not that of counts"), ("quantile", "not that of a quantile")):
        with pytest.raises(InexactMapping, match=f"it has the squared error, {words}"):
            tuner.load_best(home / kind).to_code("sklearn")


def test_workers_make_the_same_table(tmp_path: Path) -> None:
    tables = [
        tuner.run(study("counts"), data=table("counts"), jobs=jobs, home=tmp_path / str(jobs), refit=False).ranking()
        for jobs in (1, 2)
    ]
    pd.testing.assert_frame_equal(*(one.drop(columns="seconds") for one in tables), check_exact=True)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"train": {"loss": "quantile", "quantile": 0.9}}, "study.minimize: valid_loss does not judge a quantile"),
    ({"study": {"minimize": "valid_pinball"}}, 'study.minimize: valid_pinball judges another loss; write .*"quantile"'),
    ({"study": {"minimize": "valid_poisson_deviance"}}, 'judges another loss; write .train. loss = "poisson"'),
    ({"train": {"loss": ["poisson", "huber"]}}, "train.loss: poisson stands alone: its outputs are logarithms"),
    ({"train": {"loss": "poisson"}, "data": {"target_transform": "log"}}, "data.target_transform: does not go with"),
    ({"train": {"quantile": 0.9}}, r'train.quantile: belongs to loss quantile; write loss = "quantile"'),
    (
        {"study": {"minimize": "valid_pinball"}, "train": {"loss": "quantile", "quantile": [0.1, 0.9]}},
        "train.quantile: is what is asked for, not searched; write one number",
    ),
    ({"train": {"loss": "quantile", "quantile": 1.5}}, r"train.quantile: must lie in \(0, 1\), but got 1.5"),
    ({"data": {"target_transform": "sqrt"}}, "data.target_transform: 'sqrt' is not known"),
]


@pytest.mark.parametrize(("tables", "said"), BAD)
def test_what_does_not_go_together_is_refused(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_study({"data": {}, "optimizers": {"adam": {}}, **tables}, needs_data=False)


def test_counts_below_zero_are_refused_by_their_rows(tmp_path: Path) -> None:
    data = table("counts")
    data.loc[6, "outcome"] = -1
    with pytest.raises(DataError, match="is negative in row 7, as low as -1, and counts are not"):
        tuner.run(study("counts"), data=data, home=tmp_path)


def test_texts_that_are_to_be_counted_are_refused_by_what_asks_for_it(tmp_path: Path) -> None:
    rows = table("counts").assign(outcome=lambda frame: np.where(frame["u"] > 0, "yes", "no"))
    with pytest.raises(DataError, match=r"is text .'no'.*leave out task, loss and target_transform"):
        tuner.run(study("counts"), data=rows, jobs=1, home=tmp_path)
