"""Finds out what an objective of Optuna's asks for: it is called, in a worker, and what it asks is written down.

Once it runs to its end. Then it is called with each value of what has few, so that parameters show that exist only for
some, and some times with any values; those calls end at the first report, where there is one.
"""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.enums import ObjectiveForm
from tuner.trainables.custom.call_forms import form_of
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.metric_log import metrics_of
from tuner.trainables.custom.objective_ref import ObjectiveRef, file_of, load, whereabouts
from tuner.trainables.optuna_script.script_text import Script, read_script
from tuner.trainables.optuna_script.study_beside import Beside
from tuner.trainables.optuna_script.suggested import SuggestRequest
from tuner.trainables.optuna_script.trial_adapter import NOTHING, ScriptTrial, StopTrial, is_pruning, one_value

__all__ = ["SECONDS", "ProbeCall", "Exploration", "probe_objective", "scripted"]

SECONDS = 60.0  # in which further calls may begin
ANY = 8  # calls with any values
VALUE = "its value"


@dataclass(frozen=True)
class ProbeCall:
    """One call: what was asked for, the values given, how often it reported, what it returned, and what went wrong."""

    asked: Mapping[str, SuggestRequest]
    values: Mapping[str, Any]
    reports: tuple[Any, ...] = ()
    late: bool = False  # whether it asked for something after a report
    returned: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Exploration:
    """Calls of an objective, the first to its end in `seconds`; `left` were not made for want of time."""

    script: Script
    calls: tuple[ProbeCall, ...]
    seconds: float
    left: int


@dataclass
class RecordingTrial(ScriptTrial):
    """A trial that writes down what is asked, and answers with what it is told or a value to begin with."""

    answers: Mapping[str, Any]
    brief: bool = False
    direction: str = "minimize"
    asked: dict[str, SuggestRequest] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    reports: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    late: bool = False
    cut: bool = False

    def __post_init__(self) -> None:
        super().__init__(0, Beside(self.direction))

    def _answer(self, name: str, asked: SuggestRequest) -> Any:
        check_same(name, self.asked.get(name, asked), asked, "in one trial")
        self.late = self.late or bool(self.steps and name not in self.asked)
        self.asked[name] = asked
        value = self.values[name] = self.answers.get(name, asked.start)
        return value

    def report(self, value: float, step: int) -> None:
        if step not in self.steps:
            self.steps.append(step)
            self.reports.append(float(value))
        if self.brief:
            self.cut = True
            raise StopTrial

    def should_prune(self) -> bool:
        return False


def probe_objective(reference: ObjectiveRef, direction: str = "") -> Exploration | InvalidObjective:
    """Call an objective until what it asks for is known; what is wrong with it is returned.

    `direction` is what its study has where the script does not say.
    """
    try:
        script = scripted(reference)
        return _explored(objective_of(reference), script, direction or script.direction or "minimize")
    except InvalidObjective as unusable:
        return InvalidObjective(unusable.what, unusable.hint)


def scripted(reference: ObjectiveRef) -> Script:
    """Read what the file says beside the objective. Raises InvalidObjective where importing it would run a study."""
    where = reference.objective.rpartition(":")[0]
    path = file_of(reference)
    if path is None:
        return Script()
    try:
        script = read_script(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, UnicodeDecodeError):
        return Script()  # importing it will say more
    if script.runs_at:
        what = f"{where} runs its study when it is imported (line {script.runs_at})"
        raise InvalidObjective(what, 'put that under `if __name__ == "__main__":`')
    if script.several:
        raise InvalidObjective(f"the study of {where} has several goals (directions=)", "a study of the tuner has one")
    return script


def objective_of(reference: ObjectiveRef) -> Callable[..., Any]:
    """Return the function, which takes a trial. Raises InvalidObjective."""
    function = load(reference)
    if form_of(function) != ObjectiveForm.TRIAL:
        shown = ", ".join(inspect.signature(function).parameters)
        hint = "name a function of one parameter that is called trial; others can be set in one that calls it"
        raise InvalidObjective(f"{reference.objective} takes ({shown}), which is no objective of Optuna's", hint)
    return function


