"""Checks of [run]: the files that it names, and the constants that a script has to have."""

from __future__ import annotations

from pathlib import Path

from tuner.placeholders import holes_in, placeholders_in
from tuner.study.config_files import CONFIG_FORMS, InvalidConfig, laid_over, read_config
from tuner.study.constants import constants_in
from tuner.study.custom import CustomObjective
from tuner.study.hints import shown, suggest
from tuner.study.problems import ProblemCollector
from tuner.study.reading import near_file
from tuner.study.tables import RunTable

__all__ = ["check_run"]

RUN = "run"


def check_run(own: CustomObjective, run: RunTable, base: Path | None, report: ProblemCollector) -> None:
    """Check how a command is started; `base` is None for a stored study, whose files are not looked at."""
    if not run.model_fields_set:
        return
    if not own.command:
        report.add([RUN], "belongs to a command", "remove it")
        return
    forms = [form for word in own.command for name, form in placeholders_in(word) if name == "config" and form]
    if run.config and not set(forms) & set(CONFIG_FORMS):
        hint = f"write {{config:yaml}} or {{config:json}} in [study] command: --config={{config:{_form(run.config)}}}"
        report.add([RUN, "config"], "is a file that the command does not take", hint)
    if run.values and not (set(forms) or run.constants):
        report.add([RUN, "values"], "go into a file of settings or a script's constants", "add {config:yaml}")
    if base is None:
        return
    if run.config:
        _check_config(own, run, base, report)
    if run.constants:
        _check_constants(own, run, base, bool(forms), report)


def _form(name: str) -> str:
    suffix = Path(name).suffix.removeprefix(".").replace("yml", "yaml")
    return suffix if suffix in CONFIG_FORMS else "yaml"


def _check_config(own: CustomObjective, run: RunTable, base: Path, report: ProblemCollector) -> None:
    """Check that the file of settings can be read, and that all names lead to a place in it."""
    place = base / Path(run.config or "").expanduser()
    if not place.is_file():
        what = f"{shown(run.config)}: there is no such file"
        return report.add([RUN, "config"], what, near_file(place, {".yaml", ".yml", ".json", ".toml"}))
    try:
        laid_over(read_config(place), dict.fromkeys([*own.parameters, *run.values], 0))
    except InvalidConfig as error:
        report.add([RUN, "config"], str(error), "mend the file, or call the parameter otherwise")
    return None


def _check_constants(own: CustomObjective, run: RunTable, base: Path, config: bool, report: ProblemCollector) -> None:
    """Check that the script is part of the command, and gives each parameter that nothing else takes a value."""
    key, place = (RUN, "constants"), base / Path(run.constants or "").expanduser()
    if run.constants not in own.command:
        what = f"{shown(run.constants)} is no word of the command"
        return report.add(key, what, suggest(run.constants, [word for word in own.command if word.endswith(".py")]))
    try:
        known = constants_in(place.read_text(encoding="utf-8"))
    except OSError:
        return report.add(key, f"{shown(run.constants)}: there is no such file", near_file(place, {".py"}))
    except (SyntaxError, ValueError) as error:
        return report.add(key, f"{shown(run.constants)} is not Python: {error}"[:200], "name a script of Python")
    taken = {hole for word in (*own.command, *run.env.values()) for hole in holes_in(word)}
    for name in [name for name in (*own.parameters, *run.values) if name not in taken]:
        where = ("parameters", name) if name in own.parameters else (RUN, "values", name)
        if name not in known and not config:
            report.add(where, f"is no constant of {run.constants}", suggest(name, known))
        elif len(known.get(name, ())) > 1:
            what = f"is given a value {len(known[name])} times in {run.constants}"
            report.add(where, what, "tune it in another way: as an option, or in the environment")
    return None
