"""The best config of a ranked trial, with all that `best.toml` says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from objectives.criterion import criterion_of
from objectives.models import model_of
from objectives.optimizers import OPTIMIZERS
from tuner.best import Best
from tuner.best.conventions import conventions_of
from tuner.best.recipe import OWN
from tuner.ranking.retrainings import final_epoch
from tuner.ranking.standings import ConfirmedTrial
from tuner.records import ConfirmationRun, Trial
from tuner.study import Study

if TYPE_CHECKING:
    pass

__all__ = ["best_of"]

APART = ("created", "rows", "targets", "warm_start")  # facts of the ledger that are no provenance of a config


def best_of(
    study: Study,
    trial: Trial,
    facts: Mapping[str, str],
    confirmed: Sequence[ConfirmationRun],
    standing: ConfirmedTrial | None,
    kept: str = "",
) -> Best:
    """Build the best config of a trial; `standing` is its confirmation, `kept` where its own directory is.

    `facts` are those of the study's ledger, and `confirmed` its confirmation runs, which may choose another epoch.
    """
    trial = replace(trial, epoch=final_epoch(study, trial, confirmed))
    known = not study.imported and trial.config.get("optimizer") in OPTIMIZERS  # what its values mean to an optimizer
    command = {"command": list(study.custom.command)} if study.custom and study.custom.command else {}
    return Best(
        study=study.name,
        trial=trial.number,
        params=dict(trial.config) | {"epochs": trial.epoch, "horizon": trial.config.get("epochs", trial.epochs)},
        training=_training(trial) | ({"directory": kept} if kept else {}),
        conventions=conventions_of(trial.config, study.dtype) if known else {},
        model={} if study.imported else _model(trial, facts) | command,
        result={"metric": study.metric, "direction": str(study.direction), "value": trial.value}
        | {"metrics": {name: value for name, value in trial.metrics.items() if name != "splits"}},
        confirmation=_confirmation(standing, study),
        provenance={k: v for k, v in facts.items() if k not in APART} | {"seed": study.seed},
    )


def _training(trial: Trial) -> dict[str, Any]:
    """Describe how long to train, and the length of a schedule, in epochs and updates."""
    steps, epochs = trial.steps // max(trial.epochs, 1), trial.epoch or 0
    horizon = int(trial.config.get("epochs", trial.epochs))
    whole = {"horizon": horizon, "horizon_steps": steps * horizon, "steps_per_epoch": steps}
    return {"epochs": epochs, "steps": steps * epochs, **whole}


def _model(trial: Trial, facts: Mapping[str, str]) -> dict[str, Any]:
    """Describe what was tuned: its task and size and its training rows; for a surface, only its size."""
    if facts["task"] == OWN:
        return {"task": OWN}
    shape = {name: int(facts[name]) for name in ("inputs", "outputs", "rows") if name in facts}
    if facts["task"] == "surface":
        shape = {"rows": shape["rows"], "parameters": shape["inputs"]}
    elif "inputs" in shape and "outputs" in shape:
        shape["parameters"] = model_of(trial.config).size(shape["inputs"], shape["outputs"])
    loss = criterion_of(trial.config, facts["task"]).name
    of_data = {name: facts[name] for name in ("weight", "target_transform") if name in facts}
    return {"task": facts["task"], "loss": loss, **of_data, **shape}


def _confirmation(standing: ConfirmedTrial | None, study: Study) -> dict[str, Any]:
    if standing is None:
        return {}
    said = standing.report or standing
    means = {"mean": said.goal.mean, "low": said.goal.low, "high": said.goal.high, "level": said.goal.level}
    return {
        "seeds": said.goal.n if standing.report else standing.seeds,
        "splits": "fresh" if study.fresh_splits else "the same",
        "chosen_on": standing.seeds,
        **({"search_splits": study.splits} if study.splits > 1 else {}),
        "reported_on": "seeds that chose nothing" if standing.report else "the seeds that rank",
        **means,
        "interval_of": said.goal.of,
        "rank": standing.rank,
        "tie": standing.tie,
        "search_rank": standing.search_rank,
        "p_best": standing.p_best,
        "ranking": {"mean": standing.goal.mean, "low": standing.goal.low, "high": standing.goal.high},
        "optimism": standing.optimism,
        "test": {
            name: {"mean": i.mean, "low": i.low, "high": i.high, "interval_of": i.of} for name, i in said.test.items()
        },
    }
