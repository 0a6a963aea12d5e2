"""The ranking as commands print it."""

from __future__ import annotations

from typing import Any

from tuner.cli.sheet import Sheet, sheet_of
from tuner.result import Result

__all__ = ["TIES", "ranking_sheet"]

# Facts of the run rather than of the config: in every file, in a table when asked for.
ASIDES = ("tie", "state", "rung", "stable", "epochs", "steps", "seconds", "generation", "seed", "train_loss")
FIRST = ("rank", "value", "trial", "optimizer")
SHARED = ("batch_size", "schedule", "model", "hidden", "activation", "init", "framework")
TIES = "`1=`: float32 cannot tell these from each other."


def ranking_sheet(
    result: Result, rows: int | None = None, optimizer: str | None = None, complete: bool = True
) -> Sheet:
    """The first `rows` of the ranking, as a table with the columns people read first; files have them all.

    `complete` leaves out trials that do not rank; `optimizer` leaves out those of others.
    """
    frame = result.ranking()
    if complete:
        frame = frame[frame["state"] == "complete"]
    if optimizer is not None:
        frame = frame[frame["optimizer"] == optimizer]
    frame = frame.head(rows) if rows is not None else frame
    sheet = sheet_of(frame)
    goal = result.study.metric
    names = [name for name in sheet.columns if name.startswith(("train_", "valid_"))]
    own = [name for name in sheet.columns if name not in {*FIRST, *SHARED, *ASIDES, *names, "epoch"}]
    unstable = not all(sheet.column("stable"))
    asides = {*ASIDES, goal} - ({"stable"} if unstable else set()) - (set() if complete else {"state"})
    titles = {"value": goal} | {name: name.removeprefix("valid_") for name in names if name != "valid_loss"}
    return Sheet(
        sheet.columns,
        sheet.rows,
        always=frozenset(("rank", "value", "trial", "optimizer", "epoch")),
        asides=frozenset(asides),
        titles=titles | {"batch_size": "batch"} | ({goal: goal}),
        views={"rank": _places(sheet)},
        order=(*FIRST, *own, *SHARED, "epoch", *names),
    )


def _places(sheet: Sheet) -> list[Any]:
    """Ranks, with `=` where they are shared."""
    return [f"{place}=" if tie else place for place, tie in zip(sheet.column("rank"), sheet.column("tie"), strict=True)]
