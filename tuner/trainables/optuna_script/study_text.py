"""A study file from an objective of Optuna's: the space that was found, and notes on what could not be."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.engines import Failure, PoolEngine
from tuner.errors import StudyError
from tuner.parameter_names import parameter_name
from tuner.study import in_toml
from tuner.study.overrides import apply
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.objective_ref import ObjectiveRef
from tuner.trainables.optuna_script.probe import Exploration, probe_objective, scripted
from tuner.trainables.optuna_script.script_text import DIRECTIONS
from tuner.trainables.optuna_script.seen_conditions import Condition, conditions_of
from tuner.trainables.optuna_script.suggested import SuggestRequest

__all__ = ["Draft", "direction_of", "drafted", "explored", "study_text"]

GOALS = {"minimize": ("loss", "valid_loss", "objective_loss"), "maximize": ("score", "valid_score", "objective_score")}
PLACE = "study.objective"
SAMPLER = '# sampler = "auto"  # tpe, gp, cmaes, random, qmc, halton, grid'
CONFIRM = """\
# [confirm]
# top = 3           # train the best again on other seeds: a script that sets none of its own is another run then
# seeds = 5"""


@dataclass(frozen=True)
class Draft:
    """What a study of the objective says: its parameters as a study file has them, and the notes on them.

    `tables` are keys that the script says beside its objective; `metric` is its name of the goal, if it has one.
    """

    objective: str
    direction: str
    trials: int
    epochs: int
    parameters: Mapping[str, Any]
    notes: tuple[str, ...]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metric: str = ""


def explored(objective: str, direction: str = "", known: Collection[str] = ()) -> Exploration:
    """Call "file.py:objective" in a worker until what it asks for is known.

    `known` are keys of a study file that are said otherwise. Raises StudyError, before any call for what the script
    says of its study and a study file cannot.
    """
    if ":" not in objective:
        raise StudyError(Complaint(PLACE, f"{objective!r} does not say where it is", 'write "script.py:objective"'))
    reference = ObjectiveRef(objective, os.getcwd())
    try:
        refused = scripted(reference).settings.refused
    except InvalidObjective as unusable:
        raise StudyError(Complaint(objective, unusable.what, unusable.hint)) from None
    if complaints := [
        Complaint(objective, one.what, one.hint) for one in refused if not one.key or one.key not in known
    ]:
        raise StudyError(*complaints)
    with PoolEngine(1) as engine:
        found = engine.submit(probe_objective, reference, direction).result()
    if isinstance(found, InvalidObjective):
        raise StudyError(Complaint(objective, found.what, found.hint))
    if isinstance(found, Failure):
        raise StudyError(Complaint(objective, f"could not be called: {found}"))
    return found  # type: ignore[no-any-return]


def drafted(objective: str, found: Exploration, direction: str) -> Draft:
    """Draft the study of a probed objective. Raises StudyError."""
    first, settings = found.calls[0], found.script.settings
    every = {name: asked for call in found.calls for name, asked in call.asked.items()}
    conditions, vague = conditions_of(found.calls)
    deciding = {name for condition in conditions.values() for name in condition}
    try:
        domains = {name: _domain(asked, name in deciding, conditions.get(name)) for name, asked in every.items()}
        domains |= {name: _gridded(every[name], domains[name], v) for name, v in settings.grid.items() if name in every}
        enqueued = [{parameter_name(n): _held(every, n, v) for n, v in one.items()} for one in settings.enqueued]
    except InvalidObjective as unusable:
        raise StudyError(Complaint(objective, unusable.what, unusable.hint)) from None
    parameters = {parameter_name(name): domain for name, domain in domains.items()}
    if len(parameters) < len(domains):
        names = ", ".join(sorted(domains))
        raise StudyError(Complaint(objective, f"two of its names would be one here: {names}", "rename one"))
    notes = [*_renamed(domains), *_vague(vague, conditions), *_returned(first.reports, first.returned), *_rest(found)]
    told = settings.setting("search", "enqueue", enqueued) if enqueued else settings
    epochs = len(first.reports) if settings.curve else 0
    return Draft(
        objective, direction, found.script.trials, epochs, parameters, (*notes, *settings.notes), told.tables,
        settings.metric,
    )  # fmt: skip


def _held(every: Mapping[str, SuggestRequest], name: str, value: Any) -> Any:
    """Convert a value of the script to a study's. Raises InvalidObjective."""
    if name not in every:
        raise InvalidObjective(f"enqueue_trial names {name}, which it was not seen to ask for", "take that out")
    choices = every[name].choices
    if not choices or value in choices:
        return value
    named = [text for text in (str(value), repr(value)) if text in choices]
    if not named:
        raise InvalidObjective(f"enqueue_trial gives {name} = {value!r:.60}, none of its choices", "take that out")
    return named[0]


