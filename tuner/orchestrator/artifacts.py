"""What a run writes for others to read: ranking.csv, best.toml and best.npz, all derived from the ledger."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from objectives.types import Array
from tuner.best import Best
from tuner.engines import Engine
from tuner.errors import NoResult
from tuner.ranking.table import csv_text
from tuner.result import Result
from tuner.store.backend import write_private
from tuner.trainables.protocols import Trainable

__all__ = ["best_text", "write_artifacts", "summary_of"]


def summary_of(result: Result) -> dict[str, Any]:
    """Return the summary for lists of studies: trials by state, the best value, and its confirmed value."""
    summary: dict[str, Any] = {"states": dict(Counter(str(trial.state) for trial in result.all_trials)), "value": None}
    try:
        best = result.best()
    except NoResult:
        return summary
    summary["value"] = best.value
    if best.interval:
        summary |= {"mean": best.confirmation["mean"], "low": best.interval[0], "high": best.interval[1]}
    return summary


def write_artifacts(result: Result, trainable: Trainable, engine: Engine) -> None:
    """Write the files of a study's directory that are derived from its ledger; weights where the trainable has some."""
    write_private(result.directory.ranking, csv_text(result.ranking().drop(columns="seconds")))
    try:
        best = result.best()
    except NoResult:
        return
    place, text = result.directory.best, best_text(best)
    there = place.exists() and (result.directory.weights.exists() or not trainable.has_weights)
    if there and place.read_bytes() == text.encode():
        return
    # The config last: if it is up to date, so are the weights.
    place.unlink(missing_ok=True)
    weights = trainable.weights(result.study, best, result.directory, engine)
    if weights is not None:
        write_private(result.directory.weights, npz_bytes(weights))
    write_private(place, text)


def best_text(best: Best) -> str:
    """Write the text of best.toml."""
    import tomli_w

    head = f"# The best config of study {best.study!r}: tuner.load_best reads it, and so does any TOML reader.\n"
    return head + tomli_w.dumps(best.document())


def npz_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Return the bytes of an .npz file: the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
