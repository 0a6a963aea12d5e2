"""How much training a study asks for, roughly: enough to tell whether worker processes are worth their start."""

from __future__ import annotations

from objectives.data import Prepared
from objectives.models import model_of
from objectives.problem import updates_per_epoch
from tuner.engines import processors
from tuner.search import mean_cost
from tuner.space import space_of
from tuner.study import Study

__all__ = ["default_jobs", "training_seconds"]

# Measured on two cores: 128 trials of digits, 1.3 s of training, take 2.4 s with `-j 1` and with `-j 2` alike; on a
# busy machine two workers lost 1.5 s.
WORKERS_PAY = 2.0  # seconds
FLOPS = 6e10  # a second, of one core in stacked products
STEP = 8e-6  # seconds that a step costs a trial whatever its size


def default_jobs(study: Study, data: Prepared, trials: int) -> int:
    """Return the worker processes for `trials` still to run: one (no worker at all) where more would not pay."""
    return 1 if training_seconds(study, data, trials) < WORKERS_PAY else processors()


def training_seconds(study: Study, data: Prepared, trials: int) -> float:
    """Estimate the training seconds in one process, within a factor of about two."""
    space = space_of(study)
    config = space.config(space.defaults()[0])
    weights = model_of(config).size(data.train.x.shape[1] - 1, data.train.y.shape[1])
    each = len(data.train) * 6 * weights / FLOPS + STEP * updates_per_epoch(config, len(data.train))
    confirmed = (study.confirm.top + 1) * study.confirm.seeds if study.confirm.enabled else 0
    full = float(config["epochs"])
    return each * full * (trials * study.train.replicates * mean_cost(study) + confirmed)
