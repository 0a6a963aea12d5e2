"""The trial that an objective of Optuna's is given: its config is the study's, its reports are the tuner's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any, NoReturn

from tuner.study import parameter_name
from tuner.trainables.custom.function import Attempt, Board
from tuner.trainables.custom.metric_log import NAME, Diverged
from tuner.trainables.custom.objective_ref import Unusable
from tuner.trainables.custom.seeding import seed_everything
from tuner.trainables.optuna_script.suggested import Asked

__all__ = ["NOTHING", "Cut", "Followed", "Trial", "follow", "is_pruning", "one_value"]

NOTHING = "is nothing that a study of the tuner has"
KNOWN = "suggest_float, suggest_int, suggest_categorical, report, should_prune, set_user_attr"


class Cut(BaseException):
    """The trial has come to where it is compared with others, or has shown what was to be seen: it ends here."""


class Trial:
    """What objectives of Optuna's call. Raises AttributeError for what is not here."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.params: dict[str, Any] = {}
        self.user_attrs: dict[str, Any] = {}
        self.system_attrs: dict[str, Any] = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number."""
        value: float = self._suggest(name, Asked(float(low), float(high), float(step or 0.0), bool(log)))
        return value

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """A whole number."""
        value: int = self._suggest(name, Asked(int(low), int(high), int(step), bool(log), whole=True))
        return value

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of some values."""
        return self._suggest(name, Asked(choices=tuple(choices)))

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """A number, as older scripts ask for it."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """A number even in log, as older scripts ask for it."""
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """Numbers `q` apart, as older scripts ask for them."""
        return self.suggest_float(name, low, high, step=q)

    def _suggest(self, name: str, asked: Asked) -> Any:
        value = self.params[name] = asked.given(name, self._answer(name, asked))
        return value

    def _answer(self, name: str, asked: Asked) -> Any:
        """The study's value for a name."""
        raise NotImplementedError

    def report(self, value: float, step: int) -> None:
        """An intermediate value."""
        raise NotImplementedError

    def should_prune(self) -> bool:
        """Whether to raise optuna.TrialPruned."""
        raise NotImplementedError

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep a value: a number as a metric, all else as a note."""
        self.user_attrs[key] = value

    def set_system_attr(self, key: str, value: Any) -> None:
        """Keep a value as a note."""
        self.system_attrs[key] = value

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"trial.{name} {NOTHING}; it has {KNOWN}")


class Followed(Trial):
    """A trial of a study. Its epochs are its reports, counted: steps may be numbered as the script likes.

    A report is held back until the next one: what the objective returns is the value of its last epoch.
    """

    def __init__(self, number: int, attempt: Attempt, board: Board) -> None:
        super().__init__(number)
        self._config, self._stop, self._board = attempt.configs[0], attempt.stop, board
        self._whole = not attempt.stop or attempt.stop >= int(self._config.get(attempt.unit, attempt.stop))
        self._steps: list[int] = []
        self._held: tuple[int, Any] | None = None

    def _answer(self, name: str, asked: Asked) -> Any:
        own = parameter_name(name)
        if own not in self._config:
            raise Unusable(
                f"asks for {name}, {asked}, which the study has not, or not here", f"write {own} in [parameters]"
            )
        return self._config[own]

    def report(self, value: float, step: int) -> None:
        if step in self._steps:
            return
        self._put()
        self._steps.append(step)
        if self._stop and len(self._steps) > self._stop:
            if not self._whole:
                raise Cut
            what = f"reports more often than the {self._stop} times that [train] says"
            raise Unusable(what, "write there how often the longest trial reports, or report less often")
        self._held = (len(self._steps), value)

    def should_prune(self) -> bool:
        return bool(self._stop) and not self._whole and len(self._steps) >= self._stop

    def end(self, value: Any) -> None:
        """Take in what the objective returned, or nan where it gave up: the value of its last epoch.

        What was noted late is of the whole trial: it stands beside each of its epochs, so beside the best one.
        """
        self._held = (self._held[0] if self._held else self._stop or 1, value)
        self._put()
        self._board.sheets[0].fill(self._metrics(value))

    def stopped(self) -> None:
        """Take in the last report of a trial that was cut."""
        self._put()

    def notes(self) -> dict[str, Any]:
        """What was set and is no metric."""
        numbers = self._numbers()
        return {key: value for key, value in {**self.system_attrs, **self.user_attrs}.items() if key not in numbers}

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


def is_pruning(error: BaseException) -> bool:
    """Whether an exception is Optuna's TrialPruned, which is not imported for that."""
    return any(kind.__name__ == "TrialPruned" and kind.__module__.startswith("optuna") for kind in type(error).__mro__)


def one_value(value: Any) -> Any:
    """What an objective returned, if it is one value. Raises Unusable."""
    if isinstance(value, tuple | list):
        if len(value) == 1:
            return value[0]
        what = f"returns {len(value)} values, but a study has one goal"
        raise Unusable(what, "return one of them, and keep the others with trial.set_user_attr")
    return value


def follow(objective: Any, number: int, attempt: Attempt, board: Board) -> Mapping[str, Any]:
    """Call an objective of Optuna's once, for a trial of a study; returns its notes.

    Raises what it raises, Unusable, and Diverged where it gives up by itself: that is all that is known of it then.
    """
    seed_everything(attempt.seed, attempt.start)
    trial = Followed(number, attempt, board)
    try:
        trial.end(one_value(objective(trial)))
    except Cut:
        trial.stopped()
    except Exception as error:
        if not is_pruning(error):
            raise
        if trial.should_prune():
            trial.stopped()
        else:
            try:
                trial.end(math.nan)
            except Diverged:
                raise Diverged("it raised TrialPruned by itself") from None
    return trial.notes()
