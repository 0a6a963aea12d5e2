"""Records <-> rows of the ledger, and the digest of a record's content.

A digest covers what is reproducible: not seconds, and not the text of an error, which may contain memory addresses.
Equal digests mean equal records, bit for bit, on every machine and in every database. A trial's row holds texts where a
record has mappings and floats, and its digest covers those texts: so a hundred thousand trials are checked without
decoding them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from objectives.types import Array
from tuner.enums import TrialState
from tuner.records import ConfirmationRun, LazyMapping, Trial
from tuner.store.signed import text_digest

__all__ = [
    "RUN_SEAL",
    "TRIAL",
    "Generation",
    "confirmed_of",
    "confirmed_row",
    "curve_rows",
    "curves_digest",
    "curves_of",
    "generation_digest",
    "json_text",
    "run_seal",
    "says_the_same",
    "sealed",
    "trial_row",
    "trials_of",
]

Row = Mapping[str, Any]

RUN_SEAL = "seal"  # among the facts of a generation's run
SHORT = 48  # digits of a confirmation's digest that are over what is reproducible; the others are over its seconds too
NOT_REPRODUCIBLE = ("seconds", "error", "digest")


@dataclass(frozen=True)
class Generation:
    """A committed generation: the number of its trials, the digest of their content, and the facts of its run."""

    number: int
    trials: int
    digest: str
    facts: Mapping[str, Any]


def json_text(value: Any, *, sort_keys: bool = False) -> str:
    """Write plain values as JSON; NumPy's numbers count as Python's. Raises TypeError for anything else."""
    return json.dumps(value, separators=(",", ":"), sort_keys=sort_keys, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"the ledger keeps numbers, text, lists and mappings, but got {value!r}")


def sealed(facts: Mapping[str, str]) -> str:
    """Compute the digest of a study's facts."""
    return text_digest(json_text(facts, sort_keys=True))


def run_seal(facts: Row, rows: Iterable[Sequence[Any]]) -> str:
    """Compute the digest of what no result depends on: the facts of a run, and the seconds and errors of its trials."""
    kept = {name: value for name, value in facts.items() if name != RUN_SEAL}
    return text_digest(json_text([kept, [list(map(str, cells[LAST:])) for cells in rows]], sort_keys=True))


def row_digest(row: Row) -> str:
    """Compute the digest of a row without what is not reproducible in it; bytes as text."""
    kept = {name: value for name, value in row.items() if name not in NOT_REPRODUCIBLE}
    kept = {name: value.hex() if isinstance(value, bytes) else value for name, value in kept.items()}
    return text_digest(json_text(kept, sort_keys=True))


def generation_digest(number: int, rows: Iterable[Row]) -> str:
    """Compute the digest of a generation from its trials' rows, which hold the digests of their curves."""
    return cells_digest(number, ([row[name] for name in TRIAL] for row in rows))


def cells_digest(number: int, rows: Iterable[Sequence[Any]]) -> str:
    """Compute the digest of a generation from the cells of its trials' rows, in the order of `TRIAL`."""
    lines = ("\x1f".join(map(str, cells[:LAST])) for cells in rows)
    return text_digest("\n".join([str(number), *lines]))


def trial_row(trial: Trial) -> dict[str, Any]:
    """Build the row of a trial; its curves have their own rows."""
    return {
        "number": int(trial.number),
        "generation": int(trial.generation),
        "state": str(trial.state),
        "config": json_text(dict(trial.config)),
        "latents": json_text(dict(trial.latents)),
        "rung": int(trial.rung),
        "epochs": int(trial.epochs),
        "steps": int(trial.steps),
        "value": None if trial.value is None else repr(float(trial.value)),
        "epoch": None if trial.epoch is None else int(trial.epoch),
        "stable": bool(trial.stable),
        "metrics": json_text({name: float(value) for name, value in trial.metrics.items()}),
        "curves_digest": curves_digest(curve_rows(trial)),
        "seconds": repr(float(trial.seconds)),
        "error": json_text(trial.error),
    }


