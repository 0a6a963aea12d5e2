"""How a run gets its custom trainable: a worker imports the objective and says what form it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.engines import LOADING, Failure, PoolEngine, pickled
from tuner.enums import ObjectiveForm
from tuner.errors import StudyError
from tuner.search import check_search
from tuner.space import space_of
from tuner.study import CustomObjective, Study
from tuner.trainables.custom.command import form_of_command, source_of_command
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.objective_ref import ObjectiveRef, inspect_objective
from tuner.trainables.custom.program_setup import ObjectiveCommand
from tuner.trainables.custom.trainable import CustomTrainable

__all__ = ["custom_trainable"]


def custom_trainable(asked: Study, objective: Callable[..., Any] | None = None) -> CustomTrainable:
    """Import and inspect an objective in a worker. Raises StudyError with what is wrong with it."""
    own = asked.custom
    if own is None:
        raise ValueError("the study has no objective of its own")
    if complaints := check_search(asked, space_of(asked)):
        raise StudyError(*complaints)
    folder = str(asked.base.resolve())
    if own.command:
        program = ObjectiveCommand(own.command, own.output, folder, own.metrics, asked.run)
        form = form_of_command(own.command, asked.budget.unit)
        return _checked(CustomTrainable(asked, own, program, form, source_of_command(program)))
    if own.given and objective is None:
        what = f"study {asked.name!r} was run with a function given in Python"
        raise StudyError(Complaint("study.objective", what, "give it again: objective=..."))
    reference = _reference(own, folder, objective)
    with PoolEngine(1) as engine:
        met = engine.submit(inspect_objective, reference, seconds=LOADING).result()
    if isinstance(met, InvalidObjective):
        raise StudyError(Complaint("study.objective", met.what, met.hint))
    if isinstance(met, Failure):
        raise StudyError(Complaint("study.objective", f"{own.objective} could not be imported: {met}"))
    return _checked(CustomTrainable(*_placed(asked, own, reference), reference, met.form, met.source))


def _reference(own: CustomObjective, folder: str, objective: Callable[..., Any] | None) -> ObjectiveRef:
    """Return the reference to the objective; a given function is pickled by value where workers cannot import it."""
    names = (*own.parameters, *own.trained)
    if objective is None:
        return ObjectiveRef(own.objective, folder, names=names)
    if not callable(objective):
        raise StudyError(Complaint("objective", f"is {type(objective).__name__}, not a function", "give a function"))
    try:
        return ObjectiveRef(own.objective, folder, pickled(objective), names)
    except Exception as error:
        what = f"{own.objective} cannot be sent to a worker: {type(error).__name__}: {str(error)[:200]}"
        raise StudyError(Complaint("objective", what, "let it open what it needs itself")) from error


def _placed(asked: Study, own: CustomObjective, reference: ObjectiveRef) -> tuple[Study, CustomObjective]:
    """Make the path of the study's file absolute, so that the stored study finds it from anywhere."""
    where, _, name = own.objective.rpartition(":")
    if not where.endswith(".py"):
        return asked, own
    own = replace(own, objective=f"{(Path(reference.folder) / Path(where).expanduser()).resolve()}:{name}")
    return replace(asked, custom=own), own


def _checked(trainable: CustomTrainable) -> CustomTrainable:
    """Return the trainable if its study says all that its form needs. Raises StudyError."""
    if trainable.form == ObjectiveForm.RUN and not trainable.custom.timed:
        what = f"is missing: {trainable.custom.words} has to know how far to train"
        raise StudyError(Complaint("train.epochs", what, "write [train] epochs = 27"))
    if trainable.form == ObjectiveForm.TRIAL and trainable.custom.batched > 1:
        raise StudyError(Complaint("study.batched", "does not go with an objective of Optuna's", "remove it"))
    return trainable
