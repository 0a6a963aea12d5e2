"""`read_study`: a study from a file, a mapping or another study, checked and filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from tuner import study
from tuner.store.stored import has_run
from tuner.study import Study

__all__ = ["read_study"]


def read_study(
    source: str | PathLike[str] | Mapping[str, Any] | Study,
    *,
    overrides: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    base: Path | None = None,
    needs_data: bool = True,
) -> Study:
    """Read the study in a TOML file or a mapping, or read another study again from what its user wrote.

    `overrides` ("optimizers.adam.lr.high=0.3", TOML literals) and `settings` ({"study.trials": 10}, typed values) take
    precedence over what is written. Relative paths are relative to `base`: by default the file's directory, else the
    current one. `needs_data=False` asks neither for a data source nor whether it is there. Raises StudyError with every
    problem.
    """
    ran = not isinstance(source, Mapping | Study) and has_run(Path(source))
    return study.read_study(source, overrides=overrides, settings=settings, base=base, needs_data=needs_data, ran=ran)
