"""The study file of a study that another tool ran: it can be looked at and learned from, and not gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.errors import Complaint
from objectives.types import Direction
from tuner.errors import StudyError
from tuner.study.reading import readable
from tuner.study.study import Imported, in_toml

__all__ = ["TABLE", "UNNAMED", "imported_of", "imported_text", "not_run"]

TABLE = "imported"
UNNAMED = "value"  # the goal of a study that gives it no name
HEAD = "# Imported. Look at it with `tuner top`, compare it, or name it in search.warm_start; `tuner run` cannot go on."


def imported_text(name: str, trials: int, metric: str, direction: str, imported: Imported) -> str:
    """Write the study file of an imported study. Raises StudyError for one too long to be read."""
    study = {"name": name, "trials": trials, direction: metric}
    origin = {"source": imported.source, "study": imported.study}
    columns = {key: list(kind) if isinstance(kind, tuple) else kind for key, kind in imported.columns.items()}
    tables: dict[str, Mapping[str, Any]] = {"study": study, TABLE: origin, f"{TABLE}.columns": columns}
    blocks = ["\n".join([f"[{table}]", *(_line(k, v) for k, v in keys.items())]) for table, keys in tables.items()]
    return readable("\n\n".join([HEAD, *blocks]) + "\n")


def _line(key: str, value: Any) -> str:
    import tomli_w

    # a parameter of another tool may have any name
    quoted = tomli_w.dumps({key: 0}).removesuffix(" = 0\n")
    return f"{quoted} = {in_toml(value)}"


def imported_of(raw: Mapping[str, Any], label: str) -> tuple[str, Direction, Imported]:
    """Return metric, direction and origin from the tables of an imported study's file. Raises StudyError."""
    try:
        study, origin = raw["study"], raw[TABLE]
        direction = Direction.MINIMIZE if Direction.MINIMIZE in study else Direction.MAXIMIZE
        columns = {str(k): tuple(v) if isinstance(v, list) else str(v) for k, v in origin["columns"].items()}
        if not isinstance(columns.get("optimizer", ()), tuple):
            raise TypeError("an optimizer is one of several")
        return str(study[direction]), direction, Imported(str(origin["source"]), str(origin["study"]), columns)
    except (KeyError, TypeError, AttributeError) as error:
        what = "is no study file that `tuner import` wrote"
        raise StudyError(Complaint(label or TABLE, what, "import the study again")) from error


def not_run(name: str, imported: Imported) -> StudyError:
    """Say why an imported study cannot be run."""
    what = f"was imported from {imported.source}: what it tried is known, but not how to try more"
    hint = f'write a study of your own with warm_start = ["{name}"] in [search], or choose another name'
    return StudyError(Complaint(f"study {name!r}", what, hint))
