"""A study file from an objective of Optuna's: the space that was found, and notes on what could not be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.engines import ChildEngine, Failure
from tuner.errors import StudyError
from tuner.study import in_toml, parameter_name
from tuner.trainables.custom.objective_ref import Reference, Unusable
from tuner.trainables.optuna_script.probe import Exploration, explore
from tuner.trainables.optuna_script.script_text import DIRECTIONS
from tuner.trainables.optuna_script.seen_conditions import Condition, conditions_of
from tuner.trainables.optuna_script.suggested import Asked

__all__ = ["Draft", "direction_of", "drafted", "explored", "study_text"]

GOALS = {"minimize": ("loss", "valid_loss", "objective_loss"), "maximize": ("score", "valid_score", "objective_score")}
PLACE = "study.objective"
SETTINGS = """\
# [search]
# sampler = "tpe"   # gp, cmaes, random, qmc, halton, grid

# [confirm]
# top = 3           # train the best again on other seeds: a script that sets none of its own is another run then
# seeds = 5"""


@dataclass(frozen=True)
class Draft:
    """What a study of the objective says: its parameters as a study file has them, and the notes on them."""

    objective: str
    direction: str
    trials: int
    epochs: int
    parameters: Mapping[str, Any]
    notes: tuple[str, ...]


def explored(objective: str) -> Exploration:
    """Call "file.py:objective" in a worker until what it asks for is known. Raises StudyError."""
    if ":" not in objective:
        raise StudyError(Complaint(PLACE, f"{objective!r} does not say where it is", 'write "script.py:objective"'))
    with ChildEngine(1) as engine:
        found = engine.submit(explore, Reference(objective, os.getcwd())).result()
    if isinstance(found, Unusable):
        raise StudyError(Complaint(objective, found.what, found.hint))
    if isinstance(found, Failure):
        raise StudyError(Complaint(objective, f"could not be called: {found}"))
    return found  # type: ignore[no-any-return]


def drafted(objective: str, found: Exploration, direction: str) -> Draft:
    """The study of an objective that was explored. Raises StudyError."""
    first = found.calls[0]
    every = {name: asked for call in found.calls for name, asked in call.asked.items()}
    conditions, vague = conditions_of(found.calls)
    deciding = {name for condition in conditions.values() for name in condition}
    try:
        domains = {name: _domain(asked, name in deciding, conditions.get(name)) for name, asked in every.items()}
    except Unusable as unusable:
        raise StudyError(Complaint(objective, unusable.what, unusable.hint)) from None
    parameters = {parameter_name(name): domain for name, domain in domains.items()}
    if len(parameters) < len(domains):
        names = ", ".join(sorted(domains))
        raise StudyError(Complaint(objective, f"two of its names would be one here: {names}", "rename one"))
    notes = [*_renamed(domains), *_vague(vague, conditions), *_returned(first.reports, first.returned), *_rest(found)]
    return Draft(objective, direction, found.script.trials, len(first.reports), parameters, tuple(notes))


def _domain(asked: Asked, decides: bool, condition: Condition | None) -> Any:
    """A parameter as a study file has it; one that others depend on as a list. Raises Unusable."""
    domain = list(asked.few) if decides else asked.domain
    if not condition:
        return domain
    body = {"choices": domain} if isinstance(domain, list) else domain
    return body | {"when": {parameter_name(name): list(values) for name, values in condition.items()}}


def _renamed(names: Iterable[str]) -> Iterator[str]:
    other = [f"{name} is {parameter_name(name)}" for name in names if parameter_name(name) != name]
    if other:
        yield f"{', '.join(other)} here, where the tuner has another use for the name, or no room for it."


def _vague(names: Iterable[str], conditions: Mapping[str, Condition]) -> Iterator[str]:
    for name in names:
        when = " where its `when` holds" if conditions[name] else ", and when was not found"
        yield f"{name} is not asked for in every trial{when}: it is searched there all the same, and means nothing."


def _returned(reports: tuple[float, ...], returned: float | None) -> Iterator[str]:
    if returned is None:
        yield "The first call ended itself with TrialPruned: a longer trial may report more often than `epochs` says."
    elif reports and returned not in reports:
        yield (
            f"It returned {returned:.6g}, which it had not reported (last {reports[-1]:.6g}). A trial's value is its "
            "best epoch's: reports have to measure what is returned, which counts as the last of them."
        )


def _rest(found: Exploration) -> Iterator[str]:
    for call in [call for call in found.calls if call.error][:3]:
        values = ", ".join(f"{name} = {value}" for name, value in call.values.items())
        yield f"With {values[:300]} it raised {call.error}."
    if found.left:
        yield f"{found.left} further calls were left out for want of time: there may be parameters or conditions more."


def study_text(draft: Draft, place: Path, name: str) -> str:
    """The text of a study file that is written to `place`."""
    goal = next(goal for goal in GOALS[draft.direction] if goal not in draft.parameters)
    blocks = [
        f"# From {draft.objective}, an objective of Optuna's, which runs as it is: tuner run {place.name}\n"
        "# [parameters] has to say what the code asks for: change both, or neither.",
        "".join(f"# {note}\n" for note in draft.notes).rstrip(),
        _table("study", _study(draft, place, name, goal)),
        _table("train", {"epochs": draft.epochs}, "how often a trial reports; it is stopped at a rung by should_prune")
        if draft.epochs
        else "# It reports nothing in between, so no trial is stopped early.",
        _table("parameters", draft.parameters),
        SETTINGS,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _study(draft: Draft, place: Path, name: str, goal: str) -> dict[str, Any]:
    trials = {"trials": draft.trials} if draft.trials else {}
    return {"name": name, "seed": 0, **trials, "objective": relative(draft.objective, place), draft.direction: goal}


def _table(name: str, keys: Mapping[str, Any], comment: str = "") -> str:
    lines = [f"{key} = {in_toml(value)}{f'  # {comment}' if comment else ''}" for key, value in keys.items()]
    return "\n".join([f"[{name}]", *lines])


def relative(objective: str, place: Path) -> str:
    """The objective as a study file at `place` names it: its file from there."""
    where, _, name = objective.rpartition(":")
    if not where.endswith(".py"):
        return objective
    path = Path(where).expanduser()
    return f"{path if path.is_absolute() else Path(os.path.relpath(path, place.parent)).as_posix()}:{name}"


def direction_of(found: Exploration, asked: str | None, ask: Callable[[], str] | None) -> str:
    """The direction: as asked, as the script has it, or as somebody says now. Raises StudyError where nobody does."""
    known = asked or found.script.direction or (ask() if ask else "")
    if known in DIRECTIONS:
        return known
    what = "nothing says whether its value is to be small or large"
    raise StudyError(Complaint("direction", what, "add --minimize or --maximize"))
