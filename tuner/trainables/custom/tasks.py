"""The task that travels to a worker: train some trials of somebody's objective up to a rung; and what comes back."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.types import Array
from tuner.engines import DEVICE, Failure, Lost, of_machine
from tuner.enums import ObjectiveForm, TrialState
from tuner.store.cache import DiskCache
from tuner.trainables.custom.captured_output import printing_into
from tuner.trainables.custom.function import MetricSink, ObjectiveCall, call_objective, device_here
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.metric_log import Diverged, MetricLog
from tuner.trainables.custom.objective_ref import ObjectiveRef, load, whereabouts
from tuner.trainables.custom.run_handle import REFIT, SEARCH
from tuner.trainables.optuna_script.script_rules import rules_of
from tuner.trainables.optuna_script.study_beside import Beside
from tuner.trainables.optuna_script.trial_adapter import follow

if TYPE_CHECKING:
    from tuner.trainables.custom.program_setup import ObjectiveCommand

__all__ = [
    "KEPT",
    "CustomOutcome",
    "CustomState",
    "CustomTask",
    "kept_at",
    "load_objective",
    "notes_file",
    "run_custom",
    "train",
]

KEPT, WORK = "at", "work"  # a trial's directory as it was at a rung, and the one that it works in
NOTES = "notes"  # folder of a study: user attributes that are no numbers
NO_ROOM = 1 << 16  # bytes: a disk with fewer is full
WORTH_KEEPING = 0.02  # seconds: shorter trainings are done again sooner than they are written and found


@dataclass(frozen=True)
class CustomState:
    """Where a trial stands: curves `(R, E)` up to now, and epochs trained for them, repeated ones included."""

    curves: Mapping[str, Array]
    spent: int


@dataclass(frozen=True)
class CustomTask:
    """Train these trials from `start` to `stop` (0: as far as they like), once for each seed."""

    what: ObjectiveRef | ObjectiveCommand
    form: ObjectiveForm
    trials: tuple[int, ...]
    configs: tuple[Mapping[str, Any], ...]
    seeds: tuple[int, ...]
    start: int
    stop: int
    unit: str
    goal: str
    phase: str
    taken: tuple[str, ...]
    folder: Path  # for what is kept between rungs
    output: Path  # for what trials print
    batched: bool = False
    source: str = ""
    states: tuple[CustomState | None, ...] = ()  # where the trials stand: it stays with who sends the task
    splits: tuple[int, ...] = ()  # the number of each seed's split; none where the study has one
    first: int = 0  # the first seed's place among all of a trial's
    beside: Beside | None = None  # what an objective of Optuna's may read of its study

    def apart(self) -> list[CustomTask]:
        """Split the task into one for each trial."""
        parts = zip(self.trials, self.configs, self.states, strict=True)
        return [replace(self, trials=(number,), configs=(one,), states=(state,)) for number, one, state in parts]

    @property
    def printed(self) -> list[Path]:
        """Return the files of what its trials print: a confirmation, or a training on more splits, has its own."""
        seed = f"-seed-{self.seeds[0]}" if self.phase != SEARCH else f"-split-{self.splits[0]}" if self.first else ""
        return [self.output / f"trial-{number}{seed}.txt" for number in self.trials]

    @property
    def key(self) -> str:
        """Return what decides the outcome."""
        what = [self.source, self.form, self.goal, self.phase, self.batched, self.unit]
        return json.dumps(
            [what, self.trials, self.configs, self.seeds, self.splits, self.start, self.stop], sort_keys=True
        )


@dataclass(frozen=True)
class CustomOutcome:
    """Curves `(R, K, E)` of what a task has trained, nan where nothing was reported; how each trial ended; seconds.

    Where they are `final`, the value of a curve's last epoch is what the code says its value is.
    """

    curves: Mapping[str, Array]
    ended: tuple[str, ...]
    reasons: tuple[str, ...]
    seconds: float
    final: bool = False


def load_objective(what: ObjectiveRef | ObjectiveCommand) -> None:
    """Import what tasks will need, the objective among it: that is no trial's time. Raises InvalidObjective."""
    if isinstance(what, ObjectiveRef):
        load(what)
    else:
        import_module("tuner.trainables.custom.command")


