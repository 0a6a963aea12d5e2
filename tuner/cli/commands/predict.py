"""`tuner predict`: a study's model on the rows of a file, however long it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from tuner.cli.options import as_examples, home_option, study_argument
from tuner.cli.output import check_place, force_option, in_words
from tuner.cli.terminal import hint
from tuner.text import clean, interval_text

if TYPE_CHECKING:
    from tuner.model.judged import Judged
    from tuner.store.directory import Home

__all__ = ["predict"]


@click.command(epilog=as_examples("tuner predict churn new.csv -o predicted.csv --keep customer"))
@study_argument
@click.argument("rows", metavar="ROWS")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), metavar="FILE", help="Write a csv file.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Copy a column of ROWS, such as an id; may be repeated.")
@click.option("--proba", is_flag=True, help="Add the probability of each class.")
@click.option(
    "--interval", "level", type=click.FloatRange(0, 1, min_open=True, max_open=True), metavar="LEVEL",
    help="Add the ends between which a target lies with this probability, like 0.9 (regression).",
)  # fmt: skip
@force_option
@home_option
def predict(
    study: str,
    rows: str,
    path: Path | None,
    keep: tuple[str, ...],
    proba: bool,
    level: float | None,
    force: bool,
    home: Home,
) -> None:
    """Predict the targets of ROWS with the model of a STUDY.

    ROWS is any table that a study can train on: a csv, tsv, parquet, npy or npz file. Its columns are found by name; it
    is read some rows at a time, and the predictions come in its order, as csv. Where ROWS has the target too, metrics
    are told. `tuner refit STUDY` makes the model where there is none.
    """
    from tuner.store.directory import find

    directory = find(study, home)
    from tuner.model.bundle import load_model
    from tuner.model.csv_text import csv_text
    from tuner.model.stream import Answers, Asked, answered

    if path is not None:
        check_place(path)
        check_free(path, force)
    model, answers = load_model(directory.path), Answers()
    blocks = answered(model, rows, Asked(keep, proba, level), answers)
    with written(path) as stream:
        for i, block in enumerate(blocks):
            stream.write(csv_text(block, header=not i))
    for sentence in answers.sentences(model):
        hint(f"{answers.rows} rows: {clean(sentence)}")
    lines = [f"{name} {said(one)}" for name, one in answers.metrics(model).items()]
    if path is not None:
        print(f"{answers.rows} rows -> {clean(in_words(path))}")
    for line in lines:
        print(line) if path is not None else hint(line)


def said(one: Judged) -> str:
    """Return a metric with its interval."""
    return f"{interval_text(one.value, one.low, one.high)}   (95 % interval for new rows)"


def check_free(path: Path, force: bool) -> None:
    """Raise UsageError where a file is there that is not to be replaced."""
    if not force and path.is_file() and path.stat().st_size:
        raise click.UsageError(f"-o {path}: there is a file of that name; --force replaces it")


@contextmanager
def written(path: Path | None) -> Iterator[IO[str]]:
    """Return standard output, or a file that is there once all of it is written, and not before."""
    if path is None or not (path.is_file() or not path.exists()):
        with open(path, "w", encoding="utf-8", newline="") if path else _standard() as stream:
            yield stream
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(draft, "x", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _standard() -> Iterator[IO[str]]:
    yield sys.stdout
