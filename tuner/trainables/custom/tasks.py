"""The task that travels to a worker: train some trials of somebody's objective up to a rung; and what comes back."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.engines import DEVICE, Failure, Lost, of_machine
from tuner.store.cache import Memo
from tuner.trainables.custom.captured_output import printing_into
from tuner.trainables.custom.command import Program, run_program
from tuner.trainables.custom.errors import Unusable
from tuner.trainables.custom.function import Attempt, Board, called, device_here
from tuner.trainables.custom.metric_log import Diverged, Reports
from tuner.trainables.custom.objective_ref import Reference, load, whereabouts
from tuner.trainables.custom.run_handle import SEARCH
from tuner.trainables.optuna_script.script_rules import rules_of
from tuner.trainables.optuna_script.study_beside import Beside
from tuner.trainables.optuna_script.trial_adapter import follow

__all__ = ["KEPT", "OwnOutcome", "OwnState", "OwnTask", "made_ready", "run_own"]

Array = NDArray[Any]
KEPT, WORK = "at", "work"  # a trial's directory as it was at a rung, and the one that it works in
NOTES = "notes"  # folder of a study: user attributes that are no numbers
NO_ROOM = 1 << 16  # bytes: a disk with fewer is full
WORTH_KEEPING = 0.02  # seconds: shorter trainings are done again sooner than they are written and found


@dataclass(frozen=True)
class OwnState:
    """Where a trial stands: curves `(R, E)` up to now, and epochs trained for them, repeated ones included."""

    curves: Mapping[str, Array]
    spent: int


@dataclass(frozen=True)
class OwnTask:
    """Train these trials from `start` to `stop` (0: as far as they like), once for each seed."""

    what: Reference | Program
    form: str
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
    states: tuple[OwnState | None, ...] = ()  # where the trials stand: it stays with who sends the task
    splits: tuple[int, ...] = ()  # the number of each seed's split; none where the study has one
    first: int = 0  # the first seed's place among all of a trial's
    beside: Beside | None = None  # what an objective of Optuna's may read of its study

    def apart(self) -> list[OwnTask]:
        """The same as one task for each trial."""
        parts = zip(self.trials, self.configs, self.states, strict=True)
        return [replace(self, trials=(number,), configs=(one,), states=(state,)) for number, one, state in parts]

    @property
    def printed(self) -> list[Path]:
        """Where each of its trials keeps what it prints: one that confirms, or trains on more splits, has its own."""
        seed = f"-seed-{self.seeds[0]}" if self.phase != SEARCH else f"-split-{self.splits[0]}" if self.first else ""
        return [self.output / f"trial-{number}{seed}.txt" for number in self.trials]

    @property
    def key(self) -> str:
        """What decides the outcome."""
        what = [self.source, self.form, self.goal, self.phase, self.batched, self.unit]
        return json.dumps(
            [what, self.trials, self.configs, self.seeds, self.splits, self.start, self.stop], sort_keys=True
        )


@dataclass(frozen=True)
class OwnOutcome:
    """Curves `(R, K, E)` of what a task has trained, nan where nothing was reported; how each trial ended; seconds.

    Where they are `final`, the value of a curve's last epoch is what the code says its value is.
    """

    curves: Mapping[str, Array]
    ended: tuple[str, ...]
    reasons: tuple[str, ...]
    seconds: float
    final: bool = False


def made_ready(what: Reference | Program) -> None:
    """Import what tasks will need, the objective among it: that is no trial's time. Raises Unusable."""
    if isinstance(what, Reference):
        load(what)


def run_own(task: OwnTask, memo: Memo | None = None) -> OwnOutcome | Failure:
    """Do a task, or find what a killed run had come to: all that a worker does."""
    found = memo.get(task.key) if memo is not None else None
    if found is not None and all(kept(task, r).is_dir() for r in range(len(task.seeds)) if task.form == "run"):
        arrays, meta = found
        final = bool(meta.get("final", False))
        return OwnOutcome(arrays, tuple(meta["ended"]), tuple(meta["reasons"]), meta["seconds"], final)
    try:
        with printing_into(task.printed[0], further=task.start > 0):
            outcome = trained(task)
    except BaseException as error:
        return on_full_disk(task, failed(error))
    share_output(task)
    if memo is not None and outcome.seconds >= WORTH_KEEPING:
        meta = {"ended": outcome.ended, "reasons": outcome.reasons, "seconds": outcome.seconds, "final": outcome.final}
        memo.put(task.key, dict(outcome.curves), meta)
    return outcome


