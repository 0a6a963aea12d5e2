"""What an Optuna script says of its study, as a study file says it: sampler, pruner, stops, first trials.

Each row of what is said is a name and a value; None is a value that the text does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["CONSTRAINTS", "Call", "Refusal", "ScriptSettings", "settings_of"]

CONSTRAINTS = "constraints_func"
ENDLESS = 100_000  # trials of a study that only a timeout ends
SAMPLERS = {
    "TPESampler": "tpe",
    "GPSampler": "gp",
    "CmaEsSampler": "cmaes",
    "RandomSampler": "random",
    "QMCSampler": "qmc",
    "GridSampler": "grid",
    "BruteForceSampler": "grid",
}
# The reports of a Wilcoxon pruner are single instances, which no two trials can be compared by: none is pruned.
PRUNERS = {
    "MedianPruner": "median",
    "SuccessiveHalvingPruner": "halving",
    "HyperbandPruner": "hyperband",
    "NopPruner": "none",
    "WilcoxonPruner": "none",
}
NO_CURVE = "WilcoxonPruner"
OF_OURS = {"seed", "search_space", "reduction_factor", CONSTRAINTS, "0"}  # arguments that are translated
SEED_FIRST = ("RandomSampler",)  # samplers whose first argument is the seed


@dataclass(frozen=True)
class Call:
    """A call in a script: what is called, and its arguments by name or place, None where the text does not tell."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """What is not translated, what to do, and the key of a study file that says it instead ("" where none does)."""

    what: str
    hint: str
    key: str = ""


@dataclass(frozen=True)
class ScriptSettings:
    """The tables of a study file that a script's study amounts to, notes on them, and what could not be translated.

    `grid` has the values of a grid by the names of the script. `curve` is false where reports are no learning curve.
    """

    trials: int = 0
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metric: str = ""
    grid: Mapping[str, Any] = field(default_factory=dict)
    enqueued: tuple[Mapping[str, Any], ...] = ()
    constraints: str = ""
    jobs: int = 0
    curve: bool = True
    notes: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()

    def setting(self, table: str, key: str, value: Any) -> ScriptSettings:
        """Return a copy with one more key of a study file."""
        return replace(self, tables={**self.tables, table: {**self.tables.get(table, {}), key: value}})

    def noting(self, note: str) -> ScriptSettings:
        """Return a copy with one more note."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, note))))

    def refusing(self, what: str, hint: str, key: str = "") -> ScriptSettings:
        """Return a copy with one more refusal."""
        return replace(self, refused=tuple(dict.fromkeys((*self.refused, Refusal(what, hint, key)))))


def settings_of(said: Sequence[tuple[str, Any]]) -> ScriptSettings:
    """Translate what a script says of its study."""
    found = ScriptSettings()
    for key, value in said:
        found = READERS[key](found, value)
    timeless = "stop" not in found.tables
    if not found.trials and not timeless:
        note = f"It has no n_trials and goes on until its timeout: trials = {ENDLESS} is as good as no end."
        found = replace(found, trials=ENDLESS).noting(note)
    return found


def _trials(found: ScriptSettings, value: Any) -> ScriptSettings:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return replace(found, trials=max(found.trials, value))
    return found.refusing("n_trials is no number in the text", "say it: --set study.trials=100", "study.trials")


def _timeout(found: ScriptSettings, value: Any) -> ScriptSettings:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return found.setting("stop", "seconds", value)
    return found.refusing("timeout is no number in the text", "say it: --set stop.seconds=600", "stop.seconds")


def _jobs(found: ScriptSettings, value: Any) -> ScriptSettings:
    if isinstance(value, int) and value > 1:
        return replace(found, jobs=value).noting(f"n_jobs={value} is an option of the run: tuner run FILE -j {value}.")
    if value in (1, -1):
        return found
    return found.noting("n_jobs is no number in the text: `tuner run` takes all processors, or -j N.")


