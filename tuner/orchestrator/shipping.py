"""The last stage of a run: the model that the study ships, written where others read it."""

from __future__ import annotations

from tuner.engines import Engine
from tuner.errors import NoResult, TunerError
from tuner.model.bundle import write_model
from tuner.model.card import card_of
from tuner.model.refit import Refit
from tuner.model.trained import TrainedModel
from tuner.orchestrator.callbacks import RunCallback
from tuner.result import Result
from tuner.trainables.base import Trainable

__all__ = ["is_current", "ship", "shipped_by"]


def shipped_by(trainable: Trainable, result: Result, engine: Engine, asked: Refit) -> TrainedModel | None:
    """Refit and write the model; return None where the trainable has none."""
    directory = result.directory
    model = trainable.refit(result.study, result.best(), directory, engine, asked)
    if model is not None:
        write_model(model, card_of(model), directory.model)
    return model


def ship(result: Result, trainable: Trainable, engine: Engine, callback: RunCallback, asked: Refit) -> bool:
    """Refit at the end of a run, unless the model is up to date; return True if it was refitted.

    A model that cannot be trained is reported and does not fail the run.
    """
    try:
        result.best()
    except NoResult:
        return False
    if not trainable.has_weights or is_current(result):
        return False
    callback.stage("refit")
    try:
        return shipped_by(trainable, result, engine, asked) is not None
    except TunerError as error:
        callback.note(f"no model was written: {error}")
        return False


def is_current(result: Result) -> bool:
    """Return whether the model that is there follows from the best config as it is now."""
    return bool(result.model_facts)
