"""Whether it pays to cut trials that start over at each rung, by the seconds that they took; it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuner.records import Trial
from tuner.study import Study

__all__ = ["restart_advice"]

ENOUGH = 8  # trials before anything is said
NEAR = 0.75  # of a whole training's seconds


def restart_advice(study: Study, trials: Sequence[Trial]) -> list[str]:
    """Say that nothing should be cut, where a trial and its restarts took about as long as a whole training would.

    What a start and an epoch take is fitted to the seconds of all trials: `seconds = start * starts + epoch * epochs`.
    """
    from scipy.optimize import nnls

    done = [trial for trial in trials if trial.state in ("complete", "pruned")]
    if len(done) < ENOUGH or study.splits > 1 or study.search.pruner == "none" or not any(t.rung for t in done):
        return []
    seconds = np.array([trial.seconds for trial in done])
    (start, epoch), _ = nnls(np.array([[trial.rung + 1, trial.steps] for trial in done], dtype=float), seconds)
    whole, spent = float(start + epoch * study.budget.amount), float(seconds.mean())
    if spent < NEAR * whole:
        return []
    what = f"a trial took {spent:.2g} s with its restarts, a whole training takes about {whole:.2g} s"
    return [f'{what}: cutting saves little here, [search] pruner = "none" cuts nothing']
