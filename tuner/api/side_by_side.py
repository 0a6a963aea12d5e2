"""Comparisons as tables: a row for each study, or for each optimizer of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from objectives.errors import Complaint
from tuner.api.compare import Comparison, by_optimizer, by_study
from tuner.errors import StudyError
from tuner.result import Result, open_study
from tuner.store.directory import Home, home_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["columns_of", "compare", "rows_of"]


def compare(
    *studies: str | Path | Result, by: str = "study", home: Home = None, storage: str | None = None
) -> pd.DataFrame:
    """Compare studies, or with `by="optimizer"` the optimizers of one: a table with a row for each.

    `studies` are names, directories or results. Returns a pandas DataFrame: `value` is the best of the search, `mean`,
    `low` and `high` are its interval on `seeds` fresh seeds, and `p_best` is the probability to have the best mean,
    which `method` found; the cost stands beside it. What is not the same for all is told in `frame.attrs["notes"]`.
    Raises UnknownStudy, NoResult where one has no complete trial, and StudyError where there is nothing to compare.

    ```python
    tuner.compare("digits", by="optimizer")
    ```
    """
    import pandas as pd

    if by not in ("study", "optimizer"):
        raise StudyError(Complaint("by", f"must be 'study' or 'optimizer', but got {by!r}"))
    if by == "optimizer" and len(studies) != 1:
        raise StudyError(Complaint("by", f"'optimizer' compares within one study, but got {len(studies)}"))
    if by == "study" and len(studies) < 2:
        raise StudyError(Complaint("studies", f"two or more are compared, but got {len(studies)}", 'by="optimizer"?'))
    place = home_of(home, storage)
    results = [study if isinstance(study, Result) else open_study(study, place) for study in studies]
    found = by_optimizer(results[0]) if by == "optimizer" else by_study(results)
    frame = pd.DataFrame(rows_of(found), columns=list(columns_of(by)))
    frame.attrs["notes"] = list(found.notes)
    return frame


def columns_of(key: str) -> tuple[str, ...]:
    """Return the columns of a comparison of what `key` names."""
    return (
        key, "metric", "value", "mean", "low", "high", "seeds", "p_best", "method", "trial", "best_optimizer", "trials",
        "complete", "epochs", "steps", "seconds", "seed", "data",
    )  # fmt: skip


def rows_of(found: Comparison) -> list[tuple[Any, ...]]:
    """Return a row for each side, under the columns."""
    rows: list[tuple[Any, ...]] = []
    for side in found.sides:
        goal = side.goal
        means = (goal.mean, goal.low, goal.high, goal.n) if goal else (None,) * 4
        spent = (side.trials, side.complete, side.epochs, side.steps, side.seconds)
        best = (side.best.number, side.best.config.get("optimizer")) if side.best else (None, None)
        facts = (side.study.seed, side.data[:12])
        rows.append(
            (side.name, side.study.metric, side.search, *means, side.p_best, side.method, *best, *spent, *facts)
        )
    return rows
