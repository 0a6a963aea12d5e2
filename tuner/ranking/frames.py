"""Frames beside the ranking: every learning curve, and everything that is known of every trial.

Columns, their order and their types are fixed by the study: an empty frame has them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.types import Array
from tuner.ranking.table import column
from tuner.records import Trial
from tuner.space import space_of
from tuner.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["curves_table", "trials_table"]


def curves_table(study: Study, trials: Sequence[Trial], metrics: Sequence[str]) -> pd.DataFrame:
    """Build a tidy table of learning curves: one row for each trial, metric, replicate and epoch, in that order.

    trial      int64     number of the trial
    replicate  int64     which of its seeds, from 0
    epoch      int64     from 1
    metric     category  one of `metrics`
    value      float64   what it was after that epoch; inf or missing where the trial diverged
    optimizer  category  the trial's
    """
    import pandas as pd

    curves = [(t, name, np.asarray(curve)) for t in trials for name, curve in t.curves.items()]
    sizes = np.array([curve.size for _, _, curve in curves], dtype=np.int64)
    kinds = tuple(dict.fromkeys([*metrics, *(name for _, name, _ in curves)]))
    metric = column([name for _, name, _ in curves], kinds)
    optimizer = column([t.config.get("optimizer") for t, _, _ in curves], tuple(study.optimizers))
    return pd.DataFrame(
        {
            "trial": np.repeat(np.array([t.number for t, _, _ in curves], dtype=np.int64), sizes),
            "replicate": joined(np.repeat(np.arange(len(c)), c.shape[1]) for _, _, c in curves),
            "epoch": joined(np.tile(np.arange(1, c.shape[1] + 1), len(c)) for _, _, c in curves),
            "metric": metric.repeat(sizes),
            "value": joined((c.ravel() for _, _, c in curves), np.float64),
            "optimizer": optimizer.repeat(sizes),
        }
    )


def joined(parts: Iterable[Array], dtype: Any = np.int64) -> Array:
    """Join the parts to one array; empty where there are none."""
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)


def trials_table(study: Study, trials: Sequence[Trial], ranking: pd.DataFrame) -> pd.DataFrame:
    """Build a table of everything that is known of every trial, in trial order.

    The columns of the ranking, and after them:

    latent_NAME   float64   the coordinate in [0, 1] that the sampler chose, or a category; one for each latent
    error         str       why a failed trial failed; "" for the others
    """
    import pandas as pd

    more: dict[str, Any] = {}
    for latent in () if study.imported else space_of(study).latents:
        kind = latent.choices if latent.kind == "categorical" else "float64"
        more[f"latent_{latent.name}"] = column([t.latents.get(latent.name) for t in trials], kind)
    more["error"] = pd.array([t.error for t in trials], dtype="str")
    ordered = ranking.sort_values("trial").reset_index(drop=True)
    return pd.concat([ordered, pd.DataFrame(more, index=ordered.index)], axis=1)
