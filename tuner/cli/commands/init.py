"""`tuner init`: write a study file to start from: one that runs as it is, of a table, or of an Optuna objective."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from tuner.cli.commands.example import shipped
from tuner.cli.options import as_examples, set_option
from tuner.cli.output import write
from tuner.cli.terminal import hint
from tuner.text import clean

__all__ = ["init", "template"]

TEMPLATE = "your_table"
TRAIN_SHARE, LARGEST_BATCH = 0.6, 64  # of the rows that the template divides; of the batches that it tries
BUILTIN = "sklearn:breast_cancer"
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,60}[A-Za-z0-9_-])?")


@click.command(
    epilog=as_examples(
        "tuner init",
        "tuner init churn.toml --data churn.csv",
        "tuner init rate.toml --from-optuna train.py:objective",
        'tuner init nano.toml --from-command "python train.py"',
    )
)
@click.argument("file", type=click.Path(path_type=Path), default=Path("study.toml"))
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Write the study of this table: csv, xlsx, parquet, json, npz, ..."
)
@click.option("--target", metavar="COLUMN", help="With --data: the column to predict, where the guess is wrong.")
@click.option(
    "--from-optuna",
    metavar="SCRIPT:OBJECTIVE",
    help="Write the study of an Optuna objective, which then runs as it is; it is called to find its parameters.",
)
@click.option(
    "--from-command",
    metavar="COMMAND",
    help="Write the study of a program as it is; it is run once, for --seconds at most, to see what it prints.",
)
@click.option(
    "--from-wandb",
    type=click.Path(path_type=Path),
    metavar="SWEEP",
    help="Write the study of a W&B sweep, from its YAML file; what a study cannot say is named.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    default=20.0,
    show_default=True,
    help="With --from-command: how long the program may run.",
)
@click.option("--minimize", "direction", flag_value="minimize", help="With --from-optuna: minimize its value.")
@click.option("--maximize", "direction", flag_value="maximize", help="With --from-optuna: maximize its value.")
@set_option
def init(
    file: Path,
    force: bool,
    data: Path | None,
    target: str | None,
    from_optuna: str | None,
    from_command: str | None,
    from_wandb: Path | None,
    seconds: float,
    direction: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Write a commented study file to start from.

    FILE is study.toml by default; the study is named after it. Without --data it tunes a built-in table, so that it
    runs as it is.
    """
    if file.suffix != ".toml":
        raise click.UsageError(f"tuner init: {file}: a study file ends in .toml; try {file}.toml")
    if os.path.lexists(file) and not force:
        raise click.UsageError(
            f"tuner init: {file}: is there already; choose another name, or add --force to overwrite it"
        )
    if not file.parent.is_dir():
        raise click.UsageError(f"tuner init: {file}: there is no directory {str(file.parent)!r}; make it first")
    if direction and not from_optuna:
        raise click.UsageError(f"tuner init: --{direction} goes with --from-optuna; write it in the file")
    sources = {"--data": data, "--from-optuna": from_optuna, "--from-command": from_command, "--from-wandb": from_wandb}
    if len(given := [option for option, value in sources.items() if value]) > 1:
        raise click.UsageError(f"tuner init: {' and '.join(given)} exclude each other; choose one")
    if target is not None and not data:
        raise click.UsageError("tuner init: --target goes with --data; name the table, too")
    if overrides and not from_optuna:
        raise click.UsageError("tuner init: --set goes with --from-optuna; write it in the file")
    name = file.stem if NAME.fullmatch(file.stem) else TEMPLATE
    if from_optuna:
        write(text_from(from_optuna, direction, file, name, overrides), file)
        print(clean(file))
        return hint(f"the objective runs as it is: tuner run {file}")
    if from_command:
        write(text_of_command(from_command, file, name, seconds), file)
        print(clean(file))
        return hint(f"look at each line, then try one config: tuner check --repeat 2 {file}")
    if from_wandb:
        write(text_of_sweep(from_wandb, file, name), file)
        print(clean(file))
        return hint(f"look at each line, then try one config: tuner check --repeat 2 {file}")
    text, said = filled(file, name, data, target)
    write(text, file)
    print(clean(file))
    return hint(f"{said}; next: tuner run {file}")


