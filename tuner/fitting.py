"""A study meets its data: what can only be checked once the rows are there."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from objectives.data import Prepared
from objectives.errors import Complaint
from objectives.full_batch import MOST_NEWTON
from objectives.metrics import sklearn_score
from objectives.optimizers import OPTIMIZERS
from objectives.streams import Stream, stream
from tuner.errors import StudyError
from tuner.spec import Choices, Study, loss_problem, task_problem

__all__ = ["fitted"]


def fitted(study: Study, data: Prepared) -> tuple[Study, list[str]]:
    """The study with batch sizes that the train rows allow, and notes of what was changed unasked.

    Raises StudyError where the user's own keys do not fit: a goal that the task does not have, a batch size above the
    train rows.
    """
    complaints = []
    if problem := task_problem(study.metric, data.task):
        complaints.append(Complaint(f"study.{study.direction}", *problem))
    if problem := loss_problem(study.train.loss, data.task):
        complaints.append(Complaint("train.loss", *problem))
    if study.metric == "valid_r2" and np.ptp(data.valid.y, axis=0).min() == 0:
        complaints.append(
            Complaint("study.maximize", "valid_r2 needs validation targets that vary", "minimize valid_loss")
        )
    unfit = [name for name in study.confirm.metrics if math.isnan(made_up_score(name, data))]
    if unfit:
        what = f"{', '.join(unfit)} cannot score a {data.task} task"
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
    if complaints:
        raise StudyError(*complaints)
    study = replace(study, rows=rows)
    notes = whole_notes(study)
    if not large:
        return study, notes
    kept = [size for size in sizes if size <= rows] or [rows]
    allowed = Choices(tuple(kept)) if len(kept) > 1 else kept[0]
    if all(OPTIMIZERS[name].whole for name in study.optimizers):
        return replace(study, train=study.train.model_copy(update={"batch_size": allowed})), notes
    note = f"batch sizes: {', '.join(map(str, kept))}; larger ones than the {rows} train rows were left out"
    return replace(study, train=study.train.model_copy(update={"batch_size": allowed})), [*notes, note]


def whole_notes(study: Study) -> list[str]:
    """What whole-batch methods do not look at, where there are any."""
    whole = [name for name in study.optimizers if OPTIMIZERS[name].whole]
    said = "an epoch is one iteration over all rows; batch size, schedule and clipping do not apply"
    return [f"{', '.join(whole)}: {said}"] if whole else []


def made_up_score(name: str, data: Prepared) -> float:
    """What a scorer of scikit-learn says of random predictions in which every class is there; nan where it cannot."""
    n, outputs = 60, data.train.y.shape[1]
    rng = stream(0, Stream.SCORERS)
    if data.task == "regression":
        truth = rng.random((n, outputs)) + 1
        return sklearn_score(name, truth, truth + rng.random((n, outputs)))
    classes = max(2, outputs)
    shares = rng.dirichlet(np.ones(classes), n)
    return sklearn_score(name, np.arange(n) % classes, shares.argmax(axis=1), shares)
