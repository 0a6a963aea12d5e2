"""The ranking as a sheet: the columns that people read first, and notes on what its marks mean."""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING, Any

from objectives.training.hypers import Entry, hypers_of
from objectives.types import Direction
from tuner.ranking.confirmation_race import is_default, why_safe
from tuner.ranking.optimality_gap import MEASURES
from tuner.result import Result
from tuner.study import is_searched
from tuner.text import interval_text
from tuner.views.sheet import Sheet, sheet_of

if TYPE_CHECKING:
    from tuner.ranking.standings import ConfirmedTrial

__all__ = ["fresh_text", "ranking_notes", "ranking_sheet"]

# Facts of the run rather than of the config: in every file, in a table when asked for.
ASIDES = (
    "tie", "state", "splits", "rung", "stable", "epochs", "steps", "examples", "evaluations", "seconds", "generation",
    "seed", "train_loss", "confirmed_low", "confirmed_high", "search_rank",
)  # fmt: skip
FIRST = ("rank", "confirmed", "value", "se", "trial", "optimizer")
STEP, LOSS, LAYERS = (tuple(row.name for row in hypers_of(entry)) for entry in (Entry.STEP, Entry.LOSS, Entry.LAYERS))
SHARED = (
    *("batch_size", "schedule", *STEP, "loss", "class_weight", *LOSS),
    *("model", "hidden", "activation", *LAYERS, "init", "framework"),
)


def ranking_sheet(
    result: Result, rows: int | None = None, optimizer: str | None = None, complete: bool = True
) -> Sheet:
    """Build the first `rows` of the ranking with the columns that people read first; files have all of them.

    `complete` leaves out trials that do not rank; `optimizer` leaves out those of others.
    """
    frame = result.ranking(complete)
    if optimizer is not None and "optimizer" in frame:
        frame = frame[frame["optimizer"] == optimizer]
    frame = frame.head(rows) if rows is not None else frame
    sheet = sheet_of(frame)
    goal = result.study.metric
    told = {*MEASURES, "distance", *(result.metrics if result.study.custom else [])}
    names = [name for name in sheet.columns if name.startswith(("train_", "valid_")) or name in told]
    own = [name for name in sheet.columns if name not in {*FIRST, *SHARED, *ASIDES, *names, "epoch"}]
    fixed = frozenset(name for name in own if not _searched(result, name))
    unstable = not all(sheet.column("stable"))
    asides = {*ASIDES, goal} - {"value"} - ({"stable"} if unstable else set()) - (set() if complete else {"state"})
    asides -= {"epochs"} if result.study.train.patience else set()  # how long a trial trained before it stopped
    if result.study.train.replicates == 1 and result.study.splits == 1:
        asides.add("se")
    titles = {"value": "search" if result.is_confirmed else goal, "confirmed": "check"} | {
        name: name.removeprefix("valid_") for name in names if name != "valid_loss"
    }
    return Sheet(
        sheet.columns,
        sheet.rows,
        always=frozenset(("rank", "value", "trial", *(["optimizer"] if "optimizer" in sheet.columns else []))),
        asides=frozenset(asides),
        sparse=fixed,
        titles=titles | {"batch_size": "batch"} | ({goal: goal}),
        views={"rank": _places(sheet), "confirmed": _confirmed(result, sheet)},
        order=(
            *(name for name in FIRST if name in sheet.columns or name == "confirmed"),
            *own,
            *(name for name in SHARED if name in sheet.columns),
            "epoch",
            *(["epochs"] if "epochs" not in asides else []),
            *names,
        ),
        frame=frame,
    )


def ranking_notes(result: Result, sheet: Sheet, command: Callable[[str], str] = str) -> list[str]:
    """Return notes on a ranking: what its marks mean, and that batches of different sizes made different steps.

    `command` writes a command as it is to be copied.
    """
    sizes = sheet.column("batch_size") if "batch_size" in sheet.columns else []
    return [*tie_notes(result, sheet, command), *safe_note(result), *filter(None, [result.study.uneven(sizes)])]


def safe_note(result: Result) -> list[str]:
    """Say why a trial with a better mean on its splits is not rank 1, where there is one."""
    if not result.is_confirmed:
        return []
    first, *others = result.standings
    turn = 1 if result.study.direction == Direction.MINIMIZE else -1
    if not any(turn * other.goal.mean < turn * first.goal.mean for other in others):
        return []
    if not is_default(result.study, result.trial(first.trial)):
        return ["rank 1 came further in the race than what has a better mean on fewer splits."]
    return [f"rank 1 has its optimizer's defaults: {why_safe()}."]


def tie_notes(result: Result, sheet: Sheet, command: Callable[[str], str]) -> list[str]:
    """Explain the marks of a ranking, and how to get them where the noise is unknown."""
    places = [str(place) for place in _places(sheet) if str(place).endswith("=")]
    if result.noise is None:
        exact = ["`=`: float32 cannot tell these values from each other."] if places else []
        name = result.study.name
        if result.study.data.surface or result.study.imported:
            return exact
        return [
            *exact,
            f"how far values lie apart by chance is not known: {command(f'tuner confirm {quote(name)}')} measures it",
        ]
    marks = dict.fromkeys(places)
    return [f"`{mark}` not separable from rank {mark[:-1]} at the noise measured." for mark in marks]


def _searched(result: Result, name: str) -> bool:
    """Return True if any optimizer searches a hyperparameter."""
    tables = [*result.study.optimizers.values(), *([result.study.custom.parameters] if result.study.custom else [])]
    return result.study.imported is not None or any(is_searched(domains.get(name)) for domains in tables)


def _confirmed(result: Result, sheet: Sheet) -> list[str]:
    """Return each trial's result on fresh seeds, where it has one."""
    said = {standing.trial: fresh_text(standing) for standing in result.standings}
    return [said.get(number, "") for number in sheet.column("trial")]


def _places(sheet: Sheet) -> list[Any]:
    """Return ranks, or `1=` for trials statistically tied with rank 1."""
    at = [sheet.columns.index(name) for name in ("rank", "tie")]
    pairs = [(row[at[0]], row[at[1]]) for row in sheet.rows]
    return [rank if tie in (None, rank) else f"{tie}=" for rank, tie in pairs]


def fresh_text(standing: ConfirmedTrial) -> str:
    """Format a config's result on fresh seeds: a mean with its interval, or that it was lost on one of them."""
    goal = standing.goal
    return standing.lost or interval_text(goal.mean, goal.low, goal.high)
