"""What a program is started with: its words, its environment and its folder, filled with a config's values.

Files that go with them, its settings and a script with other constants, are written into the trial's folder.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.placeholders import holes_in, words_of
from tuner.study import (
    CONFIG_FORMS,
    InvalidConfig,
    MetricSource,
    RunTable,
    config_text,
    constants_in,
    laid_over,
    read_config,
    with_constants,
)
from tuner.trainables.custom.function import ObjectiveCall
from tuner.trainables.custom.invalid_objective import InvalidObjective

__all__ = ["ObjectiveCommand", "ProgramStart", "constant_values", "settings_in", "started_with"]

LENGTHS = ("epochs", "steps", "examples", "horizon")  # of a config: no settings of the program


@dataclass(frozen=True)
class ObjectiveCommand:
    """A command with holes for hyperparameters, the file that it writes metrics to, and the folder that it runs in."""

    command: tuple[str, ...]
    output: str
    folder: str
    metrics: tuple[MetricSource, ...] = ()  # where it says them, instead of lines of JSON
    run: RunTable = field(default_factory=RunTable)


@dataclass(frozen=True)
class ProgramStart:
    """The words that start a program, its environment, and the folder that it runs in."""

    words: list[str]
    environment: dict[str, str]
    folder: str


def started_with(program: ObjectiveCommand, attempt: ObjectiveCall) -> ProgramStart:
    """Fill a command with a config's values, and write the files that it takes. Raises InvalidObjective.

    Words whose parameter the config lacks are left out, and so are environment variables.
    """
    known, run, base = known_values(attempt), program.run, Path(program.folder)
    paths = []
    try:
        values = {name: filled_value(value, known) for name, value in run.values.items()}
        values = {
            **settings_in(attempt.configs[0], program.command, run),
            **{name: value for name, value in values.items() if value != ""},
        }
        known |= config_files(program, attempt, values)
        words = [filled for word in program.command for filled in words_of(word, known)]
        own = {name: found[0] for name, text in run.env.items() if (found := words_of(text, known) or [""])[0]}
    except (ValueError, TypeError) as error:
        what = f"the command cannot be written: {error}"
        raise InvalidObjective(what, "check the formats in [study] command and [run]") from None
    if run.constants:
        copy = script_copy(base / run.constants, attempt.directory, values)
        words = [str(copy) if word == run.constants else word for word in words]
        paths.append(str((base / run.constants).resolve().parent))
    apart = run.folder == "own"
    if apart:
        words = [placed(word, base) for word in words]
        paths.append(str(base))
    more = {"PYTHONPATH": os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])} if paths else {}
    # What Python prints is seen when it is printed: a pipe would be written in blocks.
    environment = {"PYTHONUNBUFFERED": "1", **os.environ, **more, **variables_of(attempt), **own}
    return ProgramStart(words, environment, str(attempt.directory) if apart else program.folder)


def known_values(attempt: ObjectiveCall) -> dict[str, Any]:
    """Return what placeholders may ask for; the flat file of the config is written."""
    config, place = attempt.configs[0], attempt.directory / "config.json"
    place.write_text(json.dumps({**config, **attempt.told()}), encoding="utf-8")
    known = {**config, **attempt.told(), "split": attempt.split or 0, "start": attempt.start}
    known |= {"stop": attempt.stop or "", "python": sys.executable, "device": attempt.device, "phase": attempt.phase}
    known |= {"directory": str(attempt.directory), "config": str(place)}
    return known | ({attempt.unit: attempt.stop} if attempt.stop else {})


def settings_in(config: Mapping[str, Any], command: Sequence[str], run: RunTable) -> dict[str, Any]:
    """Return the values of a config that are settings of the program: those that nothing else asks for."""
    taken = {hole for word in (*command, *run.env.values()) for hole in holes_in(word)}
    return {name: value for name, value in config.items() if name not in LENGTHS and name not in taken}


def filled_value(value: Any, known: Mapping[str, Any]) -> Any:
    """Fill a setting: a placeholder alone becomes its value, with its type; "" where there is none."""
    if not isinstance(value, str):
        return value
    holes = holes_in(value)
    if len(holes) == 1 and value == f"{{{holes[0]}}}":
        return known.get(holes[0], "")
    return "".join(words_of(value, known))


def config_files(program: ObjectiveCommand, attempt: ObjectiveCall, values: Mapping[str, Any]) -> dict[str, str]:
    """Write the files of settings that the command asks for; return their places by placeholder."""
    words = (*program.command, *program.run.env.values())
    forms = [form for form in CONFIG_FORMS if any(f"{{config:{form}}}" in word for word in words)]
    if not forms:
        return {}
    found = {}
    try:
        base = read_config(Path(program.folder) / program.run.config) if program.run.config else {}
        for form in forms:
            place = attempt.directory / f"settings.{form}"
            place.write_text(config_text(laid_over(base, values), form), encoding="utf-8")
            found[f"config:{form}"] = str(place)
    except InvalidConfig as error:
        raise InvalidObjective(str(error), "check [run] config") from None
    return found


def constant_values(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some values that are constants of a script."""
    known = constants_in(text)
    return {name: value for name, value in values.items() if name in known}


def script_copy(script: Path, directory: Path, values: Mapping[str, Any]) -> Path:
    """Write a script with other constants into a trial's folder. Raises InvalidObjective."""
    try:
        text = script.read_text(encoding="utf-8")
        place = directory / script.name
        place.write_text(with_constants(text, constant_values(text, values)), encoding="utf-8")
    except (OSError, SyntaxError) as error:
        raise InvalidObjective(f"{script.name} cannot be copied: {error}", "check [run] constants") from None
    return place


def placed(word: str, base: Path) -> str:
    """Return a word with the whole path of the file that it names, after an equals sign too, where there is one."""
    name, equals, text = word.rpartition("=")
    place = base / text
    try:
        there = bool(text) and (place.is_file() or ("/" in text and place.is_dir()))
    except OSError:
        there = False
    return f"{name}{equals}{place}" if there else word


def variables_of(attempt: ObjectiveCall) -> dict[str, str]:
    """Return the environment variables that say what is asked of a program."""
    known: dict[str, Any] = {
        "trial": attempt.trials[0],
        "seed": attempt.seed,
        "start": attempt.start,
        "stop": attempt.stop,
        "phase": attempt.phase,
    }
    known |= {"device": attempt.device, "directory": attempt.directory, "split": attempt.split or 0}
    return {f"TUNER_{name.upper()}": str(value) for name, value in known.items()}
