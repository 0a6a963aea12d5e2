"""The trial that an objective of Optuna's is given: its config is the study's, its reports are the tuner's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from numbers import Number
from typing import Any, NoReturn

from tuner.enums import TrialState
from tuner.optuna_bridge.beside import distribution_for, frozen_trial
from tuner.parameter_names import parameter_name
from tuner.trainables.custom.function import MetricSink, ObjectiveCall
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.custom.metric_log import MOST_EPOCHS, NAME, Diverged, single
from tuner.trainables.custom.seeding import seed_everything
from tuner.trainables.optuna_script.study_beside import Beside
from tuner.trainables.optuna_script.suggested import SuggestRequest

__all__ = ["NOTHING", "StopTrial", "StudyTrial", "Rules", "ScriptTrial", "follow", "is_pruning", "one_value"]

NOTHING = "is nothing that a study of the tuner has"
KNOWN = "suggest_float, suggest_int, suggest_categorical, report, should_prune, set_user_attr, study, number"
Constraints = Callable[[Any], Sequence[float]]


@dataclass(frozen=True)
class Rules:
    """What the script of an objective says of every trial: its constraints, and names whose ranges others decide."""

    constraints: Constraints | None = None
    moving: frozenset[str] = frozenset()


class StopTrial(BaseException):
    """The trial has come to where it is compared with others, or has shown what was to be seen: it ends here."""


class ScriptTrial:
    """What objectives of Optuna's call. Raises AttributeError for what is not here."""

    def __init__(self, number: int, beside: Beside | None = None) -> None:
        self.number = self._trial_id = number
        self.params: dict[str, Any] = {}
        self.user_attrs: dict[str, Any] = {}
        self.system_attrs: dict[str, Any] = {}
        self.constraints: dict[str, float] = {}
        self.relative_params: dict[str, Any] = {}
        self.datetime_start = datetime.now()
        self._beside = beside or Beside()
        self._asked: dict[str, SuggestRequest] = {}
        self._moving: frozenset[str] = frozenset()
        self._study: Any = None

    @property
    def study(self) -> Any:
        """Return a read-only Optuna study: its direction, and the trials that this one was proposed from."""
        if self._study is None:
            self._study = self._beside.study(self.number)
        return self._study

    @property
    def storage(self) -> Any:
        """Return the in-memory storage of `study`."""
        return self.study._storage

    @property
    def distributions(self) -> dict[str, Any]:
        """Return Optuna's distributions of what was asked for so far."""
        return {
            name: distribution_for(a.low, a.high, a.step, a.log, a.whole, a.choices) for name, a in self._asked.items()
        }

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Suggest a number."""
        value: float = self._suggest(name, SuggestRequest(float(low), float(high), float(step or 0.0), bool(log)))
        return value

    def suggest_int(self, name: str, low: int, high: int, step: int = 1, *, log: bool = False) -> int:
        """Suggest a whole number."""
        value: int = self._suggest(name, SuggestRequest(int(low), int(high), int(step), bool(log), whole=True))
        return value

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Suggest one of some values."""
        return self._suggest(name, SuggestRequest(choices=tuple(choices)))

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """Suggest a number, as older scripts ask for it."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """Suggest a number on a log scale, as older scripts ask for it."""
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """Suggest numbers `q` apart, as older scripts ask for them."""
        return self.suggest_float(name, low, high, step=q)

    def _suggest(self, name: str, asked: SuggestRequest) -> Any:
        value = self.params[name] = asked.given(name, self._answer(name, asked), name in self._moving)
        self._asked[name] = asked
        return value

    def _answer(self, name: str, asked: SuggestRequest) -> Any:
        """Return the study's value for a name."""
        raise NotImplementedError

    def report(self, value: float, step: int) -> None:
        """Report an intermediate value."""
        raise NotImplementedError

    def should_prune(self) -> bool:
        """Return True to make the script raise optuna.TrialPruned."""
        raise NotImplementedError

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep a value: a number as a metric, all else as a note."""
        self.user_attrs[key] = value

    def set_system_attr(self, key: str, value: Any) -> None:
        """Keep a value as a note."""
        self.system_attrs[key] = value

    def set_constraint(self, key: str, value: float) -> None:
        """Keep a constraint, which is violated above 0: then the trial cannot be the best."""
        self.constraints.setdefault(key, float(value))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"trial.{name} {NOTHING}; it has {KNOWN}")


class StudyTrial(ScriptTrial):
    """A trial of a study. Its epochs are its reports, counted: steps may be numbered as the script likes.

    A report is held back until the next one: what the objective returns is the value of its last epoch, and the
    trial's. `cut` tells that it was ended at a rung, whatever became of the exception that said so.
    """

    def __init__(self, number: int, attempt: ObjectiveCall, board: MetricSink, beside: Beside | None = None) -> None:
        super().__init__(number, beside)
        self._config, self._stop, self._board = attempt.configs[0], attempt.stop, board
        self._whole = not attempt.stop or attempt.stop >= int(self._config.get(attempt.unit, attempt.stop))
        self._steps: set[int] = set()
        self._held: tuple[int, Any] | None = None
        self.cut = False

    def _answer(self, name: str, asked: SuggestRequest) -> Any:
        own = parameter_name(name)
        if own not in self._config:
            raise InvalidObjective(
                f"asks for {name}, {asked}, which the study has not, or not here", f"write {own} in [parameters]"
            )
        return self._config[own]

    def report(self, value: float, step: int) -> None:
        """Report a value, as Optuna's; a second one of a step is ignored. Raises StopTrial, InvalidObjective."""
        if step in self._steps or len(self._steps) >= MOST_EPOCHS:
            return
        self._put()
        self._steps.add(step)
        if not self._whole and len(self._steps) > self._stop:
            self.cut = True
            raise StopTrial
        self._held = (len(self._steps), value)

    def should_prune(self) -> bool:
        """Return whether the trial has come to its rung."""
        return not self._whole and len(self._steps) >= self._stop

    def end(self, value: Any) -> None:
        """Take in what the objective returned, or nan where it gave up: the value of its last epoch.

        What was noted late is of the whole trial: it stands beside each of its epochs.
        """
        self._held = (self._held[0] if self._held else 1, value)
        self._put()
        self._board.sheets[0].fill(self._metrics(value))
        self._board.final = True

    def stopped(self) -> None:
        """Take in the last report of a trial that was cut."""
        self._put()

    def violated(self, constraints: Constraints | None, value: Any) -> str:
        """Return which constraint is above 0, in words; empty where none is."""
        if constraints is not None:
            number = float(value) if isinstance(value, Number) else None  # type: ignore[arg-type]
            told = constraints(frozen_trial(self.number, self.params, number, self.user_attrs))
            self.constraints |= {f"constraint {i}": float(one) for i, one in enumerate(told)}
        above = {key: one for key, one in self.constraints.items() if not one <= 0}
        return ", ".join(f"{key} is {one:.6g}" for key, one in above.items())

    def notes(self) -> dict[str, Any]:
        """Return what was set and is not a metric."""
        numbers = self._numbers()
        known = {**self.system_attrs, **self.user_attrs}
        return {key: value for key, value in known.items() if key not in numbers} | self.constraints

    def _put(self) -> None:
        """Report what was held back."""
        if self._held is not None:
            (epoch, value), self._held = self._held, None
            self._board.add(epoch, self._metrics(value))

    def _metrics(self, value: Any) -> Any:
        numbers = {key: value for key, value in self._numbers().items() if key not in self._taken}
        return {**numbers, self._board.goal: value}

    @property
    def _taken(self) -> set[str]:
        sheet = self._board.sheets[0]
        return {sheet.goal, *sheet.taken}

    def _numbers(self) -> dict[str, Any]:
        return {
            key: value
            for key, value in self.user_attrs.items()
            if isinstance(value, Number) and not isinstance(value, bool | complex) and NAME.fullmatch(key)
        }


