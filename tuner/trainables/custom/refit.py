"""The last training of somebody's code: the best config on all rows and some seeds, and what it leaves as a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tuner.best import Best
from tuner.engines import Engine, Failure
from tuner.errors import TunerError
from tuner.model.bundle import replaced
from tuner.model.refit import key_of
from tuner.trainables.custom.tasks import CustomOutcome, CustomTask, kept_at, run_custom

__all__ = ["FACTS", "refitted", "refitted_key"]

FACTS = "refit.json"
AGAIN = "mend that, then: tuner refit {}"


def refitted(
    name: str, tasks: Sequence[CustomTask], best: Best, folder: Path, engine: Engine, keep: str | None
) -> None:
    """Run one task a seed and put what each leaves into `folder`, `seed-0` and so on: the file `keep`, or all of it.

    Raises TunerError where a training fails or leaves nothing; what was in the folder is then as it was.
    """
    futures = [engine.submit(run_custom, task) for task in tasks]
    outcomes = [future.result() for future in futures]
    try:
        with replaced(folder) as draft:
            seeds = [
                _taken(name, task, outcome, draft / f"seed-{i}", keep)
                for i, (task, outcome) in enumerate(zip(tasks, outcomes, strict=True))
            ]
            config = dict(tasks[0].configs[0])
            facts = {
                "key": key_of(best),
                "trial": best.trial,
                "config": config,
                "epochs": tasks[0].stop,
                "seeds": seeds,
            }
            (draft / FACTS).write_text(json.dumps(facts, indent=1, default=str) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(tasks[0].folder, ignore_errors=True)


def _taken(
    name: str, task: CustomTask, outcome: CustomOutcome | Failure, place: Path, keep: str | None
) -> dict[str, Any]:
    """Move what a training has left to its place; return its seed and the last of what it told."""
    what = f"trial {task.trials[0]} was not trained on all rows (seed {task.seeds[0]})"
    if isinstance(outcome, Failure):
        raise TunerError(f"{what}: {outcome}; {AGAIN.format(name)}")
    if outcome.ended[0]:
        raise TunerError(f"{what}: it diverged, {outcome.reasons[0]}; take another config: tuner best {name} --rank 2")
    left = kept_at(task, 0)
    if keep is not None and not (left / keep).is_file():
        found = ", ".join(sorted(file.name for file in left.iterdir())[:5]) or "nothing"
        raise TunerError(f"{what}: it left {found}, and no {keep} ([refit] keep); {AGAIN.format(name)}")
    if keep is None:
        shutil.move(left, place)
    else:
        (place / keep).parent.mkdir(parents=True)
        shutil.move(left / keep, place / keep)
    return {"seed": task.seeds[0], "metrics": _last(outcome.curves)}


def _last(curves: Mapping[str, Any]) -> dict[str, float]:
    """Return the last value of each curve `(1, 1, E)` that has one."""
    found: dict[str, float] = {}
    for metric, curve in curves.items():
        told = np.asarray(curve).ravel()
        told = told[np.isfinite(told)]
        found |= {metric: float(told[-1])} if len(told) else {}
    return found


def refitted_key(folder: Path) -> str:
    """Return the key of what is in a folder; "" where nothing is, or something damaged."""
    with suppress(OSError, ValueError):
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return str(facts.get("key", "")) if isinstance(facts, dict) else ""
    return ""
