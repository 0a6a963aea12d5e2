"""What is optimised: data, models, losses, update rules and the training loop, in NumPy.

from objectives import Model, Problem, Replicate, descend, load_table, prepare

data = prepare(load_table("sklearn:digits"), seed=0)
problem = Problem((Replicate(0, 0, data),), Model(hidden=(64,)))
configs = [{"optimizer": "adam", "lr": lr, "batch_size": 32, "epochs": 20} for lr in (1e-4, 1e-3, 1e-2)]
outcome = descend(problem, configs, epochs=20)      # the three train in lockstep
outcome.curves["valid_loss"]                        # (1, 3, 20)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "METRICS",
    "MODELS",
    "OPTIMIZERS",
    "SCHEDULES",
    "DataError",
    "InvalidInput",
    "Model",
    "Outcome",
    "Problem",
    "Replicate",
    "State",
    "check_gradient",
    "descend",
    "load_table",
    "predict",
    "prepare",
    "table_from",
]

_HOMES = {
    "METRICS": "metrics",
    "MODELS": "models",
    "OPTIMIZERS": "optimizers",
    "SCHEDULES": "schedules",
    "DataError": "errors",
    "InvalidInput": "errors",
    "Model": "models",
    "Outcome": "training.descent",
    "Problem": "problem",
    "Replicate": "problem",
    "State": "training.descent",
    "check_gradient": "evaluation.gradient_check",
    "descend": "training.descent",
    "load_table": "data",
    "predict": "evaluation.predictions",
    "prepare": "data",
    "table_from": "data",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `tuner --help` and `load_best` must not wait for NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'objectives' has no attribute {name!r}")
    return getattr(import_module(f"objectives.{_HOMES[name]}"), name)