def filled(file: Path, name: str, data: Path | None, target: str | None) -> tuple[str, str]:
    """Fill the template in for a table, or for a built-in one; also return what was guessed, in words.

    Raises DataError for a table or a target that cannot be used.
    """
    lines = template().read_text(encoding="utf-8").replace(f"{TEMPLATE}.toml", str(file)).splitlines(keepends=True)
    keys: dict[str, str | None] = {"name": json.dumps(name)}
    if data is None:
        keys |= {"source": json.dumps(BUILTIN), "target": None}
        said = f"it tunes {BUILTIN}, a built-in table; `--data FILE` writes the study of yours"
    else:
        from tuner.study.guess import guess_study

        found = guess_study(data, target)
        place = data if data.is_absolute() else Path(os.path.relpath(data, file.parent))
        keys |= {"source": json.dumps(str(place)), "target": json.dumps(found.target, ensure_ascii=False)}
        if (train := int(TRAIN_SHARE * found.rows)) < LARGEST_BATCH:
            fitting = [size for size in (4, 8, 16, 32) if size <= max(4, train // 2)]
            keys |= {"batch_size": json.dumps(fitting[-3:])}
        said = f"{found.rows:,} rows, {found.features} features; target {found.target!r} ({found.why}), {found.task}"
    return "".join(with_value(line, keys) for line in lines), clean(said)


def with_value(line: str, values: Mapping[str, str | None]) -> str:
    """Replace the value of a template's line and keep its comment in place; None comments the line out."""
    key, equals, rest = line.partition(" = ")
    if not equals or key not in values:
        return line
    value, (_, mark, comment) = values[key], rest.partition("  # ")
    code = line.partition("  # ")[0].rstrip()
    written = f"# {code}" if value is None else f"{key} = {value}"
    return f"{written:{line.find(mark)}}{mark}{comment}" if mark else f"{written}\n"


def template() -> Path:
    """Return the template's path: beside the package in a checkout, inside it when installed from a wheel."""
    return shipped(f"{TEMPLATE}.toml")


def text_from(objective: str, direction: str | None, file: Path, name: str, overrides: tuple[str, ...] = ()) -> str:
    """Write the study file of an Optuna objective, with notes on it to standard error. Raises StudyError.

    `overrides` are KEY=VALUE settings that replace what the script says.
    """
    from tuner.trainables.optuna_script.study_text import direction_of, drafted, explored, study_text

    hint(f"calling {objective}, once to its end: that takes as long as a trial")
    found = explored(objective, direction or "", [text.partition("=")[0].strip() for text in overrides])
    draft = drafted(objective, found, direction_of(found, direction, ask if sys.stdin.isatty() else None))
    count = len(found.calls)
    several = "" if len(draft.parameters) == 1 else "s"
    hint(f"{len(draft.parameters)} parameter{several} found in {count} calls; the first took {found.seconds:.2g} s")
    for note in draft.notes:
        hint(f"# {clean(note)}")
    return study_text(draft, file, name, overrides)


def text_of_command(command: str, file: Path, name: str, seconds: float) -> str:
    """Write the study file of a program, with what was found to standard error. Raises StudyError."""
    from tuner.trainables.programs.command_draft import draft_command, draft_text
    from tuner.trainables.programs.printed_numbers import goal_among

    hint(f"running `{clean(command)}` once, for {seconds:g} s at most")
    draft = draft_command(command, file.parent, seconds)
    hint(f"it {'ended' if draft.ended else 'was ended'} after {draft.seconds:.2g} s")
    goals = {number.name: direction for number, direction in goal_among(draft.numbers)}
    for number in draft.numbers:
        values = ", ".join(f"{value:g}" for value in number.values[:3])
        said = f"  looks like a goal to {goals[number.name]}" if number.name in goals else ""
        hint(clean(f"  {number.name}: {values}{', ...' if len(number.values) > 3 else ''}{said}"))
    kind = "constants" if draft.script else "options"
    hint(clean(f"{kind}: {', '.join(option.name for option in draft.options) or 'none'}"))
    return draft_text(draft, name, command)


def text_of_sweep(sweep: Path, file: Path, name: str) -> str:
    """Write the study file of a W&B sweep, with notes on it to standard error. Raises StudyError."""
    from tuner.trainables.programs.wandb_sweep import draft_sweep, sweep_text

    draft = draft_sweep(sweep, file)
    for note in draft.notes:
        hint(f"# {clean(note)}")
    return sweep_text(draft, name, sweep)


def ask() -> str:
    """Ask for the direction."""
    return str(
        click.prompt("is its value to", type=click.Choice(["minimize", "maximize"]), default="minimize", err=True)
    )
