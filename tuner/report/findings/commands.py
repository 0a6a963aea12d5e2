"""What to do next, as commands of a shell; as calls in Python where the data or the objective were given there.

Looking needs the ledger alone. Training needs what is trained, and settings that go together: where another tool ran
the study, or a setting does not go with its others, the command that is left is to look at its trials.

What a command costs is told by what this study's own trials and retrainings took.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

from tuner.errors import StudyError
from tuner.report.findings.finding import NextStep
from tuner.report.report_data import ReportData
from tuner.search import check_search
from tuner.space import space_of
from tuner.study import MOST_SEEDS, read_study

__all__ = ["a_trial", "accepts", "again", "confirmed", "continued", "longer", "named"]

ROOM = 100  # letters of a study's name that stay in another one's: a name has 128


def accepts(frames: ReportData, *settings: str, trials: int | None = None) -> bool:
    """Return True if the study can be run with changed settings."""
    if frames.study.imported:
        return False
    more = {"study.trials": trials} if trials else {}
    try:
        changed = read_study(frames.study, overrides=settings, settings=more, needs_data=False)
    except StudyError:
        return False
    return not check_search(changed, space_of(changed))


def again(frames: ReportData, verb: str, *words: str, trial: int | None = None) -> NextStep:
    """Look at this study, or at one trial of it."""
    name = frames.study.name
    return NextStep(shlex.join(["tuner", verb, name if trial is None else f"{name}/{trial}", *words]))


def named(
    frames: ReportData, *settings: str, name: str, trials: int | None = None, seconds: float | None = None
) -> NextStep:
    """Run the study as another one, with settings changed: the table of this one stays as it is.

    It takes as long as this study, for as many trials; `seconds` where it is known to take something else.
    """
    other = f"{frames.study.name[:ROOM]}-{name}"
    if not accepts(frames, *settings, trials=trials):
        return again(frames, "top")
    cost = a_trial(frames) * (trials or frames.study.trials) if seconds is None else seconds
    if given := _given(frames):
        changed = f"tuner.read_study({_opened(frames)}, overrides={list(settings)!r}, needs_data=False)"
        return NextStep(_call("tuner.run", changed, given, name=other, trials=trials), cost)
    words = ["tuner", "run", frames.study.name, "--name", other, *(["-n", str(trials)] if trials else [])]
    return NextStep(shlex.join([*words, *(word for setting in settings for word in ("--set", setting))]), cost)


def longer(
    frames: ReportData, times: float, *settings: str, name: str = "longer", seconds: float | None = None
) -> NextStep:
    """Run the study as another one whose trials train that many times as long."""
    budget = frames.study.budget
    length = f"train.{budget.unit}={max(round(times * budget.amount), 1)}"
    cost = times * a_trial(frames) * frames.study.trials if seconds is None else seconds
    return named(frames, *settings, length, name=name, seconds=cost)


def continued(frames: ReportData, trials: int | None = None) -> NextStep:
    """Continue this study to a total of `trials` trials."""
    if not accepts(frames, trials=trials):
        return again(frames, "top")
    cost = a_trial(frames) * max((trials or frames.study.trials) - len(frames.found.all_trials), 0)
    if given := _given(frames):
        return NextStep(_call("tuner.run", _opened(frames), given, trials=trials), cost)
    return replace(again(frames, "run", *(["-n", str(trials)] if trials else [])), seconds=cost)


def confirmed(frames: ReportData, seeds: int | None = None) -> NextStep:
    """Confirm the best of this study, on so many seeds."""
    most = min(seeds, MOST_SEEDS) if seeds else None
    if frames.study.imported:
        return again(frames, "top")
    cost = _retraining(frames, most or frames.study.confirm.seeds)
    if given := _given(frames):
        return NextStep(_call("tuner.confirm", repr(frames.study.name), given, seeds=most), cost)
    return replace(again(frames, "confirm", *(["--seeds", str(most)] if most else [])), seconds=cost)


def a_trial(frames: ReportData) -> float:
    """Return the seconds of training that a trial of this study took, those included that were pruned."""
    trials = frames.found.all_trials
    return sum(trial.seconds for trial in trials) / len(trials) if trials else 0.0


def _retraining(frames: ReportData, seeds: int) -> float:
    """Return the seconds that a confirmation on so many seeds takes beyond what is known already."""
    known = frames.found.confirmed
    if known:
        before = max(frames.study.confirm.seeds, 1)
        return sum(run.seconds for run in known) * max(seeds / before - 1, 0.0)
    whole = [trial.seconds / max(trial.metrics.get("splits", 1), 1) for trial in frames.leaders]
    return sum(whole[: frames.study.confirm.top]) * seeds


def _given(frames: ReportData) -> str:
    """Return what has to be passed again in Python, as an argument; empty where the study file says it all."""
    study = frames.study
    if study.custom:
        name = study.custom.objective
        return f"objective={name if name.isidentifier() else 'train'}" if study.custom.given else ""
    return "data=(X, y)" if study.data.source is None else ""


def _opened(frames: ReportData) -> str:
    return f"tuner.open({frames.study.name!r}).study"


def _call(function: str, *arguments: str, **options: Any) -> str:
    return f"{function}({', '.join([*arguments, *(f'{k}={v!r}' for k, v in options.items() if v is not None)])})"