def run_custom(task: CustomTask, memo: DiskCache | None = None) -> CustomOutcome | Failure:
    """Run a task in a worker, or load what a killed run had finished."""
    found = memo.get(task.key) if memo is not None else None
    if found is not None and all(
        kept_at(task, r).is_dir() for r in range(len(task.seeds)) if task.form == ObjectiveForm.RUN
    ):
        arrays, meta = found
        final = bool(meta.get("final", False))
        return CustomOutcome(arrays, tuple(meta["ended"]), tuple(meta["reasons"]), meta["seconds"], final)
    try:
        with printing_into(task.printed[0], further=task.start > 0):
            outcome = train(task)
    except BaseException as error:
        return on_full_disk(task, failed(error))
    share_output(task)
    if memo is not None and outcome.seconds >= WORTH_KEEPING:
        meta = {"ended": outcome.ended, "reasons": outcome.reasons, "seconds": outcome.seconds, "final": outcome.final}
        memo.put(task.key, dict(outcome.curves), meta)
    return outcome


def train(task: CustomTask) -> CustomOutcome:
    """Train once for each seed. Raises what the objective raises."""
    function = load(task.what) if isinstance(task.what, ObjectiveRef) else None
    started = time.perf_counter()
    boards, reasons = [], [""] * len(task.trials)
    for r, seed in enumerate(task.seeds):
        longest = 0 if task.form == ObjectiveForm.TRIAL else task.stop  # Optuna's may report as often as they like
        sheets = [
            MetricLog(task.goal, task.start, longest, task.taken, needed=task.phase != REFIT) for _ in task.trials
        ]
        board = MetricSink(sheets, task.batched)
        place = workplace(task, r)
        device = device_here(DEVICE)
        attempt = ObjectiveCall(
            task.configs, seed, task.start, task.stop, task.unit, place, task.phase, device, task.batched,
            task.splits[r] if task.splits else None, task.trials,
        )  # fmt: skip
        try:
            if function is not None and task.form == ObjectiveForm.TRIAL:
                rules = rules_of(task.what) if isinstance(task.what, ObjectiveRef) else None
                noted = follow(function, task.trials[0], attempt, board, task.beside, rules)
                board.sheets[0].notes |= noted
            elif function is not None:
                call_objective(function, task.form, attempt, board)
            elif not isinstance(task.what, ObjectiveRef):
                from tuner.trainables.custom.command import (
                    run_command,  # reads the schema of studies, as no function does
                )

                run_command(task.what, task.form, attempt, board)
        except Diverged as diverged:
            reasons = [reason or str(diverged) for reason in reasons]
        except BaseException as error:
            if not place.is_dir():
                raise InvalidObjective(
                    f"its directory was removed while it trained: {error}", machine="short"
                ) from error
            # a library may wrap what its callback raised as the goal was not finite
            if not isinstance(error, Exception) or not all(board.ended):
                raise
            reasons = [reason or f"{task.goal} is not finite" for reason in reasons]
        try:
            board.check(told=task.phase != REFIT)
            for k, sheet in enumerate(board.sheets):
                keep_notes(task, k, r, sheet.notes)
            move_output(task, r, place)
        except OSError as error:
            if not place.is_dir():
                raise InvalidObjective(
                    f"its directory was removed while it trained: {error}", machine="short"
                ) from error
            raise
        boards.append(board)
    ended = tuple(TrialState.DIVERGED if any(b.ended[k] for b in boards) else "" for k in range(len(task.trials)))
    reasons = [reason if end else "" for reason, end in zip(reasons, ended, strict=True)]
    final = all(board.final for board in boards)
    return CustomOutcome(stacked(boards), ended, tuple(reasons), time.perf_counter() - started, final)


