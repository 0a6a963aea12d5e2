"""Name the pieces of the search that decide what is handed over, each as what is changed to see its worth.

A change is of a study's tables, which are laid over those that a user would write, or of constants of modules, which
are others while the study runs. A row of `PIECES` adds one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import ModuleType
from typing import Any

from tests.benchmarks.handed_over.divisions import Division
from tests.benchmarks.handed_over.methods import Handed, ours

__all__ = ["AS_IT_IS", "PIECES", "Piece", "replaced", "searched_with", "site"]

AS_IT_IS = "as it is"
GOING = "tuner.orchestrator.live:defaults_going"
WINDOW = "tuner.study.study:WINDOW"
BEHIND = "tuner.search.history:behind"
ROUNDS = "tuner.ranking.retrainings:ROUNDS"
BETTER = "tuner.ranking.confirmation_race:BETTER"
SURVIVORS = "tuner.algorithms.pruners:survivors"


@dataclass(frozen=True)
class Piece:
    """Change `tables` of the study, and `constants`, each named "module:attribute" where it is looked up.

    `least` trials are what a study must have for it.
    """

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    least: int = 1


def none_going(*_: Any) -> list[int]:
    """Let no default go on by right."""
    return []


def none_behind(*_: Any) -> dict[Any, float]:
    """Tell a model of no trial that was pruned."""
    return {}


def at_least(least: int) -> Callable[..., list[int]]:
    """Let so many go on from every rung, however few were compared."""

    def going(values: Sequence[float], stable: Sequence[bool], reduction: int) -> list[int]:
        keep = max(least, math.ceil(len(values) / reduction))
        alive = [i for i, value in enumerate(values) if math.isfinite(value)]
        return sorted(sorted(alive, key=lambda i: (not stable[i], values[i], i))[:keep])

    return going


def table(name: str, **keys: Any) -> Piece:
    """Change keys of one table."""
    return Piece({name: keys})


PIECES: dict[str, Piece] = {
    AS_IT_IS: Piece(),
    "one split (hold-out)": table("data", resampling="holdout"),
    **{f"{count} splits": table("data", splits=count) for count in (4, 8, 16, 32)},
    **{f"validation part of {share:g}": table("data", split={"valid": share}) for share in (0.1, 0.15)},
    "test part of 0.1": table("data", split={"test": 0.1}),
    "reduction 2": table("search", reduction=2),
    "pruner none": table("search", pruner="none"),
    "generations of 16": table("search", generation_size=16),
    "generations of 64": Piece({"search": {"generation_size": 64}}, least=64),
    **{f"at least {n} go on": Piece(constants={SURVIVORS: at_least(n)}) for n in (3, 5)},
    "defaults cut like others": Piece(constants={GOING: none_going}),
    **{f"epoch by a window of {width}": Piece(constants={WINDOW: width}) for width in (1, 3, 9)},
    "sampler random, no defaults first": table("search", sampler="random"),
    "pruned trials not told": Piece(constants={BEHIND: none_behind}),
    "random_share 0": table("search", random_share=0.0),
    "random_share 1": table("search", random_share=1.0),
    "no confirmation": table("confirm", enabled=False),
    "one round of confirmation": Piece(constants={ROUNDS: 1}),
    "the first, however close a default is": Piece(constants={BETTER: 0.0}),
    "a default unless surely better (0.9)": Piece(constants={BETTER: 0.9}),
    "confirm top 3": table("confirm", top=3),
    "confirm top 8": table("confirm", top=8),
}


def site(name: str) -> tuple[ModuleType, str]:
    """Find the module and the attribute that "module:attribute" names. Raises AttributeError where it has none."""
    place, _, attribute = name.partition(":")
    module = import_module(place)
    if not hasattr(module, attribute):
        raise AttributeError(f"{place} has no {attribute!r} any more: change its row of PIECES")
    return module, attribute


@contextmanager
def replaced(constants: Mapping[str, Any]) -> Iterator[None]:
    """Set constants of modules for a while, then what was there before."""
    sites = [(*site(name), value) for name, value in constants.items()]
    before = [(module, attribute, getattr(module, attribute)) for module, attribute, _ in sites]
    try:
        for module, attribute, value in sites:
            setattr(module, attribute, value)
        yield
    finally:
        for module, attribute, value in before:
            setattr(module, attribute, value)


def searched_with(piece: Piece) -> Callable[[Division, int], Handed]:
    """Search as ours does, with a piece changed; what is handed over is judged without the change, on many rows."""

    def search(division: Division, trials: int) -> Handed:
        with replaced(piece.constants):
            found = ours(division, trials, piece.tables)
        return replace(found, score=lambda: division.score_on_others(found.config, found.epochs))

    return search
