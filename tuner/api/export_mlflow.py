"""A study as MLflow runs in a directory: one run a trial, with its config, its learning curves and how it ended.

A run of the study itself holds the files that people keep: the study file, the ranking and the best config.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.enums import TrialState
from tuner.errors import NoResult, StudyError, TunerError
from tuner.orchestrator.artifacts import best_text
from tuner.ranking.table import csv_text
from tuner.records import Trial
from tuner.result import Result
from tuner.study import text_of

__all__ = ["log_runs"]

STATES = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.DIVERGED: "FAILED",
    TrialState.FAILED: "FAILED",
}
MOST = 1000  # metrics that MLflow takes at once


def log_runs(result: Result, directory: Path, name: str, force: bool = False) -> int:
    """Write a study as the experiment `name` of MLflow's file store in `directory`; returns how many trials.

    Raises TunerError without MLflow, StudyError where the experiment is there already and `force` is not given: it
    is then deleted, which in MLflow means moved to its trash.
    """
    with quiet_store():
        client = client_of(directory)
        known = client.get_experiment_by_name(name)
        if known is not None and not force:
            hint = "name another --study-name, or add --force to replace it"
            raise StudyError(Complaint(str(directory), f"has an experiment {name!r} already", hint))
        if known is not None:
            aside(client, known, name)
        experiment = client.create_experiment(name, tags={"tuner": result.facts.get("tuner", "")})
        log_study(client, experiment, result)
        for trial in result.all_trials:
            log_trial(client, experiment, result, trial)
    return len(result.all_trials)


def client_of(directory: Path) -> Any:
    """Open MLflow's client of the file store in a directory. Raises TunerError without MLflow."""
    if not directory.resolve().parent.is_dir():
        raise StudyError(Complaint(str(directory), f"there is no directory {str(directory.parent)!r}", "make it first"))
    if directory.exists() and not directory.is_dir():
        raise StudyError(Complaint(str(directory), "is no directory", "name a directory for the file store"))
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise TunerError("MLflow is not installed: pip install 'tuner[mlflow]'") from error
    return MlflowClient(directory.resolve().as_uri())


@contextmanager
def quiet_store() -> Iterator[None]:
    """Keep MLflow from sending usage data and from advising against its file store, which was asked for here."""
    if "mlflow" not in sys.modules:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    before = os.environ.get("MLFLOW_ALLOW_FILE_STORE")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ["MLFLOW_ALLOW_FILE_STORE"]
        else:
            os.environ["MLFLOW_ALLOW_FILE_STORE"] = before


def aside(client: Any, experiment: Any, name: str) -> None:
    """Delete an experiment under another name, so that its own is free."""
    client.rename_experiment(experiment.experiment_id, f"{name}, replaced {experiment.last_update_time}")
    client.delete_experiment(experiment.experiment_id)


def log_study(client: Any, experiment: str, result: Result) -> None:
    """Log the run of the study itself, with the files that people keep as artifacts."""
    study = result.study
    tags = {"mlflow.runName": study.name, "kind": "study", "metric": study.metric, "direction": str(study.direction)}
    run = client.create_run(experiment, tags=tags).info.run_id
    client.log_text(run, study.to_toml(), "study.toml")
    client.log_text(run, csv_text(result.ranking()), "ranking.csv")
    with suppress(NoResult):
        client.log_text(run, best_text(result.best()), "best.toml")
    client.set_terminated(run, "FINISHED")


def log_trial(client: Any, experiment: str, result: Result, trial: Trial) -> None:
    """Log the run of a trial: config as params, mean curves as metrics by epoch, the rest as tags."""
    from mlflow.entities import Metric, Param, RunTag

    facts = {"state": str(trial.state), "generation": trial.generation, "rung": trial.rung, "stable": trial.stable}
    facts |= {"epoch": trial.epoch, "epochs": trial.epochs, "steps": trial.steps, "seconds": trial.seconds}
    facts |= {"seed": result.study.seed, "error": trial.error}
    name = f"trial {trial.number}"
    tags = [RunTag(key, str(value)) for key, value in facts.items() if value not in (None, "")]
    run = client.create_run(experiment, tags={"mlflow.runName": name, "kind": "trial", "trial": str(trial.number)})
    values = [
        Metric(metric, float(value), 0, epoch)
        for metric, curve in trial.curves.items()
        for epoch, value in enumerate(curve.mean(axis=0), start=1)
    ]
    if trial.value is not None and math.isfinite(trial.value):
        values.append(Metric("value", trial.value, 0, trial.epoch or 0))
    params = [Param(key, text_of(value)) for key, value in trial.config.items()]
    client.log_batch(run.info.run_id, params=params, tags=tags)
    for first in range(0, len(values), MOST):
        client.log_batch(run.info.run_id, metrics=values[first : first + MOST])
    client.set_terminated(run.info.run_id, STATES[TrialState(trial.state)])
