"""A table divided 70 / 30: the study sees the 70, what it ships is judged on the 30.

`best` is one network as the search had it (the weights of best.npz), `epochs` and `updates` are ensembles of five on
all rows but the study's test rows, which carry over either, `single` is the mean loss of the five of `epochs`, `all` is
the ensemble on the test rows too. Beside them are baselines fitted on all of the 70, and RandomizedSearchCV over
scikit-learn's network, five folds, refitted on the 70.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tuner
from objectives.data.prepare import preparation_of
from objectives.data.splits import divide
from tests.benchmarks.handed_over.divisions import Division, division_of, rows_of, study_of
from tests.benchmarks.handed_over.estimators import pipeline, ranges, scoring
from tests.benchmarks.handed_over.tables import TABLES
from tuner.api.run import RunCallback, trainable_of
from tuner.engines import open_engine
from tuner.model.judged import row_losses
from tuner.model.refit import Refit
from tuner.model.trained import TrainedModel
from tuner.study import read_study
from tuner.trainables.builtin import shipped_model as shipping
from tuner.trainables.builtin.prepared_study import split_of
from tuner.trainables.builtin.refitting import config_of

__all__ = ["worth"]

WAYS = (("epochs", "epochs", Refit()), ("updates", "updates", Refit()), ("all", "epochs", Refit(all_rows=True)))
Losses = dict[str, float]


def loss_of(division: Division, said: Any) -> float:
    """Mean loss on the 30 of probabilities `(n, classes)`, or of values; those of a regression in the 70's variance."""
    y = division.y[division.held]
    if division.task == "regression":
        unit = division.y[division.seen].std()
        return float((((np.ravel(said) - y) / unit) ** 2).mean())
    codes = np.searchsorted(np.unique(division.y), y)
    return float(row_losses("multiclass", np.asarray(said)[None], codes, np.ones(1)).mean())


def answers_of(model: TrainedModel, rows: Any) -> list[Any]:
    """What the ensemble says of rows, and then what each of its networks says."""
    members = model.of_members(model.prepared(rows))
    each = [members, *(members[i : i + 1] for i in range(len(members)))]
    return [model.answers(one) if model.task == "regression" else model.shares(one) for one in each]


def ours(division: Division, trials: int) -> Losses:
    """Losses of what this tuner ships, one way and another, and the seconds that it took."""
    study = study_of(division.task, trials, division.seed)
    held = rows_of(division.x, division.held)
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        result = tuner.run(study, data=division.given, jobs=1, home=home, callback=RunCallback(), refit=False)
        found = {"seconds: search": time.perf_counter() - began}
        with result.directory.room() as room, open_engine(1) as engine:
            subject = trainable_of(read_study(study, needs_data=False), division.given, room)
            best = result.best()
            for way, carry, asked in WAYS:
                shipping.CARRY = carry
                began = time.perf_counter()
                model = subject.refit(result.study, best, result.directory, engine, asked)
                found[f"seconds: {way}"] = time.perf_counter() - began
                whole, *each = answers_of(model, held)
                found[way] = loss_of(division, whole)
                if way == "epochs":
                    found["single"] = float(np.mean([loss_of(division, one) for one in each]))
            found["best"] = loss_of(division, searched(subject, result, best, engine, held))
    return found


def searched(subject: Any, result: Any, best: Any, engine: Any, held: Any) -> Any:
    """What the network of best.npz says of rows: trained on the train rows of the search's first split."""
    question, study = subject.question, result.study
    source = subject.source(study, 0, result.directory, engine)
    preparation = preparation_of(question.table, divide(question.table.rows, split_of(study), study.seed), study.dtype)
    work = shipping.Shipping(question, study, best, result.directory, engine, Refit(1), lambda number: source)
    config = config_of(best.params, int(best["horizon"]))
    model, _ = shipping._trained(replace(work, refit=Refit(1)), preparation, source, config, best.epochs)
    return answers_of(model, held)[0]


def baselines(division: Division) -> Losses:
    """Losses of the mean, of a linear model and of boosted trees at scikit-learn's defaults, fitted on the 70."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    regression = division.task == "regression"
    models = {
        "constant": DummyRegressor() if regression else DummyClassifier(),
        "linear": Ridge() if regression else LogisticRegression(max_iter=1000),
        "trees": (HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)(random_state=0),
    }
    found = {}
    for name, model in models.items():
        whole = pipeline(division)
        whole.steps[-1] = ("network", model)
        whole.fit(rows_of(division.x, division.seen), division.y[division.seen])
        rows = rows_of(division.x, division.held)
        found[name] = loss_of(division, whole.predict(rows) if regression else whole.predict_proba(rows))
    return found


def scikit_learn(division: Division, count: int) -> Losses:
    """Loss and seconds of RandomizedSearchCV of `count` configs, refitted on the 70."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.preprocessing import StandardScaler

    regression = division.task == "regression"
    model, space = pipeline(division), ranges(division)
    if regression:  # as anyone does who tunes a network: without it, it learns next to nothing in so few epochs
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
        space = {f"regressor__{name}": value for name, value in space.items()}
    began = time.perf_counter()
    search = RandomizedSearchCV(model, space, n_iter=count, cv=5, scoring=scoring(division), random_state=division.seed)
    search.fit(rows_of(division.x, division.seen), division.y[division.seen])
    rows = rows_of(division.x, division.held)
    said = search.predict(rows) if regression else search.predict_proba(rows)
    return {"randomized": loss_of(division, said), "seconds: randomized": time.perf_counter() - began}


def measured(job: tuple[str, int, int, int]) -> Losses:
    """All that is measured of one division."""
    name, seed, trials, count = job
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        division = division_of(name, seed)
        found = ours(division, trials) | baselines(division)
        return found | (scikit_learn(division, count) if count else {})


def mean_ratio(rows: list[Losses], one: str, other: str) -> float:
    """The geometric mean of ratios."""
    return math.exp(np.mean([math.log(row[one] / row[other]) for row in rows]))


def line(rows: list[Losses], one: str, other: str) -> str:
    """How one compares with another over all divisions."""
    wins = sum(row[one] < row[other] for row in rows)
    return f"{one:>8} / {other:<10} {mean_ratio(rows, one, other):6.3f}   lower in {wins} of {len(rows)}"


def worth(given: argparse.Namespace) -> None:
    """Measure and print."""
    tables = given.tables or [name for name, table in TABLES.items() if table.divisions == 10 and name != "mixed_4000"]
    jobs = [(name, seed, given.trials, given.configs) for name in tables for seed in range(given.divisions)]
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        rows = []
        for job, row in zip(jobs, pool.map(measured, jobs), strict=True):
            rows.append(row)
            print(*job, json.dumps({key: round(value, 5) for key, value in row.items()}), flush=True)
    print(f"\n{len(tables)} tables, {given.divisions} divisions, {given.trials} trials: loss on rows nobody saw")
    pairs = [("epochs", "best"), ("epochs", "single"), ("updates", "epochs"), ("all", "epochs"), ("single", "best")]
    pairs += [("all", name) for name in ("constant", "linear", "trees")]
    pairs += [("all", "randomized"), ("epochs", "randomized")] if given.configs else []
    print("\n".join(line(rows, *pair) for pair in pairs))
    for name in [key for key in rows[0] if key.startswith("seconds")]:
        print(f"{name}: {sum(row[name] for row in rows):.1f} in all")
