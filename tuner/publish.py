"""What a run writes for others to read: ranking.csv, best.toml and best.npz, all derived from the ledger."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.models import Layers
from tuner.best import Best
from tuner.dispatch import Engine, Failure
from tuner.errors import NoResult
from tuner.home import write_atomic
from tuner.packing import Source, cut, problem_of, run_pack
from tuner.ranking import csv_text
from tuner.result import Result
from tuner.training import Member

__all__ = ["publish", "weights_of"]

Array = NDArray[Any]


def publish(result: Result, source: Source, engine: Engine) -> None:
    """Write the files of a study's directory that are derived from its ledger."""
    write_atomic(result.directory.ranking, csv_text(result.ranking().drop(columns="seconds")))
    try:
        best = result.best()
    except NoResult:
        return
    place, text = result.directory.best, best_text(best)
    if result.directory.weights.exists() and place.exists() and place.read_text(encoding="utf-8") == text:
        return
    # The config last: where it stands and is right, so are the weights.
    place.unlink(missing_ok=True)
    write_atomic(result.directory.weights, npz_bytes(weights_of(best, source, engine)))
    write_atomic(place, text)


def best_text(best: Best) -> str:
    """The text of best.toml."""
    import tomli_w

    head = f"# The best config of study {best.study!r}: tuner.load_best reads it, and so does any TOML reader.\n"
    return head + tomli_w.dumps(best.document())


def weights_of(best: Best, source: Source, engine: Engine) -> dict[str, Array]:
    """Weights of the best trial at its best epoch, trained again: `W1 (D, H)`, `b1 (H,)`, `W2`, ... in layer order;
    of a surface the point `x (P,)`.

    The run is the trial's own, bit for bit, since a trial depends on its config and seed alone; of several replicates,
    the first.
    """
    (pack,) = cut([Member(best.trial, dict(best.params) | {"epochs": best["horizon"]})], (source,), best.epochs)
    outcome = engine.submit(run_pack, pack).result()
    if isinstance(outcome, Failure):
        raise RuntimeError(f"the best trial could not be trained again: {outcome}")
    problem = problem_of(pack.sources, pack.configs[0])
    if problem.surface:
        return {"x": outcome.state.weights[0, 0]}
    shapes = problem.shapes
    arrays: dict[str, Array] = {}
    for i, layer in enumerate(Layers(outcome.state.weights[0, 0], shapes).views, start=1):
        arrays[f"W{i}"], arrays[f"b{i}"] = layer[:-1], layer[-1]
    return arrays


def npz_bytes(arrays: dict[str, Array]) -> bytes:
    """The bytes of an .npz file: the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