def trained(task: OwnTask) -> OwnOutcome:
    """Train once for each seed. Raises what the objective raises."""
    function = load(task.what) if isinstance(task.what, Reference) else None
    started = time.perf_counter()
    boards, reasons = [], [""] * len(task.trials)
    for r, seed in enumerate(task.seeds):
        longest = 0 if task.form == "trial" else task.stop  # Optuna's may report as often as they like
        sheets = [Reports(task.goal, task.start, longest, task.taken) for _ in task.trials]
        board = Board(sheets, task.batched)
        place = workplace(task, r)
        device = device_here(DEVICE)
        attempt = Attempt(
            task.configs, seed, task.start, task.stop, task.unit, place, task.phase, device, task.batched,
            task.splits[r] if task.splits else None, task.trials,
        )  # fmt: skip
        try:
            if function is not None and task.form == "trial":
                rules = rules_of(task.what) if isinstance(task.what, Reference) else None
                noted = follow(function, task.trials[0], attempt, board, task.beside, rules)
                board.sheets[0].notes |= noted
            elif function is not None:
                called(function, task.form, attempt, board)
            elif isinstance(task.what, Program):
                run_program(task.what, task.form, attempt, board)
        except Diverged as diverged:
            reasons = [reason or str(diverged) for reason in reasons]
        except BaseException as error:
            if not place.is_dir():
                raise Unusable(f"its directory was removed while it trained: {error}", machine="short") from error
            # a library may wrap what its callback raised as the goal was not finite
            if not isinstance(error, Exception) or not all(board.ended):
                raise
            reasons = [reason or f"{task.goal} is not finite" for reason in reasons]
        try:
            board.check()
            for k, sheet in enumerate(board.sheets):
                keep_notes(task, k, sheet.notes)
            put_away(task, r, place)
        except OSError as error:
            if not place.is_dir():
                raise Unusable(f"its directory was removed while it trained: {error}", machine="short") from error
            raise
        boards.append(board)
    ended = tuple("diverged" if any(b.ended[k] for b in boards) else "" for k in range(len(task.trials)))
    reasons = [reason if end else "" for reason, end in zip(reasons, ended, strict=True)]
    final = all(board.final for board in boards)
    return OwnOutcome(stacked(boards), ended, tuple(reasons), time.perf_counter() - started, final)


def keep_notes(task: OwnTask, k: int, notes: Mapping[str, Any]) -> None:
    """Keep what the task's k-th trial has noted, and is no metric, as JSON in the study's directory."""
    if notes and task.phase == SEARCH:
        place = task.output.with_name(NOTES)
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(notes, indent=2, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(one))
        (place / f"trial-{task.trials[k]}.json").write_text(text + "\n", encoding="utf-8")


def stacked(boards: Sequence[Board]) -> dict[str, Array]:
    """Curves `(R, K, E)` of all reports, nan where there is none."""
    every = [[sheet.curves() for sheet in board.sheets] for board in boards]
    names = dict.fromkeys(name for row in every for own in row for name in own)
    longest = max((len(curve) for row in every for own in row for curve in own.values()), default=0)
    found = {name: np.full((len(every), len(every[0]), longest), np.nan) for name in names}
    for r, row in enumerate(every):
        for k, own in enumerate(row):
            for name, curve in own.items():
                found[name][r, k, : len(curve)] = curve
    return found


def kept(task: OwnTask, r: int, epoch: int | None = None) -> Path:
    """What a trial had in its directory when it came to an epoch, its rung's by default."""
    at = task.stop if epoch is None else epoch
    return task.folder / f"{task.trials[0]}-{task.seeds[r]}" / f"{KEPT}-{at}"


def workplace(task: OwnTask, r: int) -> Path:
    """A directory to train in, as it was at the start of the rung: a killed run may have left it half way.

    Raises Lost where somebody has removed what the trial goes on from.
    """
    before = kept(task, r, task.start)
    work = before.with_name(WORK)
    shutil.rmtree(work, ignore_errors=True)
    if task.start and not before.is_dir():
        raise Lost(f"what trial {task.trials[0]} kept at epoch {task.start} has gone from the study's cache")
    if task.start:
        shutil.copytree(before, work)
    work.mkdir(parents=True, exist_ok=True)
    return work


def put_away(task: OwnTask, r: int, work: Path) -> None:
    """Keep a trial's directory for its next rung, in one step, and what was before no longer."""
    if task.form != "run" and not isinstance(task.what, Program):
        shutil.rmtree(work.parent, ignore_errors=True)
        return
    place = kept(task, r)
    shutil.rmtree(place, ignore_errors=True)
    work.rename(place)


def share_output(task: OwnTask) -> None:
    """Give each trial of a batch what all of them have printed."""
    first, *others = task.printed
    for place in others:
        with suppress(OSError):
            place.unlink(missing_ok=True)
            if first.exists():
                shutil.copyfile(first, place)


def on_full_disk(task: OwnTask, failure: Failure) -> Failure:
    """The failure as the machine's where the study's disk has no room: code may say that in its own way."""
    with suppress(OSError):
        if not failure.machine and shutil.disk_usage(task.output.parent).free < NO_ROOM:
            return replace(failure, machine="full")
    return failure


def failed(error: BaseException) -> Failure:
    """The failure of a task, in a line."""
    if isinstance(error, Unusable):
        return Failure("Objective", str(error), machine=error.machine or of_machine(error))
    failure = Failure.of(error)
    if isinstance(error, SystemExit):
        return replace(failure, message=f"it called sys.exit({error.code}){whereabouts(error)}; return instead")
    return replace(failure, message=f"{failure.message.partition(chr(10))[0][:500]}{whereabouts(error)}")
