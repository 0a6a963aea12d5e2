"""The last stage of a run: the model that the study ships, written where others read it."""

from __future__ import annotations

from dataclasses import replace

from tuner.engines import Engine
from tuner.errors import NoResult, TunerError
from tuner.model.bundle import write_model
from tuner.model.card import card_of
from tuner.model.refit import Refit, key_of
from tuner.model.trained import TrainedModel
from tuner.orchestrator.callbacks import RunCallback
from tuner.result import Result
from tuner.trainables.custom.refit import refitted_key
from tuner.trainables.protocols import Trainable

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
    own = result.study.refit
    if not (trainable.has_weights or own.keep) or is_current(result):
        return False
    asked = asked if trainable.has_weights else replace(asked, seeds=own.seeds)
    callback.stage("refit")
    try:
        shipped_by(trainable, result, engine, asked)
    except TunerError as error:
        callback.note(f"no model was written: {error}")
        return False
    return True


def is_current(result: Result) -> bool:
    """Return whether the model that is there follows from the best config as it is now."""
    own = result.study.custom is not None
    return refitted_key(result.directory.model) == key_of(result.best()) if own else bool(result.model_facts)
