"""A question: a study with its data, and all that can be known of it before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from objectives.data import (
    Prepared,
    SurfaceTable,
    Table,
    load_surface,
    load_table,
    prepare,
    prepare_on_disk,
    prepare_surface,
    table_from,
)
from objectives.data.files.content import STANDARD
from objectives.data.reach import check_reach
from objectives.data.sources import is_function
from objectives.data.transforms import LOG_LINK
from tuner.errors import StudyError
from tuner.search import check_search
from tuner.space import space_of
from tuner.study import MOST_SEEDS, Study, not_run, read_study
from tuner.trainables.builtin.split_counts import as_begun, raced, rolled, split_of
from tuner.trainables.builtin.validate import fit_to_data

__all__ = ["PreparedStudy", "prepare_study", "split_of"]


@dataclass(frozen=True)
class PreparedStudy:
    """A study with its data: all that can be known before anything is written."""

    study: Study
    table: Table | SurfaceTable
    first: Prepared
    notes: tuple[str, ...]
    room: Path | None = None  # where large data are prepared; in memory where there is none

    def replicate(self, number: int) -> Prepared:
        """Return the data as a replicate sees them; 0 is the search."""
        if not number:
            return self.first
        return replicate_of(self.study, self.table, number, self.room)


def prepare_study(
    study: str | Path | Mapping[str, Any] | Study,
    data: Any = None,
    room: Path | None = None,
    begun: Study | None = None,
    look: bool = False,
) -> PreparedStudy:
    """Read a study and its data; check all that can be checked. Raises StudyError, DataError.

    Large data are prepared in files of the folder `room`, and in memory where there is none. A study that was `begun`
    keeps the splits that it has. `look` keeps a view of each column.
    """
    asked = as_begun(read_study(study, needs_data=data is None), begun)
    if asked.imported:
        raise not_run(asked.name, asked.imported)
    if complaints := check_search(asked, space_of(asked)):
        raise StudyError(*complaints)
    split, about = split_of(asked), asked.data
    reading = replace(about.reading, look=look)
    learned = LOG_LINK if asked.train.loss == "poisson" else about.target_transform or ""
    task = about.task or ("regression" if learned else None)  # small counts look like classes
    how: dict[str, Any] = {"task": task, "split": split, "drop": about.drop, "reading": reading}
    how |= {"weight": about.weight, "transform": learned}
    table: Table | SurfaceTable
    if data is None and about.surface:
        table = load_surface(str(about.source), about.noise, about.condition)
    elif data is None:
        table = load_table(str(about.source), about.target, base=asked.base, **how)
    else:
        x, y = data if isinstance(data, tuple) else (data, None)
        table = table_from(x, y, target=about.target, **how)
    asked, said = rolled(asked, table) if isinstance(table, Table) else (asked, [])
    about = asked.data
    first = replicate_of(asked, table, 0, room)
    if isinstance(table, Table):
        check_reach(table, len(first.train.x), asked.dtype)
    kept: dict[str, Any] = {"source": absolute(about.source, asked.base)}
    kept |= {"rules": about.reading.rules} if isinstance(table, Table) else {}
    asked = replace(asked, data=about.model_copy(update=kept))
    groups = getattr(table.rows, "groups", None) if isinstance(table, Table) and split.group else None
    fits, notes = fit_to_data(asked, first, 0 if groups is None else len(np.unique(groups)))
    fits = fits if begun else raced(fits)
    return PreparedStudy(fits, table, first, (*first.inferred, *said, *notes), room)


def replicate_of(study: Study, table: Table | SurfaceTable, replicate: int, room: Path | None) -> Prepared:
    """Prepare the data of a replicate; large data are written to files in the folder `room`."""
    if isinstance(table, SurfaceTable):
        return prepare_surface(table, study.seed, replicate, study.dtype)
    arguments = table, split_of(study), study.seed, split_number(study, replicate), study.dtype
    return prepare_on_disk(*arguments, room) if room and table.large else prepare(*arguments)


def absolute(source: str | None, base: Path) -> str | None:
    """Make a data file's path absolute, so that the stored study finds it from anywhere; keep other sources."""
    if source is None or source == STANDARD or source.startswith(("sklearn:", "surface:")):
        return source
    if is_function(source):
        module, _, name = source.rpartition(":")
        return f"{(base / module).resolve()}:{name}" if module.endswith(".py") else source
    return str((base / source).resolve())


def split_number(study: Study, replicate: int) -> int:
    """Return the number by which the rows of a replicate are divided: its own, or that of a fold or a window.

    The search has the folds of the first permutation, in turn, or the first windows; a confirmation has others.
    """
    parts = study.splits if study.data.resampling == "rolling" else study.data.folds
    if not parts:
        return replicate
    if replicate == 0 or MOST_SEEDS < replicate <= 2 * MOST_SEEDS:
        return max(0, replicate - MOST_SEEDS) // study.train.replicates
    return parts + replicate - 1
