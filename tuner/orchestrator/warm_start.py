"""Warm start: trials of other studies as the history that the sampler begins with.

They are read once, when a study is created, and stored in its ledger: later changes of the other studies have no
effect.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from objectives.errors import Complaint
from tuner.enums import TrialState
from tuner.errors import StudyError, TunerError
from tuner.parameter_names import parameter_name
from tuner.records import Trial
from tuner.space import Space, space_of
from tuner.store.directory import Home, find
from tuner.store.ledger import Ledger
from tuner.store.stored import stored_study
from tuner.study import UNNAMED, Study, is_searched

__all__ = ["WarmStart", "warm_start", "warm_start_text", "warm_start_trials"]

BEFORE = -1  # the generation of a trial that another study ran


@dataclass(frozen=True)
class WarmStart:
    """The trials to begin with, and notes on what could and could not be used."""

    trials: tuple[Trial, ...] = ()
    notes: tuple[str, ...] = ()


def warm_start(study: Study, space: Space, home: Home) -> WarmStart:
    """Load the trials of the studies that `search.warm_start` names. Raises StudyError with all that cannot be used."""
    trials: list[Trial] = []
    notes, wrong = [], []
    for i, name in enumerate(study.search.warm_start):
        try:
            found, note = _matched(study, space, name, home)
        except (TunerError, _Unlike) as error:
            hint = error.hint if isinstance(error, _Unlike) else ""
            wrong.append(Complaint(f"search.warm_start[{i}]", str(error), hint))
            continue
        trials += found
        notes.append(note)
    if wrong:
        raise StudyError(*wrong)
    return WarmStart(tuple(replace(t, number=n - len(trials)) for n, t in enumerate(trials)), tuple(notes))


class _Unlike(Exception):
    """Raised for a study whose trials cannot be used."""

    def __init__(self, what: str, hint: str) -> None:
        self.hint = hint
        super().__init__(what)


def _matched(study: Study, space: Space, name: str, home: Home) -> tuple[list[Trial], str]:
    """Convert the trials of one study to this one's latents, with a note on what matched and what did not."""
    directory = find(name, home)
    other = stored_study(directory)
    unnamed = other.imported is not None and other.metric == UNNAMED
    if other.direction != study.direction or not (unnamed or other.metric == study.metric):
        theirs = f"{name!r} does {other.direction} {other.metric}"
        raise _Unlike(f"{theirs}, this study {study.direction} {study.metric}", "name studies of the same goal")
    with Ledger.open(directory.place, read_only=True) as ledger:
        trials = [trial for trial in ledger.trials() if trial.state != TrialState.FAILED]
    here, ours = _names(space), _ours(space, other)
    known = [replace(trial, config=_renamed(trial.config, ours, other)) for trial in trials]
    there = {name: theirs for theirs, name in ours.items()}
    common = [key for key in here if key in there]
    usable = [trial for trial in known if trial.config.get("optimizer", "") in space.optimizers]
    if not usable:
        raise _unusable(name, other, space, bool(known))
    if not common:
        raise _Unlike(f"{name!r} searches nothing that this study does", "name another study")
    lost = Counter(trial.config.get("optimizer", "none") for trial in known if trial not in usable)
    unlike = {
        "searched here alone": [key for key in here if key not in common],
        "searched there alone": [theirs for key, theirs in there.items() if key not in (*common, "optimizer")],
        "not the same": _differing(study, other),
        "left out": [f"{n} of {key}" for key, n in lost.items()],
        "its value is taken for": [study.metric] if unnamed and study.metric != UNNAMED else [],
    }
    matched = ", ".join(key if there[key] == key else f"{there[key]} as {key}" for key in common)
    said = f"warm start from {name!r}: {len(usable)} trials, matched by {matched}"
    notes = [f"{what}: {', '.join(keys)}" for what, keys in unlike.items() if keys]
    return [_moved(study, space, trial, other.metric) for trial in usable], "; ".join([said, *notes])


