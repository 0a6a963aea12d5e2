"""Studies that are wrong: every problem is told at once, with its key and the nearest right name."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.errors import Complaint, InvalidInput
from tuner.errors import ChangedStudy, NoResult, StudyBusy, StudyError, TunerError, UnknownStudy, UnknownTrial
from tuner.study import read_study, suggest, task_problem

GOOD = {
    "data": '[data]\nsource = "sklearn:digits"\n',
    "optimizers": "[optimizers.adam]\n",
}


def complaints(**tables: Any) -> list[str]:
    """What is said of a small study with these tables."""
    raw = {"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}, **tables}
    with pytest.raises(StudyError, match=r".") as caught:
        read_study(raw)
    return [str(complaint) for complaint in caught.value.complaints]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"study": {"n_trials": 5}}, "study.n_trials: unknown key; did you mean 'trials'?"),
    ({"study": {"trails": 5}}, "study.trails: unknown key; did you mean 'trials'?"),
    ({"study": {"minimise": "valid_loss"}}, "study.minimise: unknown key; did you mean 'minimize'?"),
    ({"study": {"minimize": "val_loss"}}, "study.minimize: 'val_loss' is not known; did you mean 'valid_loss'?"),
    ({"study": {"maximize": "accuracy"}}, "study.maximize: 'accuracy' is not known; did you mean 'valid_accuracy'?"),
    (
        {"study": {"minimize": "valid_accuracy"}},
        'study.minimize: valid_accuracy is better when higher; write maximize = "valid_accuracy"',
    ),
    (
        {"study": {"minimize": "valid_loss", "maximize": "valid_r2"}},
        "study.maximize: there is minimize too; keep one of them",
    ),
    ({"study": {"trials": 0}}, "study.trials: must be at least 1, but got 0"),
    ({"study": {"trials": 10**18}}, "study.trials: must be at most 1000000, but got 1000000000000000000"),
    ({"study": {"trials": "5"}}, "study.trials: must be a whole number, but got '5'"),
    ({"study": {"trials": True}}, "study.trials: must be a whole number, but got True"),
    ({"study": {"trials": 5.0}}, "study.trials: must be a whole number, but got 5.0"),
    ({"study": {"seed": -1}}, "study.seed: must be at least 0, but got -1"),
    ({"study": {"seed": 2**63}}, "study.seed: must be below 9223372036854775808, but got 9223372036854775808"),
    ({"study": {"dtype": "float16"}}, "study.dtype: 'float16' is not known; did you mean 'float64'?"),
    ({"study": 3}, "study: must be a table, but got 3; write [study], its keys below"),
    ({"study": {"name": "nul.txt"}}, "study.name: 'nul.txt' is the name of a device on Windows; choose another name"),
    ({"trials": 5}, "trials: unknown key; 'trials' belongs in [study]"),
    ({"optimiser": {"adam": {}}}, "optimiser: unknown table; did you mean 'optimizers'?"),
    ({"data": {}}, 'data.source: is missing; name a file, like "table.csv", or "sklearn:digits"'),
    (
        {"data": {"source": "sklearn:digit"}},
        "data.source: 'sklearn:digit' is not known; did you mean 'sklearn:digits'?",
    ),
    ({"data": {"source": "iris"}}, "data.source: 'iris': there is no such file; did you mean 'sklearn:iris'?"),
    (
        {"data": {"source": "sklearn:iris", "task": "regresion"}},
        "data.task: 'regresion' is not known; did you mean 'regression'?",
    ),
    ({"data": {"source": "sklearn:iris", "split": {"val": 0.1}}}, "data.split.val: unknown key; did you mean 'valid'?"),
    ({"data": {"source": "sklearn:iris", "split": {"test": 0.0}}}, "data.split.test: must be above 0.0, but got 0.0"),
    (
        {"data": {"source": "sklearn:iris", "split": {"test": 0.8}}},
        "data.split: valid = 0.2 and test = 0.8 leave no rows to train on; let them add up to less than 1",
    ),
    (
        {"data": {"source": "sklearn:iris", "split": {"column": "a", "order": "b"}}},
        "data.split: has column and order; choose one of them",
    ),
    (
        {"data": {"source": "sklearn:iris", "task": "multiclass"}, "study": {"minimize": "valid_rmse"}},
        "study.minimize: valid_rmse does not fit a multiclass task; choose one of: valid_loss, valid_accuracy, "
        "valid_auc, valid_average_precision, valid_f1, valid_balanced_accuracy, valid_mcc",
    ),
    ({"model": {"kind": "mpl"}}, "model.kind: 'mpl' is not known; did you mean 'mlp'?"),
    ({"model": {"hidden": [0]}}, "model.hidden: must be from 1 to 65536, but got 0"),
    ({"model": {"hidden": []}}, 'model.hidden: has no hidden layer; give a size, or use kind = "linear"'),
    (
        {"model": {"hidden": 64}},
        "model.hidden: must be a list of sizes, but got 64; write it like [64], or [[64], [64, 64]] to search",
    ),
    (
        {"model": {"hidden": [[64], 3]}},
        "model.hidden: mixes sizes and lists: 3; write it like [64], or [[64], [64, 64]] to search",
    ),
    ({"model": {"hidden": [[64], [64]]}}, "model.hidden: has [64] twice; give each choice once"),
    ({"model": {"activation": ["relu", "tahn"]}}, "model.activation: 'tahn' is not known; did you mean 'tanh'?"),
    ({"model": {"activation": []}}, "model.activation: is an empty list; give at least one value"),
    (
        {"model": {"kind": "linear", "hidden": [64]}},
        'model.hidden: does not go with a linear model; remove it, or write kind = "mlp"',
    ),
    ({"model": {"init": "xavier"}}, "model.init: 'xavier' is not known; did you mean 'glorot'?"),
    ({"train": {"batch_size": 0}}, "train.batch_size: must be from 1 to 2147483647, but got 0"),
    ({"train": {"batch_size": [32, 16, 32]}}, "train.batch_size: has 32 twice; give each choice once"),
    ({"train": {"batch_size": [True, 2]}}, "train.batch_size: must be a whole number, but got True"),
    ({"train": {"epochs": 0}}, "train.epochs: must be at least 1, but got 0"),
    ({"train": {"learning_rate": 0.1}}, "train.learning_rate: unknown key; 'lr' belongs in [optimizers.NAME]"),
    ({"train": {"framework": "kears"}}, "train.framework: 'kears' is not known; did you mean 'keras'?"),
    (
        {"train": {"framework": "sklearn"}, "optimizers": {"adamax": {}}},
        "optimizers.adamax: sklearn has no adamax; it has sgd, momentum, nesterov, adam",
    ),
    (
        {"train": {"framework": "sklearn"}, "optimizers": {"adam": {"weight_decay": 0.1}}},
        "optimizers.adam.weight_decay: must be 0 for sklearn, but got 0.1; scikit-learn's alpha is divided by the rows "
        'of each batch; with framework = "torch" and decay = "weights", alpha = weight_decay x batch_size is the same '
        "where all batches are full",
    ),
    (
        {"train": {"framework": "optax"}, "optimizers": {"nadam": {"momentum_decay": 0.004}}},
        "optimizers.nadam.momentum_decay: must be 1e+06 for optax, but got 0.004; optax's momentum is constant",
    ),
    (
        {"optimizers": {"rmsprop": {"centered": 1}}},
        "optimizers.rmsprop.centered: must be true or false, but got 1",
    ),
    (
        {"optimizers": {"adam": {"centered": True}}},
        "optimizers.adam.centered: unknown key; rmsprop has it; adam has lr, beta1, beta2, eps, weight_decay",
    ),
    (
        {"optimizers": {"rmsprop": {"centered": [True, True]}}},
        "optimizers.rmsprop.centered: has True twice; give each choice once",
    ),
    ({"train": {"clip_norm": -1}}, "train.clip_norm: must lie in [0, inf), but got -1; 0 is usual"),
    *(
        (
            {"optimizers": {"nesterov": {"momentum": values}}},
            f"optimizers.nesterov.momentum{end}: must lie in (0, 1), but got {zero}; "
            "without momentum nesterov is sgd: use that",
        )
        for values, end, zero in (
            (0.0, "", 0.0),
            (0, "", 0),
            ([0.9, 0.0], "", 0.0),
            ({"low": 0.0, "high": 0.9}, ".low", 0.0),
            ({"low": 0.0, "log": False}, ".low", 0.0),
            ({"choices": [0, 0.5]}, ".choices", 0),
        )
    ),
    ({"model": {"dropout": 1}}, "model.dropout: must lie in [0, 1), but got 1; 0 is usual"),
    ({"model": {"dropout": [0.1, "x"]}}, "model.dropout: must be a number, a list or a range, but got 'x'; 0 is usual"),
    (
        {"model": {"dropout": {"low": 0.5, "high": 0.2}}},
        "model.dropout: is upside down: low = 0.5 is above high = 0.2; swap them",
    ),
    ({"model": {"dropout": {"low": 0.1, "hi": 0.2}}}, "model.dropout: hi: unknown key; did you mean 'high'?"),
    ({"model": {"dropout": float("nan")}}, "model.dropout: must be finite, but got nan; 0 is usual"),
    (
        {"model": {"kind": "linear", "dropout": 0.5}},
        'model.dropout: does not go with a linear model; remove it, or write kind = "mlp"',
    ),
    (
        {"model": {"dropout": 0.5}, "train": {"framework": "sklearn"}},
        "model.dropout: sklearn has no dropout; remove it, or choose another framework",
    ),
    (
        {
            "train": {"loss": "absolute_error"},
            "model": {"kind": "linear"},
            "optimizers": {"newton": {}},
            "study": {"trials": 1},
            "search": {"generation_size": 1},
        },
        "optimizers.newton: needs a loss with a curvature, which the absolute error has not; use lbfgs, or [train] "
        'loss = "huber"',
    ),
    ({"train": {"loss": "hubert"}}, "train.loss: 'hubert' is not known; did you mean 'huber'?"),
    ({"train": {"loss": "huber", "huber_delta": 0}}, "train.huber_delta: must lie in (0, inf), but got 0; 1 is usual"),
    (
        {"train": {"label_smoothing": 0.1}, "data": {"source": "sklearn:iris", "task": "regression"}},
        "train.label_smoothing: does not fit a regression task; remove it: it is for binary and multiclass",
    ),
    ({"train": {"label_smoothing": 1}}, "train.label_smoothing: must lie in [0, 1), but got 1; 0 is usual"),
    (
        {"train": {"huber_delta": 2.0}},
        'train.huber_delta: belongs to loss huber; write loss = "huber", or remove it',
    ),
    (
        {"train": {"loss": "huber"}, "data": {"source": "sklearn:iris", "task": "multiclass"}},
        "train.loss: huber does not fit a multiclass task; leave it out: softmax_cross_entropy is its loss",
    ),
    (
        {"train": {"loss": "huber", "framework": "sklearn"}},
        "train.loss: sklearn's networks train on the squared error alone; remove it, or choose another framework",
    ),
    ({"train": {"decay": "weight"}}, "train.decay: 'weight' is not known; did you mean 'weights'?"),
    (
        {"train": {"decay": "weights"}},
        "train.decay: there is no decay of weights: every weight_decay is 0; "
        "give an optimizer weight_decay, or remove it",
    ),
    ({"train": {"patience": -1}}, "train.patience: must be at least 0, but got -1"),
    ({"train": {"patience": 2.5}}, "train.patience: must be a whole number, but got 2.5"),
    ({"train": {"patience": 2, "min_delta": -0.1}}, "train.min_delta: must be at least 0.0, but got -0.1"),
    (
        {"train": {"min_delta": 0.1}},
        "train.min_delta: does nothing without patience; write patience = 5, or remove it",
    ),
    ({"train": {"warmup": 1}}, "train.warmup: must lie in [0, 1), but got 1; 0 is usual"),
    ({"train": {"warmup": "0.1"}}, "train.warmup: must be a number, a list or a range, but got '0.1'; 0 is usual"),
    (
        {"train": {"warmup": [0.1, 0.99]}},
        "train.warmup: 0.99 of 27 epochs leaves nothing after it; 0.05 or 0.1 is usual",
    ),
    (
        {"train": {"gamma": 0.5, "schedule": ["constant", "cosine"]}},
        'train.gamma: belongs to schedule step or exponential; write schedule = "step", or remove it',
    ),
    ({"search": {"sampler": "TPESampler"}}, "search.sampler: 'TPESampler' is not known; did you mean 'tpe'?"),
    ({"search": {"reduction": 1}}, "search.reduction: must be at least 2, but got 1"),
    ({"search": {"random_share": float("nan")}}, "search.random_share: must be finite, but got nan"),
    ({"confirm": {"enabled": 1}}, "confirm.enabled: must be true or false, but got 1"),
    ({"confirm": {"seeds": 1}}, "confirm.seeds: must be at least 2, but got 1"),
    (
        {"optimizers": {}},
        "optimizers: there is no optimizer; write a table each, like [optimizers.adam]; an empty one takes the preset",
    ),
    (
        {"optimizers": ["adam"]},
        "optimizers: must hold a table for each optimizer, but got ['adam']; "
        "write a table each, like [optimizers.adam]; an empty one takes the preset",
    ),
    ({"optimizers": {"Adam": {}}}, "optimizers.Adam: unknown optimizer; did you mean 'adam'?"),
    ({"optimizers": {"adam": True}}, "optimizers.adam: must be a table, but got True; write [optimizers.adam]"),
    ({"optimizers": {"adam": {"learning_rate": 1}}}, "optimizers.adam.learning_rate: unknown key; did you mean 'lr'?"),
    (
        {"optimizers": {"sgd": {"momentum": 0.9}}},
        "optimizers.sgd.momentum: unknown key; momentum, nesterov, rmsprop have it; sgd has lr, weight_decay",
    ),
    (
        {"optimizers": {"sgd": {"lr": {"low": 1.0, "high": 0.1}}}},
        "optimizers.sgd.lr: is upside down: low = 1 is above high = 0.1; swap them",
    ),
    (
        {"optimizers": {"adamw": {"weight_decay": {"low": 0.0}}}},
        "optimizers.adamw.weight_decay.low: a log range cannot start at 0; start it at 1e-05, or write log = false",
    ),
    ({"optimizers": {"sgd": {"lr": {"min": 0.1}}}}, "optimizers.sgd.lr.min: unknown key; did you mean 'low'?"),
    (
        {"optimizers": {"sgd": {"lr": {"choices": [0.1], "low": 0.1}}}},
        "optimizers.sgd.lr.low: does not go with choices; give choices, or low and high",
    ),
    ({"optimizers": {"sgd": {"lr": {"choices": 3}}}}, "optimizers.sgd.lr.choices: must be a list, but got 3"),
    ({"optimizers": {"sgd": {"lr": {"log": 1}}}}, "optimizers.sgd.lr.log: must be true or false, but got 1"),
    ({"optimizers": {"sgd": {"lr": []}}}, "optimizers.sgd.lr: is an empty list; give at least one value"),
    ({"optimizers": {"sgd": {"lr": [1, 1.0]}}}, "optimizers.sgd.lr: has 1.0 twice; give each choice once"),
    (
        {"optimizers": {"sgd": {"lr": 0.1}}, "train": {"batch_size": 32}},
        "optimizers: nothing is searched: all 64 trials would be the same; give a list or a range, or write trials = 1",
    ),
]
USUAL = "the usual range is { low = 0.0001, high = 3 }"
RATES: list[tuple[Any, str]] = [
    (0.0, "must lie in (0, inf), but got 0.0"),
    (-1, "must lie in (0, inf), but got -1"),
    (float("inf"), "must be finite, but got inf"),
    (10**400, "must be finite, but got 1" + "0" * 56 + "..."),
    (10**5000, "must be finite, but got a int too long to show"),
    ("0.1", "must be a number, a list or a range, but got '0.1'"),
    (True, "must be a number, a list or a range, but got True"),
    ([0.1, [0.2]], "must be a number, a list or a range, but got [0.2]"),
]


@pytest.mark.parametrize(("tables", "line"), BAD, ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_one_problem_is_one_line(tables: dict[str, Any], line: str) -> None:
    assert complaints(**tables) == [line]


@pytest.mark.parametrize(("rate", "line"), RATES, ids=range(len(RATES)))
def test_a_rate_that_cannot_be(rate: Any, line: str) -> None:
    assert complaints(optimizers={"sgd": {"lr": rate}}) == [f"optimizers.sgd.lr: {line}; {USUAL}"]


@pytest.mark.parametrize("end", ["low", "high"])
def test_an_end_of_a_range_that_cannot_be(end: str) -> None:
    lines = complaints(optimizers={"sgd": {"lr": {end: float("nan")}}})
    assert lines == [f"optimizers.sgd.lr.{end}: must be finite, but got nan; {USUAL}"]


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 129, "a\x1b[31m", "a ", "a.", "\ud800"])
def test_names_that_are_no_directory(name: str) -> None:
    (line,) = complaints(study={"name": name})
    assert line.startswith("study.name: ")
    assert line.isprintable()


def test_all_problems_are_told_at_once() -> None:
    lines = complaints(
        study={"name": "../x", "trials": 0},
        data={"source": "sklearn:digit", "split": {"tset": 1}},
        model={"hidden": [0]},
        train={"epochs": "many"},
        optimizers={"Adam": {}, "sgd": {"lr": {"low": -1, "high": float("inf")}}},
        serach={},
    )
    assert [line.split(": ")[0] for line in lines] == [
        "serach",
        "study.trials",
        "data.split.tset",
        "model.hidden",
        "train.epochs",
        "optimizers.Adam",
        "optimizers.sgd.lr.low",
        "optimizers.sgd.lr.high",
        "study.name",
        "data.source",
    ]


def test_thousands_of_problems_end_soon() -> None:
    many: dict[str, Any] = {f"key{i}": i for i in range(10_000)}
    start = time.process_time()
    lines = complaints(**many, study=many, optimizers={**many, "sgd": many})
    assert time.process_time() - start < 1
    assert len(lines) == 51
    assert lines[-1].endswith("more problems; mend these first")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(["lr", "low", "name"]), inner, max_size=3)
    ),
    max_leaves=8,
)
TABLES = st.sampled_from(["study", "data", "model", "train", "optimizers", "search", "confirm"])
KEYS = st.sampled_from(
    ["name", "trials", "source", "split", "hidden", "batch_size", "adam", "sgd", "random_share", "top"]
)


@given(st.dictionaries(TABLES | st.text(), JSON | st.dictionaries(KEYS, JSON)))
def test_whatever_is_handed_in_is_a_study_or_a_study_error(tables: dict[str, Any]) -> None:
    try:
        read_study(tables)
    except StudyError as error:
        assert all(str(complaint).isprintable() for complaint in error.complaints)  # noqa: PT017


def test_guessed_words_and_capitals_are_answered() -> None:
    assert suggest("Batch-Size", ["batch_size", "epochs"]) == "did you mean 'batch_size'?"
    assert suggest("rho", ["alpha", "lr"]) == "did you mean 'alpha'?"
    assert suggest("zzz", ["alpha", "lr"]) == "choose one of: alpha, lr"


def test_a_metric_fits_its_task_or_not() -> None:
    assert task_problem("valid_loss", "regression") is None
    assert task_problem("valid_accuracy", "binary") is None
    assert task_problem("valid_accuracy", "regression") == (
        "valid_accuracy does not fit a regression task",
        "choose one of: valid_loss, valid_r2, valid_rmse, valid_mae, valid_mape, valid_poisson_deviance, valid_pinball",
    )


@pytest.mark.parametrize(
    ("task", "written", "hint"),
    [
        (None, "roc_auc", "did you mean 'valid_auc'?"),
        (None, "valid_log_loss", "did you mean 'valid_loss'?"),
        (None, "valid_r", "did you mean 'valid_r2'? It is for regression tasks"),
        ("regression", "valid_mea", "did you mean 'valid_mae'?"),
        ("regression", "mse", "did you mean 'valid_rmse'?"),
        ("binary", "spread", "choose one of: valid_accuracy, valid_auc, valid_average_precision"),
    ],
)
def test_a_metric_that_is_not_known_is_answered_with_one_of_the_task(task: str | None, written: str, hint: str) -> None:
    raw = {"study": {"maximize": written}, "data": {"source": "sklearn:iris"}, "optimizers": {"sgd": {}}}
    raw["data"] |= {"task": task} if task else {}
    with pytest.raises(StudyError, match=re.escape(f"{written!r} is not known; {hint}")):
        read_study(raw)


def test_a_missing_data_file_offers_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").touch()
    raw = {"data": {"source": "house.csv"}, "optimizers": {"sgd": {}}}
    with pytest.raises(StudyError, match=re.escape("there is no such file; did you mean 'houses.csv'?")):
        read_study(raw, base=tmp_path)


def test_the_tree_of_errors() -> None:
    codes = {StudyError: 2, UnknownStudy: 2, UnknownTrial: 2, ChangedStudy: 2, StudyBusy: 1, NoResult: 3}
    for kind, code in codes.items():
        assert issubclass(kind, TunerError)
        assert kind.exit_code == code
    assert issubclass(StudyError, InvalidInput)
    assert StudyError(Complaint("a", "b"), Complaint("c", "d")).args == ("a: b\nc: d",)


def test_an_unknown_study_offers_the_nearest() -> None:
    error = UnknownStudy("digts", ["digits", "wine"], "runs")
    assert str(error) == "no study 'digts' in runs; did you mean 'digits'?"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(UnknownStudy("x")) == "no study 'x'; there are no studies yet: `tuner run FILE` makes one"


def test_errors_import_nothing_heavy() -> None:
    code = "import sys, tuner.errors; print([name for name in ('numpy', 'pydantic') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
