"""`tuner check`: what is wrong with a study file and its data, and whether an objective repeats."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples, set_option
from tuner.cli.terminal import hint
from tuner.text import clean, last_lines

if TYPE_CHECKING:
    from objectives.data.overview import ColumnView
    from tuner.study import Study

__all__ = ["check", "filled", "repeat_check"]

MOST, WIDEST = 60, 32  # columns of a table, letters of a cell


@click.command(epilog=as_examples("tuner check study.toml", "tuner check own.toml --repeat 3"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--repeat", type=click.IntRange(2, 100), help="Run one config that many times, and show where two runs differ."
)
@set_option
def check(file: Path, repeat: int | None, overrides: tuple[str, ...]) -> None:
    """Check a study FILE and its data.

    Prints everything that is wrong, or the study with all defaults. Code of your own is imported with --repeat only.
    """
    from tuner.api.read_study import read_study

    study = read_study(file, overrides=overrides)
    if repeat is not None:
        return repeat_check(study, repeat)
    from tuner.errors import StudyError
    from tuner.search import check_search
    from tuner.space import space_of

    if complaints := check_search(study, space_of(study)):
        raise StudyError(*complaints)
    if study.custom:
        sys.stdout.write(clean(filled(study).to_toml(), lines=True))
        from tuner.trainables.custom.trainable import unused_notes

        for note in [*unused_notes(study), *changed_script(study)]:
            hint(f"# {clean(note)}")
        return hint(f"# {study.custom.words} is code, which only `tuner run` and --repeat call; it was not looked at")
    from tempfile import TemporaryDirectory

    from objectives.data.sources import is_function
    from tuner.trainables.builtin.prepared_study import prepare_study

    if is_function(str(study.data.source)):
        notes = [f"data: {study.data.source} is code, which only `tuner run` calls; the rows are not checked"]
    else:
        with TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
            question = prepare_study(study, room=Path(folder), look=True)
        study, notes = question.study, list(question.notes)
        notes = [*columns_table(getattr(question.table, "overview", ())), *notes]
    sys.stdout.write(clean(filled(study).to_toml(), lines=True))
    for note in notes:
        hint(f"# {clean(note)}")
    return None


def changed_script(study: Study) -> list[str]:
    """Return what the first config changes in the script whose constants are tuned, as lines of a diff."""
    if not study.run.constants:
        return []
    from tuner.space import space_of
    from tuner.study import difference_of
    from tuner.trainables.custom.program_setup import constant_values, settings_in

    text = (study.base / study.run.constants).read_text(encoding="utf-8")
    space = space_of(study)
    config, command = space.config(space.defaults()[0]), study.custom.command if study.custom else ()
    values = {**settings_in(config, command, study.run), **study.run.values}
    return difference_of(text, constant_values(text, values), study.run.constants).splitlines()


def columns_table(views: Sequence[ColumnView]) -> list[str]:
    """Return a table of the columns as they are understood, a line each, with their first rows."""
    if not views:
        return []
    head = ("column", "kind", "gaps", "different", "first rows", "what is done with it")
    rows = [
        head,
        *((v.name, v.kind, f"{v.gaps:,}", f"{v.distinct:,}", " | ".join(v.first), v.use) for v in views[:MOST]),
    ]
    short = [tuple(cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 3]}..." for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in short]
    return [*lines, *([f"and {len(views) - MOST} more columns"] if len(views) > MOST else [])]


def filled(study: Study) -> Study:
    """Return the study with no generation larger than its trials, so that its file is valid."""
    size = min(study.search.generation_size, study.trials)
    return replace(study, search=study.search.model_copy(update={"generation_size": size}))


def repeat_check(study: Study, times: int) -> None:
    """Run it and say what came of it. Raises TunerError where two runs differ, or the objective fails."""
    from tuner.cli.dry_run import described
    from tuner.engines import Failure
    from tuner.errors import TunerError
    from tuner.trainables.custom.repeat import run_repeatedly

    if not study.custom:
        raise click.UsageError("tuner check: --repeat is for an objective of your own; the tuner's core always repeats")
    ran = run_repeatedly(study, times)
    print(f"config: {described(ran.config)}")
    if said := last_lines(ran.printed):
        hint(f"what it printed:\n{said}")
    if ran.difference:
        raise TunerError(
            f"{ran.difference}; the same study gives the same table only where config and seed decide everything: "
            "seed all that is random from run.seed or config['seed']"
        )
    first = ran.outcomes[0]
    if isinstance(first, Failure):
        raise TunerError(f"each run failed with {first}")
    seconds = sum(outcome.seconds for outcome in ran.outcomes if not isinstance(outcome, Failure)) / times
    print(clean(f"{times} runs are the same, bit for bit: {', '.join(first.curves)}; {seconds:.3g} s each"))