def keep_notes(task: CustomTask, k: int, r: int, notes: Mapping[str, Any]) -> None:
    """Keep what the task's k-th trial has noted on its r-th seed, and is no metric, in the study's directory."""
    if notes and task.phase == SEARCH:
        place = notes_file(task.output, task.trials[k], task.splits[r] if task.splits else 0)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(notes, indent=2, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(one))
        place.write_text(text + "\n", encoding="utf-8")


def notes_file(output: Path, trial: int, split: int = 0) -> Path:
    """Return the JSON file of what a trial has noted on a split, beside the folder of what trials print."""
    further = f"-split-{split}" if split else ""
    return output.with_name(NOTES) / f"trial-{trial}{further}.json"


def stacked(boards: Sequence[MetricSink]) -> dict[str, Array]:
    """Stack the curves `(R, K, E)` of all reports, nan where there is none."""
    every = [[sheet.curves() for sheet in board.sheets] for board in boards]
    names = dict.fromkeys(name for row in every for own in row for name in own)
    longest = max((len(curve) for row in every for own in row for curve in own.values()), default=0)
    found = {name: np.full((len(every), len(every[0]), longest), np.nan) for name in names}
    for r, row in enumerate(every):
        for k, own in enumerate(row):
            for name, curve in own.items():
                found[name][r, k, : len(curve)] = curve
    return found


def kept_at(task: CustomTask, r: int, epoch: int | None = None) -> Path:
    """Return the copy of a trial's directory at an epoch, by default at its rung."""
    at = task.stop if epoch is None else epoch
    return task.folder / f"{task.trials[0]}-{task.seeds[r]}" / f"{KEPT}-{at}"


def workplace(task: CustomTask, r: int) -> Path:
    """Prepare a directory to train in, as it was at the start of the rung: a killed run may have changed it.

    Raises Lost where somebody has removed what the trial continues from.
    """
    before = kept_at(task, r, task.start)
    work = before.with_name(WORK)
    shutil.rmtree(work, ignore_errors=True)
    if task.start and not before.is_dir():
        raise Lost(f"what trial {task.trials[0]} kept at epoch {task.start} has gone from the study's cache")
    if task.start:
        shutil.copytree(before, work)
    work.mkdir(parents=True, exist_ok=True)
    return work


def move_output(task: CustomTask, r: int, work: Path) -> None:
    """Keep a trial's directory for its next rung, in one step, and what was before no longer."""
    if task.form != ObjectiveForm.RUN and isinstance(task.what, ObjectiveRef):
        shutil.rmtree(work.parent, ignore_errors=True)
        return
    place = kept_at(task, r)
    shutil.rmtree(place, ignore_errors=True)
    work.rename(place)


def share_output(task: CustomTask) -> None:
    """Give each trial of a batch what all of them have printed."""
    first, *others = task.printed
    for place in others:
        with suppress(OSError):
            place.unlink(missing_ok=True)
            if first.exists():
                shutil.copyfile(first, place)


def on_full_disk(task: CustomTask, failure: Failure) -> Failure:
    """Attribute a failure to the machine where the study's disk is full: code may report that in its own way."""
    with suppress(OSError):
        if not failure.machine and shutil.disk_usage(task.output.parent).free < NO_ROOM:
            return replace(failure, machine="full")
    return failure


def failed(error: BaseException) -> Failure:
    """Describe the failure of a task in a line."""
    if isinstance(error, InvalidObjective):
        return Failure("Objective", str(error), machine=error.machine or of_machine(error))
    failure = Failure.of(error)
    if isinstance(error, SystemExit):
        return replace(failure, message=f"it called sys.exit({error.code}){whereabouts(error)}; return instead")
    return replace(failure, message=f"{failure.message.partition(chr(10))[0][:500]}{whereabouts(error)}")
