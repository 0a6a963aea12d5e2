"""What an objective of Optuna's finds beside its trial: a study in memory that holds the committed trials.

Reading it works as in Optuna: direction, best value, trials, attributes, storage. What would change the search raises
RuntimeError and says what to write in the study file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from tuner.optuna_bridge.study import Distribution, OptunaStudy, OptunaTrial, frozen_trials

__all__ = ["axes_over", "distribution_for", "frozen_trial", "study_beside"]

INSTEAD = {
    "stop": "write [stop] in the study file: target, no_gain, epochs or seconds",
    "optimize": "the tuner calls the objective: tuner run",
    "ask": "the tuner proposes the trials: tuner run",
    "tell": "return the value",
    "enqueue_trial": "write enqueue = [{ lr = 0.01 }] under [search] in the study file",
    "add_trial": 'write warm_start = ["another-study"] under [search] in the study file',
    "add_trials": 'write warm_start = ["another-study"] under [search] in the study file',
}


def study_beside(direction: str, trials: Sequence[OptunaTrial], number: int) -> Any:
    """Return a study of Optuna's with these trials, and running ones up to `number`, whose id is its number.

    `trials` are numbered from 0 without a gap.
    """
    import optuna

    storage = optuna.storages.InMemoryStorage()
    study = OptunaStudy("tuner", direction, "", axes_over([trial.params for trial in trials]), trials)
    told = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would say that a study was created
    own = storage.create_new_study([optuna.study.StudyDirection[direction.upper()]], study.name)
    optuna.logging.set_verbosity(told)
    for trial in frozen_trials(study):
        storage.create_new_trial(own, template_trial=trial)
    for _ in range(len(trials), number + 1):
        storage.create_new_trial(own)
    return _reader()(study.name, storage, sampler=optuna.samplers.RandomSampler(), pruner=optuna.pruners.NopPruner())


def axes_over(every: Sequence[Mapping[str, Any]]) -> dict[str, Distribution]:
    """Return what each parameter may be, as far as its values tell: a range of numbers, else choices."""
    values: dict[str, list[Any]] = {}
    for params in every:
        for name, value in params.items():
            values.setdefault(name, []).append(value)
    return {name: _axis(own) for name, own in values.items()}


def _axis(values: Sequence[Any]) -> Distribution:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if not numbers:
        return Distribution("categorical", choices=tuple({repr(value): value for value in values}.values()))
    kind = "int" if all(isinstance(value, int) for value in values) else "float"
    return Distribution(kind, min(values), max(values))


def frozen_trial(number: int, params: Mapping[str, Any], value: float | None, attrs: Mapping[str, Any]) -> Any:
    """Return one complete trial of Optuna's, as a function of constraints is given it."""
    trial = OptunaTrial(number, "complete", params, value, {}, attrs=attrs)
    return frozen_trials(OptunaStudy("tuner", "minimize", "", axes_over([params]), [trial]))[0]


def distribution_for(low: float, high: float, step: float, log: bool, whole: bool, choices: tuple[Any, ...]) -> Any:
    """Return the distribution of Optuna's that a call of suggest_* asks for."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if choices:
        return CategoricalDistribution(choices)
    if whole:
        return IntDistribution(int(low), int(high), log=log, step=int(step) or 1)
    return FloatDistribution(low, high, log=log, step=step or None)


@lru_cache(maxsize=1)
def _reader() -> Any:
    """Build the class of a study that can only be read."""
    import optuna

    def refused(name: str) -> Any:
        def call(self: Any, *args: Any, **more: Any) -> NoReturn:
            del self, args, more
            raise RuntimeError(f"study.{name}() cannot be called in a study of the tuner: {INSTEAD[name]}")

        return call

    return type("StudyBeside", (optuna.Study,), {name: refused(name) for name in INSTEAD})