def is_pruning(error: BaseException | None) -> bool:
    """Return True if an exception is Optuna's TrialPruned, or was raised because of one, without importing Optuna."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        kinds = type(error).__mro__
        if any(kind.__name__ == "TrialPruned" and kind.__module__.startswith("optuna") for kind in kinds):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def one_value(value: Any) -> Any:
    """Check that an objective returned one value, and return it. Raises InvalidObjective."""
    if isinstance(value, tuple | list):
        if len(value) == 1:
            return value[0]
        what = f"returns {len(value)} values, but a study has one goal"
        raise InvalidObjective(what, "return one of them, and keep the others with trial.set_user_attr")
    value = single(value)
    return float(value) if isinstance(value, bool) else value


def follow(
    objective: Any,
    number: int,
    attempt: ObjectiveCall,
    board: MetricSink,
    beside: Beside | None = None,
    rules: Rules | None = None,
) -> Mapping[str, Any]:
    """Call an objective of Optuna's once, for a trial of a study; returns its notes.

    What ended the trial at a rung may come back as any exception, or none: libraries wrap and swallow what their
    callbacks raise. Raises what the objective raises, InvalidObjective, and Diverged where it gives up by itself or
    violates a constraint: that is all that is known of it then.
    """
    seed_everything(attempt.seed, attempt.start)
    rules = rules or Rules()
    trial = StudyTrial(number, attempt, board, beside)
    trial._moving = rules.moving
    try:
        value = one_value(objective(trial))
        if trial.cut:
            trial.stopped()
        else:
            trial.end(value)
            if violated := trial.violated(rules.constraints, value):
                board.ended[0] = TrialState.DIVERGED
                raise Diverged(f"infeasible: {violated}, above 0")
    except StopTrial:
        trial.stopped()
    except Exception as error:
        if trial.cut:
            trial.stopped()
        elif not is_pruning(error):
            raise
        elif trial.should_prune():
            trial.stopped()
        else:
            try:
                trial.end(math.nan)
            except Diverged:
                raise Diverged("it raised TrialPruned by itself") from None
    return trial.notes()