def _sampler(found: ScriptSettings, value: Any) -> ScriptSettings:
    key, hint = "search.sampler", "choose one: --set search.sampler=tpe (or gp, cmaes, random, qmc, grid)"
    if not isinstance(value, Call) or value.name not in SAMPLERS:
        what = f"sampler={value.name}" if isinstance(value, Call) else "the sampler, which the text does not tell,"
        return found.refusing(f"{what} has no counterpart", hint, key)
    found = found.setting("search", "sampler", SAMPLERS[value.name])
    seed = value.args.get("seed", value.args.get("0") if value.name in SEED_FIRST else None)
    if isinstance(seed, int) and seed >= 0:
        found = found.setting("study", "seed", seed)
    if value.name == "GridSampler":
        space = value.args.get("search_space", value.args.get("0"))
        if not isinstance(space, dict):
            return found.refusing("the grid of GridSampler is no literal", "write it in the call", "parameters")
        found = replace(found, grid=space)
    return _rest(found, value)


def _pruner(found: ScriptSettings, value: Any) -> ScriptSettings:
    key, hint = "search.pruner", "choose one: --set search.pruner=halving (or hyperband, median, none)"
    if not isinstance(value, Call) or value.name not in PRUNERS:
        what = f"pruner={value.name}" if isinstance(value, Call) else "the pruner, which the text does not tell,"
        return found.refusing(f"{what} has no counterpart", hint, key)
    found = found.setting("search", "pruner", PRUNERS[value.name])
    if value.name == NO_CURVE:
        found = replace(found, curve=False).noting(
            f"{NO_CURVE} compares single instances, which no learning curve is: every trial runs to its end."
        )
    factor = value.args.get("reduction_factor")
    if isinstance(factor, int) and factor >= 2:
        found = found.setting("search", "reduction", factor)
    return _rest(found, value)


def _rest(found: ScriptSettings, call: Call) -> ScriptSettings:
    """Name the arguments that are not translated."""
    left = [name for name in call.args if name not in OF_OURS]
    if not left:
        return found
    return found.noting(f"{', '.join(left)} of {call.name} is not translated: the tuner's own is measured.")


def _callbacks(found: ScriptSettings, value: Any) -> ScriptSettings:
    calls = value if isinstance(value, list | tuple) else [value]
    for call in calls:
        count = call.args.get("0", call.args.get("n_trials")) if isinstance(call, Call) else None
        if isinstance(call, Call) and call.name == "MaxTrialsCallback" and isinstance(count, int):
            found = replace(found, trials=min(found.trials or count, count))
        else:
            found = found.refusing(
                "callbacks of optimize are not called by the tuner",
                "take them out of that call: [stop] ends a study, `tuner export` hands its trials on",
            )
    return found


def _enqueue(found: ScriptSettings, value: Any) -> ScriptSettings:
    if isinstance(value, dict) and value:
        return replace(found, enqueued=(*found.enqueued, value))
    hint = "write the dict in the call, or: --set 'search.enqueue=[{lr = 0.01}]'"
    return found.refusing("enqueue_trial is given what is no literal", hint, "search.enqueue")


def _added(found: ScriptSettings, value: Any) -> ScriptSettings:
    del value
    hint = "`tuner import` the study they are of, then: --set 'search.warm_start=[\"NAME\"]'"
    return found.refusing("add_trial adds trials of another study", hint, "search.warm_start")


def _storage(found: ScriptSettings, value: Any) -> ScriptSettings:
    del value
    return found.noting("Its storage is not used: `tuner export --to optuna --storage URL` writes the trials there.")


def _metric(found: ScriptSettings, value: Any) -> ScriptSettings:
    named = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    return replace(found, metric=value[0]) if named else found


def _constraints(found: ScriptSettings, value: Any) -> ScriptSettings:
    if isinstance(value, str) and value.isidentifier():
        return replace(found, constraints=value).noting(
            f"{value} is called at the end of each trial: one that violates a constraint is diverged, as infeasible."
        )
    return found.refusing(
        "constraints_func is no function by its name", "define it in the script, as a function of its own"
    )


READERS: dict[str, Callable[[ScriptSettings, Any], ScriptSettings]] = {
    "n_trials": _trials,
    "timeout": _timeout,
    "n_jobs": _jobs,
    "sampler": _sampler,
    "pruner": _pruner,
    "callbacks": _callbacks,
    "enqueue_trial": _enqueue,
    "add_trial": _added,
    "add_trials": _added,
    "storage": _storage,
    "set_metric_names": _metric,
    CONSTRAINTS: _constraints,
}