def _explored(objective: Callable[..., Any], script: Script, direction: str) -> Exploration:
    started = time.perf_counter()
    first = called(objective, {}, brief=False, direction=direction, strict=True)
    seconds = time.perf_counter() - started
    if first.error:
        hint = "leave it out" if NOTHING in first.error else "run it by itself in Optuna to see where"
        raise InvalidObjective(f"raised {first.error}", hint)
    if not first.asked:
        raise InvalidObjective("asks for nothing: there is nothing to search", "let it call trial.suggest_float, say")
    calls, left = [first], 0
    until = time.perf_counter() + SECONDS
    for answers in wanted(calls):
        if time.perf_counter() > until:
            left += 1
            continue
        calls.append(called(objective, answers, brief=not first.late, direction=direction))
        check_constant(calls)
    return Exploration(script, tuple(calls), seconds, left)


def wanted(calls: list[ProbeCall]) -> Iterator[Mapping[str, Any]]:
    """Yield the answers to give next as calls come in: the same again, then each value of parameters with few values.

    Around a call that asks for something new every such value is tried: what is asked for in all of them does not
    depend on it.
    """
    yield {}
    tried: set[tuple[str, Any]] = set()
    yield from around(calls, 0, tried)
    begun, numbers = len(calls), random.Random(0)
    every = {name: asked for call in calls for name, asked in call.asked.items()}
    for _ in range(ANY):
        yield {name: asked.drawn(numbers) for name, asked in every.items()}
    yield from around(calls, begun, tried)


def around(calls: list[ProbeCall], at: int, tried: set[tuple[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the answers of calls from `at` on, a list that grows meanwhile, each with one value changed."""
    known = {name for call in calls[:at] for name in call.asked}
    while at < len(calls):
        call, at = calls[at], at + 1
        new = not known.issuperset(call.asked)
        known.update(call.asked)
        for name, asked in call.asked.items():
            for value in asked.few:
                if value != call.values[name] and (new or (name, value) not in tried):
                    yield {**call.values, name: value}
                tried.add((name, value))


def called(
    objective: Callable[..., Any], answers: Mapping[str, Any], brief: bool, direction: str, strict: bool = False
) -> ProbeCall:
    """Call it once. Raises InvalidObjective for what cannot be mapped, where it is `strict`."""
    trial, returned, error = RecordingTrial(answers, brief, direction), None, ""
    try:
        value = one_value(objective(trial))
        returned, error = (None, "") if trial.cut else value_of(value, strict)
    except StopTrial:
        pass
    except InvalidObjective:
        raise
    except (Exception, SystemExit) as raised:
        if not trial.cut and not is_pruning(raised):
            error = f"{type(raised).__name__}: {(str(raised).splitlines() or [''])[0][:200]}{whereabouts(raised)}"
    plain = {name: asked.plain() for name, asked in trial.asked.items()}
    return ProbeCall(plain, trial.values, tuple(trial.reports), trial.late, returned, error)


def value_of(value: Any, strict: bool) -> tuple[float | None, str]:
    """Return what an objective returned, as a number, or what is wrong with it: raises InvalidObjective if `strict`."""
    try:
        return metrics_of(value, VALUE)[VALUE], ""
    except InvalidObjective as unusable:
        if strict:
            raise
        return None, str(unusable)  # a trial that fails alone, as in Optuna


def check_constant(calls: list[ProbeCall]) -> None:
    """Raise InvalidObjective where the last call asked for a name otherwise than one before, or not for the same."""
    last, first = calls[-1], calls[0]
    for call in calls[:-1]:
        for name in [name for name in last.asked if name in call.asked]:
            check_same(name, call.asked[name], last.asked[name], others(call, last, name))
    if len(calls) == 2 and not last.error and set(last.asked) != set(first.asked):
        names = ", ".join(sorted(set(last.asked) ^ set(first.asked)))
        what = f"asks for {names} in one of two trials with the same values"
        raise InvalidObjective(what, "a study needs the same parameters for the same values")


def check_same(name: str, one: SuggestRequest, other: SuggestRequest, where: str) -> None:
    """Raise InvalidObjective where a name is asked for in two ways."""
    if one != other:
        what = f"asks for {name} as {one}, and as {other} {where}: a range that changes cannot be searched"
        raise InvalidObjective(
            what, f"ask for each under a name of its own, or for a share of the range, like {name}_share"
        )


def others(call: ProbeCall, last: ProbeCall, name: str) -> str:
    """Describe for people what differed in the second of two calls."""
    told = [
        f"{key} = {value}"
        for key, value in last.values.items()
        if key != name and key in call.values and call.values[key] != value
    ]
    return f"where {', '.join(told[:3])}" if told else "another time"