def _unusable(name: str, other: Study, space: Space, some: bool) -> _Unlike:
    """Say why no trial of a study can be used here."""
    if some and other.imported and not other.optimizers:
        hint = f"import it with --optimizer, the one it used: {', '.join(space.optimizers)}"
        return _Unlike(f"{name!r} does not say of which optimizer its trials are", hint)
    whose = "has no trial of an optimizer" if some else "has no trials"
    there = f"its optimizers are {', '.join(other.optimizers)}" if some and other.optimizers else ""
    return _Unlike(f"{name!r} {whose} that this study searches", there or "name another study")


def _differing(study: Study, other: Study) -> list[str]:
    """Describe why the values of two studies cannot be compared, whatever their configs."""
    sides = [
        {"data": one.data.source, "split": one.data.split, "model": one.model, "budget": str(one.budget)}
        | ({"objective": one.custom.words} if one.custom else {})
        for one in (study, other)
    ]
    return [] if other.imported else [key for key in sides[0] if sides[0][key] != sides[1].get(key)]


def _ours(space: Space, other: Study) -> dict[str, str]:
    """Map the names that another study searched to the names here.

    A word of another tool that means something else here gets the name that an objective of one's own would give it.
    """
    if not other.imported:
        return {name: name for name in _names(space_of(other))}
    kept = {*_names(space), *([] if "" in space.optimizers else ["optimizer"])}
    columns = list(other.imported.columns)
    named = {name: name if name in kept else parameter_name(name) for name in columns}
    # a column that has the other's name already goes first
    return {name: new for name, new in named.items() if new == name or new not in columns}


def _names(space: Space) -> list[str]:
    """Return the natural names of what a study searches."""
    own = [p for domains in space.optimizers.values() for p in domains]
    return list(dict.fromkeys(p.name for p in (*own, *space.shared) if is_searched(p.domain)))


def _renamed(config: Mapping[str, Any], ours: Mapping[str, str], other: Study) -> dict[str, Any]:
    """Rename a config's keys to this study's names, without those that have none here."""
    return {ours.get(name, name): value for name, value in config.items() if name in ours or not other.imported}


def _moved(study: Study, space: Space, trial: Trial, metric: str) -> Trial:
    """Convert a trial as if this study had run it: its latents here, and its goal `metric` as a single curve."""
    goal = np.asarray(trial.curves[metric]).mean(axis=0) if trial.curves else np.empty(0)
    latents = space.completed(space.latents_of(_known(space, trial.config)))
    return replace(
        trial,
        generation=BEFORE,
        latents=latents,
        curves={study.metric: goal[None]},
        epochs=len(goal),
        metrics={},
        rung=0,
    )


def _known(space: Space, config: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what this space knows of a config; a choice that it does not offer gets its default."""
    bad = {key for key, _, _ in space.problems_of(config)}
    own = {p.name: p for p in (*space.optimizers[config.get("optimizer", "")], *space.shared)}
    numbers = {
        key for key in bad if isinstance(config[key], float | int) and key in own and is_searched(own[key].domain)
    }
    return {key: value for key, value in config.items() if key not in bad or key in numbers}


def warm_start_text(trials: Iterable[Trial]) -> str:
    """Write a warm start as the text that the ledger keeps."""
    return json.dumps(
        [
            [t.config, t.latents, t.state, t.stable, {name: curve.tolist() for name, curve in t.curves.items()}]
            for t in trials
        ],
        separators=(",", ":"),
    )


def warm_start_trials(text: str) -> list[Trial]:
    """Read the trials from the ledger's text of a warm start."""
    rows = json.loads(text) if text else []
    found = []
    for i, (config, latents, state, stable, curves) in enumerate(rows):
        arrays = {name: np.array(curve, dtype=np.float64) for name, curve in curves.items()}
        epochs = next(iter(arrays.values())).shape[-1]
        found.append(
            Trial(
                i - len(rows), BEFORE, state, config, latents, 0, epochs, 0, None, None, stable, {}, arrays, 0.0
            )
        )  # fmt: skip
    return found
