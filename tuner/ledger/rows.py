"""Records <-> rows of the ledger, and the digest of what a record says.

A digest covers what is reproducible: not seconds, and not the text of an error, which may name addresses in memory.
Equal digests mean equal records, bit for bit, on every machine and in every database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.trial import Confirmed, Trial

__all__ = [
    "confirmed_of",
    "confirmed_row",
    "curve_rows",
    "curves_digest",
    "curves_of",
    "generation_digest",
    "json_text",
    "text_digest",
    "trial_of",
    "trial_row",
]

Array = NDArray[Any]
Row = Mapping[str, Any]

NOT_REPRODUCIBLE = ("seconds", "error", "digest")


def json_text(value: Any, *, sort_keys: bool = False) -> str:
    """JSON of plain values; NumPy's numbers are taken as Python's. Raises TypeError for anything else."""
    return json.dumps(value, separators=(",", ":"), sort_keys=sort_keys, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"the ledger keeps numbers, text, lists and mappings, but got {value!r}")


def text_digest(text: str) -> str:
    """Digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def row_digest(row: Row) -> str:
    """Digest of a row, but for what is not reproducible in it."""
    kept = {name: value for name, value in row.items() if name not in NOT_REPRODUCIBLE}
    return text_digest(json_text(kept, sort_keys=True))


def generation_digest(number: int, rows: Sequence[Row]) -> str:
    """Digest of a generation from its trials' rows, which hold the digests of their curves."""
    return text_digest("\n".join([str(number), *map(row_digest, rows)]))


def trial_row(trial: Trial) -> dict[str, Any]:
    """The row of a trial; its curves have rows of their own."""
    return {
        "number": int(trial.number),
        "generation": int(trial.generation),
        "state": trial.state,
        "config": dict(trial.config),
        "latents": dict(trial.latents),
        "rung": int(trial.rung),
        "epochs": int(trial.epochs),
        "steps": int(trial.steps),
        "value": None if trial.value is None else float(trial.value),
        "epoch": None if trial.epoch is None else int(trial.epoch),
        "stable": bool(trial.stable),
        "metrics": {name: float(value) for name, value in trial.metrics.items()},
        "seconds": float(trial.seconds),
        "error": trial.error,
        "curves_digest": curves_digest(curve_rows(trial)),
    }


def trial_of(row: Row, curves: Mapping[str, Array]) -> Trial:
    """The trial of a row and its curves."""
    fields = {name: value for name, value in row.items() if name != "curves_digest"}
    return Trial(**fields, curves=curves)


def curve_rows(trial: Trial) -> list[dict[str, Any]]:
    """Rows of a trial's curves `(R, E)`, in their order. Raises ValueError for another shape."""
    rows = []
    for position, (name, curve) in enumerate(trial.curves.items()):
        values = np.ascontiguousarray(curve, dtype="<f8")
        if values.ndim != 2:
            raise ValueError(f"trial {trial.number}: curve {name!r} must be (R, E), but has shape {values.shape}")
        row = {"trial": int(trial.number), "position": position, "name": name, "values": values.tobytes()}
        rows.append(row | {"replicates": values.shape[0], "epochs": values.shape[1]})
    return rows


def curves_of(rows: Iterable[Row]) -> dict[str, Array]:
    """The curves of one trial's rows. Raises ValueError where bytes and shape do not agree."""
    return {
        row["name"]: np.frombuffer(row["values"], dtype="<f8").reshape(row["replicates"], row["epochs"]).copy()
        for row in rows
    }


def curves_digest(rows: Iterable[Row]) -> str:
    """Digest of one trial's curves: names, shapes and bytes, in order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json_text([row["name"], row["replicates"], row["epochs"]]).encode())
        digest.update(row["values"])
    return digest.hexdigest()


def confirmed_row(record: Confirmed) -> dict[str, Any]:
    """The row of a confirmation, its digest included."""
    row = {
        "trial": int(record.trial),
        "replicate": int(record.replicate),
        "epoch": int(record.epoch),
        "state": record.state,
        "metrics": {name: float(value) for name, value in record.metrics.items()},
        "seconds": float(record.seconds),
    }
    return row | {"digest": row_digest(row)}


def confirmed_of(row: Row) -> Confirmed:
    """The confirmation of a row. Raises ValueError where it does not match its digest."""
    if row_digest(row) != row["digest"]:
        raise ValueError(f"the confirmation of trial {row['trial']} does not match its digest")
    return Confirmed(**{name: value for name, value in row.items() if name != "digest"})