# The columns of a trial's row; those of its digest come before the last two.
TRIAL = (
    "number", "generation", "state", "config", "latents", "rung", "epochs", "steps", "value", "epoch", "stable",
    "metrics", "curves_digest", "seconds", "error",
)  # fmt: skip
LAST = len(TRIAL) - 2
FIELDS = fields(Trial)


def trials_of(listed: Sequence[Sequence[Any]], curves: Callable[[int], Mapping[str, Array]]) -> list[Trial]:
    """Build trials from rows with cells in the order of `TRIAL`. Raises ValueError for a text that is no JSON.

    Latents and curves are read on first access: most readers need neither.
    """
    if not listed:
        return []
    cells: dict[str, Iterable[Any]] = dict(zip(TRIAL, zip(*listed, strict=True), strict=True))
    for name in ("config", "metrics", "error"):
        cells[name] = _decoded(cells[name])
    cells["latents"] = [LazyMapping(partial(json.loads, text)) for text in cells["latents"]]
    cells["curves"] = [LazyMapping(partial(curves, number)) for number in cells["number"]]
    cells["value"] = [None if text is None else float(text) for text in cells["value"]]
    cells["seconds"] = map(float, cells["seconds"])
    cells["state"] = map(TrialState, cells["state"])
    cells["stable"] = map(bool, cells["stable"])
    return [Trial(*values) for values in zip(*(cells[field.name] for field in FIELDS), strict=True)]


def _decoded(texts: Iterable[str]) -> list[Any]:
    # One large document is parsed in half the time of many small ones.
    return list(json.loads(f"[{','.join(texts)}]"))


def curve_rows(trial: Trial) -> list[dict[str, Any]]:
    """Build the rows of a trial's curves `(R, E)`, in their order. Raises ValueError for another shape."""
    rows = []
    for position, (name, curve) in enumerate(trial.curves.items()):
        values = np.ascontiguousarray(curve, dtype="<f8")
        if values.ndim != 2:
            raise ValueError(f"trial {trial.number}: curve {name!r} must be (R, E), but has shape {values.shape}")
        row = {"trial": int(trial.number), "position": position, "name": name, "values": values.tobytes()}
        rows.append(row | {"replicates": values.shape[0], "epochs": values.shape[1]})
    return rows


def curves_of(rows: Iterable[Row]) -> dict[str, Array]:
    """Build the curves from one trial's rows. Raises ValueError where bytes and shape disagree."""
    return {
        row["name"]: np.frombuffer(row["values"], dtype="<f8").reshape(row["replicates"], row["epochs"]).copy()
        for row in rows
    }


def curves_digest(rows: Iterable[Row]) -> str:
    """Compute the digest of one trial's curves: names, shapes and bytes, in order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json_text([row["name"], row["replicates"], row["epochs"]]).encode())
        digest.update(row["values"])
    return digest.hexdigest()


def confirmed_row(record: ConfirmationRun) -> dict[str, Any]:
    """Build the row of a confirmation run, its digest included."""
    row = {
        "trial": int(record.trial),
        "replicate": int(record.replicate),
        "epoch": int(record.epoch),
        "state": str(record.state),
        "metrics": {name: float(value) for name, value in record.metrics.items()},
        "seconds": float(record.seconds),
        "blocks": np.ascontiguousarray(record.blocks, dtype="<f4").tobytes(),
    }
    digest = row_digest(row)
    return row | {"digest": digest[:SHORT] + text_digest(f"{digest} {row['seconds']!r}")[: len(digest) - SHORT]}


def says_the_same(one: str, other: str) -> bool:
    """Return True if two digests of confirmation runs have the same content, apart from times."""
    return one[:SHORT] == other[:SHORT]


def confirmed_of(row: Row) -> ConfirmationRun:
    """Build the confirmation run of a row. Raises ValueError where it does not match its digest."""
    digest = row_digest(row)  # all that older ledgers have
    timed = digest[:SHORT] + text_digest(f"{digest} {row['seconds']!r}")[: len(digest) - SHORT]
    if row["digest"] not in (digest, timed):
        raise ValueError(f"the confirmation of trial {row['trial']} does not match its digest")
    fields = {name: value for name, value in row.items() if name != "digest"}
    return ConfirmationRun(**fields | {"blocks": np.frombuffer(row["blocks"], dtype="<f4")})