def _gridded(asked: SuggestRequest, domain: Any, values: Any) -> Any:
    """Build a parameter that is searched over the values of a grid. Raises InvalidObjective."""
    listed = list(dict.fromkeys(_held({"": asked}, "", value) for value in values))
    return (
        {**domain, "choices": listed}
        if isinstance(domain, dict) and "choices" in domain
        else ({"choices": listed, "when": domain["when"]} if isinstance(domain, dict) and "when" in domain else listed)
    )


def _domain(asked: SuggestRequest, decides: bool, condition: Condition | None) -> Any:
    """Build a parameter for a study file; one that others depend on as a list. Raises InvalidObjective."""
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
        yield "The first call ended itself with TrialPruned: a longer trial reports more often than `epochs` says."
    elif reports and returned not in reports:
        yield (
            f"It returned {returned:.6g}, which it had not reported (last {reports[-1]:.6g}). A trial's value is what "
            "it returns; at rungs, trials are compared by their best reports."
        )


def _rest(found: Exploration) -> Iterator[str]:
    for call in [call for call in found.calls if call.error][:3]:
        values = ", ".join(f"{name} = {value}" for name, value in call.values.items())
        yield f"With {values[:300]} it raised {call.error}."
    if found.left:
        yield f"{found.left} further calls were left out for want of time: there may be parameters or conditions more."


def study_text(draft: Draft, place: Path, name: str, overrides: Sequence[str] = ()) -> str:
    """Write the text of a study file at `place`; `overrides` are KEY=VALUE. Raises StudyError for those."""
    tables: dict[str, Any] = {name: dict(keys) for name, keys in draft.tables.items()}
    tables["study"] = _study(draft, place, name) | {k: v for k, v in tables.get("study", {}).items() if k == "seed"}
    tables["train"] = {"epochs": draft.epochs} if draft.epochs else {}
    tables["parameters"] = dict(draft.parameters)
    apply(tables, overrides, {}, str(place)).check()
    blocks = [
        f"# From {draft.objective}, an objective of Optuna's, which runs as it is: tuner run {place.name}\n"
        "# Its ranges may be changed here, and the code is given values of these; names and choices are the code's.",
        "".join(f"# {note}\n" for note in draft.notes).rstrip(),
        _table("study", tables.pop("study")),
        _table("train", tables.pop("train"), "how often a trial reports; it is stopped at a rung by should_prune")
        if tables["train"]
        else "# It reports no learning curve, so no trial is stopped early.",
        _table("parameters", tables.pop("parameters")),
        _search(tables.pop("search", {})),
        *(_table(name, keys) for name, keys in tables.items() if keys),
        CONFIRM,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _search(keys: Mapping[str, Any]) -> str:
    """Write the table [search]: what the script says, and a comment on more."""
    own = _table("search", keys) if keys else "# [search]"
    return own if "sampler" in keys else f"{own}\n{SAMPLER}"


def _study(draft: Draft, place: Path, name: str) -> dict[str, Any]:
    goal = next(one for one in (draft.metric, *GOALS[draft.direction]) if one and one not in draft.parameters)
    trials = {"trials": draft.trials} if draft.trials else {}
    return {"name": name, "seed": 0, **trials, "objective": relative(draft.objective, place), draft.direction: goal}


def _table(name: str, keys: Mapping[str, Any], comment: str = "") -> str:
    lines = [f"{key} = {in_toml(value)}{f'  # {comment}' if comment else ''}" for key, value in keys.items()]
    return "\n".join([f"[{name}]", *lines])


def relative(objective: str, place: Path) -> str:
    """Make the objective's file relative to a study file at `place`."""
    where, _, name = objective.rpartition(":")
    if not where.endswith(".py"):
        return objective
    path = Path(where).expanduser()
    return f"{path if path.is_absolute() else Path(os.path.relpath(path, place.parent)).as_posix()}:{name}"


def direction_of(found: Exploration, asked: str | None, ask: Callable[[], str] | None) -> str:
    """Return the direction: as asked, as in the script, or as answered now. Raises StudyError without any."""
    known = asked or found.script.direction or (ask() if ask else "")
    if known in DIRECTIONS:
        return known
    what = "nothing says whether its value is to be small or large"
    raise StudyError(Complaint("direction", what, "add --minimize or --maximize"))
