"""What to do next, as commands of a shell; as calls in Python where the data or the objective were given there.

Looking needs the ledger alone. Training needs what is trained, and settings that go together: where another tool ran
the study, or a setting does not go with its others, the command that is left is to look at its trials.
"""

from __future__ import annotations

import shlex
from typing import Any

from tuner.errors import StudyError
from tuner.report.report_data import Frames
from tuner.search import check_search
from tuner.space import space_of
from tuner.study import MOST_SEEDS, read_study

__all__ = ["accepts", "again", "confirmed", "continued", "longer", "named"]

ROOM = 100  # letters of a study's name that stay in another one's: a name has 128


def accepts(frames: Frames, *settings: str, trials: int | None = None) -> bool:
    """Return True if the study can be run with changed settings."""
    if frames.study.imported:
        return False
    more = {"study.trials": trials} if trials else {}
    try:
        changed = read_study(frames.study, overrides=settings, settings=more, needs_data=False)
    except StudyError:
        return False
    return not check_search(changed, space_of(changed))


def again(frames: Frames, verb: str, *words: str, trial: int | None = None) -> str:
    """Look at this study, or at one trial of it."""
    name = frames.study.name
    return shlex.join(["tuner", verb, name if trial is None else f"{name}/{trial}", *words])


def named(frames: Frames, *settings: str, name: str, trials: int | None = None) -> str:
    """Run the study as another one, with settings changed: the table of this one stays as it is."""
    other = f"{frames.study.name[:ROOM]}-{name}"
    if not accepts(frames, *settings, trials=trials):
        return again(frames, "top")
    if given := _given(frames):
        changed = f"tuner.read_study({_opened(frames)}, overrides={list(settings)!r}, needs_data=False)"
        return _call("tuner.run", changed, given, name=other, trials=trials)
    words = ["tuner", "run", frames.study.name, "--name", other, *(["-n", str(trials)] if trials else [])]
    return shlex.join([*words, *(word for setting in settings for word in ("--set", setting))])


def longer(frames: Frames, times: float, *settings: str, name: str = "longer") -> str:
    """Run the study as another one whose trials train that many times as long."""
    budget = frames.study.budget
    return named(frames, *settings, f"train.{budget.unit}={max(round(times * budget.amount), 1)}", name=name)


def continued(frames: Frames, trials: int | None = None) -> str:
    """Write the command that continues this study to a total of `trials` trials."""
    if not accepts(frames, trials=trials):
        return again(frames, "top")
    if given := _given(frames):
        return _call("tuner.run", _opened(frames), given, trials=trials)
    return again(frames, "run", *(["-n", str(trials)] if trials else []))


def confirmed(frames: Frames, seeds: int | None = None) -> str:
    """Confirm the best of this study, on so many seeds."""
    most = min(seeds, MOST_SEEDS) if seeds else None
    if frames.study.imported:
        return again(frames, "top")
    if given := _given(frames):
        return _call("tuner.confirm", repr(frames.study.name), given, seeds=most)
    return again(frames, "confirm", *(["--seeds", str(most)] if most else []))


def _given(frames: Frames) -> str:
    """Return what has to be passed again in Python, as an argument; empty where the study file says it all."""
    study = frames.study
    if study.own:
        name = study.own.objective
        return f"objective={name if name.isidentifier() else 'train'}" if study.own.given else ""
    return "data=(X, y)" if study.data.source is None else ""


def _opened(frames: Frames) -> str:
    return f"tuner.open({frames.study.name!r}).study"


def _call(function: str, *arguments: str, **options: Any) -> str:
    return f"{function}({', '.join([*arguments, *(f'{k}={v!r}' for k, v in options.items() if v is not None)])})"
