"""Which parameters separate the good trials from the rest: PED-ANOVA at the highest rung that enough trials reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuner.enums import TrialState
from tuner.optuna_bridge.sampler_models import Observation, importance
from tuner.ranking.goal import goal_at
from tuner.records import Trial
from tuner.space import space_of
from tuner.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENOUGH", "compared_at", "shares"]

ENOUGH = 50  # trials at one rung: with 10 of pure noise, PED-ANOVA found "momentum .62"
MOST = 2000  # trials that are looked at, evenly chosen: its time grows with them, its shares do not move


def compared_at(study: Study, trials: Sequence[Trial]) -> tuple[int, list[Trial]]:
    """Return the largest number of epochs that enough trials have, and those trials; (0, []) where there are too
    few.
    """
    known = [t for t in trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED) and study.metric in t.curves]
    lengths = sorted((trial.epochs for trial in known), reverse=True)
    if len(lengths) < ENOUGH:
        return 0, []
    epochs = lengths[ENOUGH - 1]
    return epochs, [trial for trial in known if trial.epochs >= epochs]


def shares(study: Study, trials: Sequence[Trial]) -> pd.DataFrame:
    """Build one row for each latent, most important first: parameter, share; empty where there are too few trials."""
    import pandas as pd

    epochs, known = compared_at(study, trials)
    latents = space_of(study).latents
    names = {latent.name for latent in latents}
    known = [trial for trial in known if names == set(trial.latents)]
    known = [known[i * len(known) // MOST] for i in range(MOST)] if len(known) > MOST else known
    values = [goal_at(trial.curves[study.metric], study.direction, epochs)[0] for trial in known]
    seen = [Observation(dict(t.latents), v) for t, v in zip(known, values, strict=True) if math.isfinite(v)]
    found = importance(latents, seen) if latents and len(seen) >= ENOUGH else {}
    rows = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return pd.DataFrame({"parameter": [name for name, _ in rows], "share": [share for _, share in rows]})
