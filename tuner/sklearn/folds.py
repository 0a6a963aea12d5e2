"""What a study of an estimator trains: a config on one fold, in a worker or in this process.

scikit-learn's own `_fit_and_score` fits and scores, so that failures, several scores and parameters of `fit` are what
its searches make of them. The rows travel once to each worker, as a file; in this process they are handed over as they
are.
"""

from __future__ import annotations

import inspect
import pickle
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from traceback import format_exc
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import _validation as own
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

from tuner.drafts import written_whole
from tuner.engines import pickled
from tuner.sklearn.spaces import EstimatorSpace
from tuner.trainables.custom.run_handle import Run

__all__ = ["GOAL", "FoldWork", "forgotten", "handed_over", "metric_of", "passed_over", "raised_at"]

GOAL = "goal"
RAISED = ".raised"  # what a worker's estimator raised, beside the file of the work
MODEL = "estimator.pickle"
_HERE: dict[str, FoldWork] = {}


@dataclass
class FoldWork:
    """Rows, folds `(train, test)` and the estimator that a study tries on them.

    `first` is the score that the study maximizes, of several. `passes` says that the estimator is trained by
    `partial_fit`, a pass over the rows an epoch. What an estimator raises here, and is not scored, is `raised`.
    """

    estimator: Any
    space: EstimatorSpace
    x: Any
    y: Any
    folds: Sequence[tuple[Any, Any]]
    scorers: Any
    first: str
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    score_params: Mapping[str, Any] = field(default_factory=dict)
    error_score: Any = np.nan
    train_scores: bool = False
    passes: bool = False
    raised: BaseException | None = None


def handed_over(work: FoldWork, file: Path, *, travels: bool) -> Callable[..., Any]:
    """Return the objective of a study of this work; it is written to a file where it `travels` to workers."""
    if travels:
        written_whole(file, pickled(work))
    else:
        _HERE[str(file)] = work
    return objective_at(str(file), passes=work.passes)


def forgotten(file: Path) -> None:
    """Let go of work that was done in this process."""
    _HERE.pop(str(file), None)


def objective_at(file: str, *, passes: bool) -> Callable[..., Any]:
    """Return the objective of the work in a file."""
    return partial(_passes_over, file) if passes else partial(_fitted, file)


def work_at(file: str) -> FoldWork:
    """Return the work of this process, or read it once."""
    if file not in _HERE:
        _HERE[file] = pickle.loads(Path(file).read_bytes())
    return _HERE[file]


def raised_at(file: Path) -> BaseException | None:
    """Return what ended the search: what an estimator raised and is no score; None where nothing did."""
    if str(file) in _HERE:
        return _HERE[str(file)].raised
    place = file.with_suffix(RAISED)
    return pickle.loads(place.read_bytes()) if place.is_file() else None


def metric_of(kind: str, name: str) -> str:
    """Return the study's name of a score: "valid_accuracy", "train_accuracy"."""
    return f"{kind}_{re.sub(r'[^A-Za-z0-9_./-]', '_', name)[:80]}"


def _fitted(file: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Fit and score a config on its fold; what is raised, and is no failure to be scored, ends the search."""
    work = work_at(file)
    train, test = work.folds[int(config.get("split", 0))]
    with _telling(work, file):
        options = {
            "scorer": work.scorers, "train": train, "test": test, "verbose": 0,
            "parameters": work.space.parameters(config), "fit_params": work.fit_params,
            "score_params": work.score_params, "return_train_score": work.train_scores,
            "return_times": True, "error_score": work.error_score,
        }  # fmt: skip
        found = own._fit_and_score(clone(work.estimator), work.x, work.y, **options)
        return _reported(work, found)


def _passes_over(file: str, config: Mapping[str, Any], run: Run) -> None:
    """Train a config by passes over its fold's rows, from where it stood, and report its scores after each."""
    work = work_at(file)
    train, test = work.folds[run.split]
    place = run.directory / MODEL
    with _telling(work, file):
        estimator = pickle.loads(place.read_bytes()) if run.start else _begun(work, config)
        x, y = _safe_split(estimator, work.x, work.y, train)
        fit_params = _check_method_params(work.x, params=work.fit_params, indices=train)
        for epoch in range(run.start + 1, run.stop + 1):
            found = _pass(work, estimator, x, y, fit_params, (train, test))
            run.report(epoch, _reported(work, found))
        if run.stop > run.start:
            place.write_bytes(pickled(estimator))


def _begun(work: FoldWork, config: Mapping[str, Any]) -> Any:
    return clone(work.estimator).set_params(**clone(work.space.parameters(config), safe=False))


def _pass(
    work: FoldWork, estimator: Any, x: Any, y: Any, fit_params: Mapping[str, Any], fold: tuple[Any, Any]
) -> dict[str, Any]:
    """Take one pass and score it. Raises what the estimator raises where `error_score` says so."""
    began, found = time.time(), dict[str, Any]()
    try:
        passed_over(estimator, x, y, work.y, fit_params)
    except Exception:
        if work.error_score == "raise":
            raise
        names = getattr(work.scorers, "_scorers", None)
        score = work.error_score if names is None else dict.fromkeys(names, work.error_score)
        return {
            "fit_error": format_exc(), "test_scores": score, "train_scores": score,
            "fit_time": time.time() - began, "score_time": 0.0,
        }  # fmt: skip
    fitted = time.time()
    for kind, rows in (("test", fold[1]), ("train", fold[0] if work.train_scores else None)):
        if rows is not None:
            part_x, part_y = _safe_split(estimator, work.x, work.y, rows, fold[0])
            params = _check_method_params(work.x, params=work.score_params, indices=rows)
            found[f"{kind}_scores"] = own._score(estimator, part_x, part_y, work.scorers, params, work.error_score)
    return found | {"fit_error": None, "fit_time": fitted - began, "score_time": time.time() - fitted}


def passed_over(estimator: Any, x: Any, y: Any, every: Any, fit_params: Mapping[str, Any]) -> None:
    """Take one pass over rows; a classifier is told of the classes of `every` row."""
    known = inspect.signature(estimator.partial_fit).parameters
    classes = {"classes": np.unique(every)} if is_classifier(estimator) and "classes" in known else {}
    estimator.partial_fit(x, *(() if y is None else (y,)), **classes, **fit_params)


@contextmanager
def _telling(work: FoldWork, file: str) -> Iterator[None]:
    """Keep what is raised within for the process that asked for the search."""
    try:
        yield
    except Exception as error:
        work.raised = error
        if Path(file).is_file():
            written_whole(Path(file).with_suffix(RAISED), _travelling(error))
        raise


def _travelling(error: Exception) -> bytes:
    """Pickle an exception, or its words where it cannot be pickled."""
    try:
        found = pickled(error)
        pickle.loads(found)
    except Exception:
        return pickled(RuntimeError(f"{type(error).__name__}: {error}"))
    return found


def _reported(work: FoldWork, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the study keeps of a fold: the goal, all scores, and as notes the times and why a fit failed."""
    scores = found["test_scores"]
    several = isinstance(scores, Mapping)
    names = list(scores) if several else []
    first = work.first if work.first in names else next(iter(names), "")
    told: dict[str, Any] = {GOAL: float(scores[first] if several else scores)}
    told |= {metric_of("valid", name): float(scores[name]) for name in names}
    if work.train_scores:
        train = found["train_scores"]
        told |= {metric_of("train", name): float(train[name]) for name in names}
        told |= {} if several else {metric_of("train", GOAL): float(train)}
    times = [found["fit_time"], found["score_time"]]
    return told | {"times": times, "fit_error": found["fit_error"], "scores": names}
