"""What a study found, as sheets with every column: trials, learning curves, the best config, confirmation runs,
a paper's appendix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tuner.records import AT_EPOCH
from tuner.result import Result
from tuner.views.appendix import appendix_sheet
from tuner.views.ranking import ranking_sheet
from tuner.views.sheet import FrameRows, Sheet, fields

__all__ = ["SHEETS"]


def _trials(result: Result) -> Sheet:
    return ranking_sheet(result, complete=False)


def _curves(result: Result) -> Sheet:
    frame = result.curves()
    return Sheet(tuple(frame.columns), FrameRows(frame), frame=frame)


def _config(result: Result) -> Sheet:
    document: Mapping[str, Any] = result.best().document()
    return fields(document)


def _confirmations(result: Result) -> Sheet:
    every = (name for row in result.confirmed for name in row.metrics if not name.startswith(AT_EPOCH))
    names = list(dict.fromkeys(every))
    rows = tuple(
        (row.trial, row.replicate, row.state, row.epoch, *(row.metrics.get(name) for name in names), row.seconds)
        for row in result.confirmed
    )
    return Sheet(("trial", "replicate", "state", "epoch", *names, "seconds"), rows)


SHEETS: dict[str, Callable[[Result], Sheet]] = {
    "trials": _trials,
    "curves": _curves,
    "config": _config,
    "confirmations": _confirmations,
    "appendix": appendix_sheet,
}
