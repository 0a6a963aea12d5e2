"""`tuner export`: what a study found, as rows, as an Optuna study, or as MLflow runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, open_result, shared_home_option, study_argument
from tuner.cli.output import Output, output_options
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    from tuner.result import Result
    from tuner.store.directory import Home

__all__ = ["export"]


@click.command(
    epilog=as_examples(
        "tuner export digits --what curves -o curves.csv",
        "tuner export digits --to optuna --storage sqlite:///optuna.db",
        "tuner export digits --what appendix -f latex",
        "tuner export churn --to onnx model.onnx",
    )
)
@study_argument
@click.argument("place", required=False)
@click.option(
    "--what", type=click.Choice(["trials", "curves", "config", "confirmations", "appendix"]), default="trials",
    show_default=True,
    help="All trials, their learning curves, the best config, every confirmation run, or a paper's appendix.",
)  # fmt: skip
@click.option(
    "--to", "tool", metavar="[optuna|mlflow|torch|keras|sklearn|onnx]", help="Write it for another tool instead."
)
@click.option("--storage", metavar="URL", help="Where Optuna keeps it: a database URL, a .db or a .log file.")
@click.option("--study-name", metavar="NAME", help="Its name there; by default the study's.")
@shared_home_option
@output_options("csv")
def export(
    study: str, place: str | None, what: str, tool: str | None, storage: str | None, study_name: str | None,
    home: Home, output: Output,
) -> None:  # fmt: skip
    """Export the results of a STUDY.

    As rows (--what, -f, -o), as an Optuna study (--to optuna --storage URL) that optuna.load_study and optuna-dashboard
    open, as MLflow runs (--to mlflow PLACE, a directory), or its model, which then predicts without the tuner (--to
    torch PLACE, keras PLACE or sklearn PLACE, a directory; --to onnx PLACE, a file).
    """
    if tool is None:
        if place or storage or study_name:
            raise click.UsageError(f"tuner export: a place to write to needs --to {', '.join(WRITERS)}")
        result = open_result(study, home)
        from tuner.views.exports import SHEETS

        return output.sheet(SHEETS[what](result))
    if tool not in WRITERS:
        meant = f"use one of {', '.join(WRITERS)}, or for training code: tuner best STUDY --to"
        raise click.UsageError(f"tuner export: --to {clean(tool)} is not known; {meant}")
    target = storage or place
    if target is None:
        examples = {"optuna": "--storage sqlite:///optuna.db", "mlflow": "mlruns", "onnx": "model.onnx"}
        example = examples.get(tool, f"{tool}-model")
        raise click.UsageError(f"tuner export: --to {tool} needs a place to write to, like {example}")
    if output.path is not None:
        raise click.UsageError(f"tuner export: -o does not go with --to {tool}; the place says where")
    return WRITERS[tool](open_result(study, home), target, study_name, output.force)


def _optuna(result: Result, target: str, name: str | None, force: bool) -> None:
    from tuner.api.export_optuna import optuna_study
    from tuner.masking import masked
    from tuner.optuna_bridge.storage import store

    study = optuna_study(result, name)
    store(study, target, force)
    hint(f"wrote study {study.name!r}, {len(study.trials)} trials, into {masked(target)}")


def _mlflow(result: Result, target: str, name: str | None, force: bool) -> None:
    from tuner.api.export_mlflow import log_runs

    many = log_runs(result, Path(target), name or result.study.name, force)
    hint(f"wrote {many} runs into {target}; look at them with: mlflow ui --backend-store-uri {target}")


def _model(tool: str, result: Result, target: str, name: str | None, force: bool) -> None:
    from tuner.model.elsewhere.writing import write_elsewhere

    if name:
        raise click.UsageError(f"tuner export: --study-name does not go with --to {tool}")
    write_elsewhere(result.model, tool, Path(target), force)
    hint(f"wrote the model into {target}")


WRITERS: dict[str, Callable[[Result, str, str | None, bool], None]] = {
    "optuna": _optuna,
    "mlflow": _mlflow,
    **{tool: partial(_model, tool) for tool in ("torch", "keras", "sklearn", "onnx")},
}
