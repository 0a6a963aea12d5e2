"""A study meets its data: what can only be checked once the rows are there."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from objectives.class_weights import given_weights
from objectives.criterion import CLASSES
from objectives.data import Prepared
from objectives.errors import Complaint, nearest
from objectives.full_batch import MOST_NEWTON
from objectives.metrics import sklearn_score
from objectives.optimizers import OPTIMIZERS
from objectives.rng import Stream, stream
from tuner.errors import StudyError
from tuner.study import Choices, Study, task_problem, training_problems, values_of
from tuner.trainables.builtin.split_counts import resampled

__all__ = ["fit_to_data"]

ZERO = 1e-6  # of a target's standard deviation: what float32 leaves of a target that is 0


def fit_to_data(study: Study, data: Prepared, groups: int = 0) -> tuple[Study, list[str]]:
    """Limit batch sizes and splits to what the train rows allow; also return notes on what was changed unasked.

    The rows are divided by so many `groups`, 0 for none. Raises StudyError where the user's own keys do not fit: a goal
    that the task does not have, a batch size above the train rows, as many splits as groups.
    """
    complaints = []
    if problem := task_problem(study.metric, data.task):
        complaints.append(Complaint(f"study.{study.direction}", *problem))
    complaints += [Complaint(*problem) for problem in training_problems(study.model, study.train, data.task)]
    complaints += [*goal_problems(study, data), *weight_problems(study, data)]
    unfit = [name for name in study.confirm.metrics if math.isnan(made_up_score(name, data))]
    if unfit:
        weighed = "" if data.train.weights is None else " with weights of rows"
        what = f"{', '.join(unfit)} cannot score a {data.task} task{weighed}"
        complaints.append(Complaint("confirm.metrics", what, "scikit-learn's documentation of scorers says which can"))
    if "newton" in study.optimizers and not complaints:
        weights = data.train.x.shape[1] * data.train.y.shape[1]
        if weights > MOST_NEWTON:
            what = f"a Hessian of {weights} x {weights} is too large: {MOST_NEWTON} weights are the most"
            complaints.append(Complaint("optimizers.newton", what, "use lbfgs"))
    rows, asked = len(data.train), study.train.batch_size
    sizes: list[int] = list(asked.values) if isinstance(asked, Choices) else [asked] if isinstance(asked, int) else []
    large = [size for size in sizes if size > rows]
    written = "batch_size" in study.written.get("train", {})
    if large and written:
        shown = ", ".join(map(str, large))
        complaints.append(
            Complaint("train.batch_size", f"{shown} is above the {rows} train rows", f"use at most {rows}")
        )
    study, judged = resampled(replace(study, rows=rows), data.large, groups)
    if groups and study.splits >= groups:
        what = f"asks for {study.splits} splits, but {groups} groups have at most {groups - 1} that differ"
        complaints.append(Complaint("data.splits", what, f"ask for {groups - 1}, or leave it out"))
    complaints += epochs_problems(study)
    if complaints:
        raise StudyError(*complaints)
    notes = [*judged, *whole_notes(study)]
    if not large:
        return study, notes
    kept = [size for size in sizes if size <= rows] or [rows]
    allowed = Choices(tuple(kept)) if len(kept) > 1 else kept[0]
    if all(OPTIMIZERS[name].whole for name in study.optimizers):
        return replace(study, train=study.train.model_copy(update={"batch_size": allowed})), notes
    note = f"batch sizes: {', '.join(map(str, kept))}; larger ones than the {rows} train rows were left out"
    return replace(study, train=study.train.model_copy(update={"batch_size": allowed})), [*notes, note]


def goal_problems(study: Study, data: Prepared) -> list[Complaint]:
    """Complain about a goal that the validation rows leave without a value, or with one that says nothing."""
    y, key = np.asarray(data.valid.y, dtype=np.float64), f"study.{study.direction}"
    y = y if data.valid.weights is None else y[data.valid.weights[:, 0] > 0]
    same = np.ptp(y, axis=0)
    if study.metric == "valid_r2" and same.min() == 0:
        return [Complaint(key, "valid_r2 needs validation targets that vary", "minimize valid_loss")]
    if study.metric in ("valid_auc", "valid_average_precision") and data.task in CLASSES and same.max() == 0:
        what = f"{study.metric} needs validation rows of two classes at least, but all are of one"
        return [Complaint(key, what, "give [data.split] a larger valid, or minimize valid_loss")]
    if study.metric == "valid_mape" and data.task == "regression":
        zeros = int((np.abs(data.truth(y)) < ZERO * np.asarray(data.y_scale)).any(axis=1).sum())
        if zeros:
            what = f"valid_mape divides by the target, which is 0 in {zeros} of {len(y)} validation rows"
            return [Complaint(key, what, "minimize valid_mae")]
    return []


def weight_problems(study: Study, data: Prepared) -> list[Complaint]:
    """Complain about weights of classes that are not there."""
    asked = study.train.class_weight
    texts = values_of(asked) if asked is not None and data.task in CLASSES else ()
    unknown = {name for text in texts for name in given_weights(str(text)) or {} if name not in data.classes}
    return [
        Complaint("train.class_weight", f"there is no class {name!r}", nearest(name, data.classes))
        for name in sorted(unknown)
    ]


def epochs_problems(study: Study) -> list[Complaint]:
    """Complain about a budget and rungs in steps or examples that fall into the same epoch: trials compare after
    epochs.

    With the smallest batch an epoch has the most steps.
    """
    budget, smallest = study.budget, {"batch_size": min(values_of(study.train.batch_size))}
    whole = all(OPTIMIZERS[name].whole for name in study.optimizers)  # a step is an epoch
    if budget.unit == "epochs" or (budget.unit == "steps" and whole):
        return []
    unit, epoch = budget.unit, budget.per_epoch(smallest)
    long = f"which is {epoch:,} of them" + (f" at batch size {smallest['batch_size']}" if unit == "steps" else "")
    if budget.amount < epoch:
        what = f"{budget} are less than an epoch, {long}, and trials train whole ones"
        hint = f"ask for {epoch:,} at least" + (", or for larger batches" if unit == "steps" else "")
        return [Complaint(f"train.{unit}", what, hint)]
    places = sorted({*study.search.rungs, budget.amount})
    epochs = [budget.epochs(smallest, place) for place in places]
    if places[0] >= epoch and len(set(epochs)) == len(epochs):
        return []
    what = f"{', '.join(f'{place:,}' for place in places)} {unit} are less than an epoch apart, {long}"
    return [Complaint("search.rungs", what, f"they count in {unit}, like the budget: move them apart, or remove them")]


def whole_notes(study: Study) -> list[str]:
    """Say what whole-batch methods ignore, where there are any."""
    whole = [name for name in study.optimizers if OPTIMIZERS[name].whole]
    said = "an epoch is one iteration over all rows; batch size, schedule and clipping do not apply"
    return [f"{', '.join(whole)}: {said}"] if whole else []


def made_up_score(name: str, data: Prepared) -> float:
    """Return a scikit-learn scorer's value for random predictions with every class; nan where it fails."""
    n, outputs = 60, data.train.y.shape[1]
    weights = None if data.train.weights is None else np.ones(n)
    rng = stream(0, Stream.SCORERS)
    if data.task == "regression":
        truth = rng.random((n, outputs)) + 1
        return sklearn_score(name, truth, truth + rng.random((n, outputs)), weights=weights)
    classes = max(2, outputs)
    shares = rng.dirichlet(np.ones(classes), n)
    return sklearn_score(name, np.arange(n) % classes, shares.argmax(axis=1), shares, weights)
