"""`check_study`: what is wrong with a study and its data before anything is trained, without running anybody's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from objectives.data.sources import is_function
from tuner.errors import StudyError
from tuner.search import check_search
from tuner.space import space_of
from tuner.study import Study, difference_of

if TYPE_CHECKING:
    from objectives.data.overview import ColumnView

__all__ = ["CheckedStudy", "changed_script", "check_study", "filled"]


@dataclass(frozen=True)
class CheckedStudy:
    """A study that can be run: with all defaults, the columns of its table as they are understood, and notes."""

    study: Study
    columns: Sequence[ColumnView] = ()
    notes: tuple[str, ...] = ()


def check_study(study: Study) -> CheckedStudy:
    """Check a study and its data, and return it with every default filled in.

    Code is not called: neither an objective, nor a function that makes the data. Raises StudyError and DataError with
    every problem.
    """
    if complaints := check_search(study, space_of(study)):
        raise StudyError(*complaints)
    if study.custom:
        return CheckedStudy(filled(study), notes=_notes_on_code(study))
    if is_function(str(study.data.source)):
        said = f"data: {study.data.source} is code, which only `tuner run` calls; the rows are not checked"
        return CheckedStudy(filled(study), notes=(said,))
    from tuner.trainables.builtin.prepared_study import prepare_study

    with TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        question = prepare_study(study, room=Path(folder), look=True)
    return CheckedStudy(filled(question.study), getattr(question.table, "overview", ()), tuple(question.notes))


def _notes_on_code(study: Study) -> tuple[str, ...]:
    from tuner.trainables.custom.trainable import unused_notes

    words = study.custom.words if study.custom else ""
    said = f"{words} is code, which only `tuner run` and --repeat call; it was not looked at"
    return (*unused_notes(study), *changed_script(study), said)


def changed_script(study: Study) -> list[str]:
    """Return what the first config changes in the script whose constants are tuned, as lines of a diff."""
    if not study.run.constants:
        return []
    from tuner.trainables.custom.program_setup import constant_values, settings_in

    text = (study.base / study.run.constants).read_text(encoding="utf-8")
    space = space_of(study)
    config, command = space.config(space.defaults()[0]), study.custom.command if study.custom else ()
    values = {**settings_in(config, command, study.run), **study.run.values}
    return difference_of(text, constant_values(text, values), study.run.constants).splitlines()


def filled(study: Study) -> Study:
    """Return the study with no generation larger than its trials, so that its file is valid."""
    size = min(study.search.generation_size, study.trials)
    return replace(study, search=study.search.model_copy(update={"generation_size": size}))
