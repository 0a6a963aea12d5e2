"""What to try next, and who goes on: proposals of a generation, rungs, and the cut at a rung.

Everything here is a pure function. What generation g proposes depends on the study's seed, on g and on the committed
trials of generations up to g - LAG - 1 alone, in trial order: generation g can then be proposed while g - 1 trains,
and a run that was cut short proposes the same again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from objectives.streams import Stream, stream
from tuner.goal import goal_at
from tuner.optuna_bridge import Observation, tpe
from tuner.space import Space
from tuner.spec import Study, values_of
from tuner.trial import Trial

__all__ = ["LAG", "SAMPLERS", "propose", "rungs", "survivors"]

Latents = dict[str, float | str]
LAG = 1
ENOUGH = 8  # trials at a rung before it is modelled
MODELLED, BEST_MODELLED = 300, 50  # observations that a model is given at most, and how many of them are the best


def rungs(study: Study) -> tuple[int, ...]:
    """Epochs at which a generation is compared, the last of which is the full length.

    The full length divided by the reduction again and again, down to about 2 epochs. With a schedule that moves, down
    to about a fifth of the length: before that, the order of the trials says little about the order at the end. Within
    a warmup it says nothing.
    """
    full, reduction = study.train.epochs, study.search.reduction
    if study.search.pruner == "none":
        return (full,)
    warm = math.floor(full * max(values_of(study.train.warmup))) + 1
    first = max(2, warm, 2 if study.train.schedule == "constant" else math.ceil(full / 5))
    steps = [full]
    while round(steps[0] / reduction) >= first:
        steps.insert(0, round(steps[0] / reduction))
    return tuple(steps)


def survivors(values: Sequence[float], stable: Sequence[bool], reduction: int) -> list[int]:
    """Indices of those that go on from a rung: the best of every `reduction`, stable ones first, none that diverged."""
    keep = math.ceil(len(values) / reduction)
    alive = [i for i, value in enumerate(values) if math.isfinite(value)]
    return sorted(sorted(alive, key=lambda i: (not stable[i], values[i], i))[:keep])


def propose(
    study: Study, space: Space, generation: int, first: int, count: int, history: Sequence[Trial]
) -> list[Latents]:
    """Latents of the `count` trials of a generation; `first` is the number of its first trial."""
    seen = [trial for trial in history if trial.generation < generation - LAG]
    return SAMPLERS[study.search.sampler](study, space, generation, first, count, seen)


def _random(
    study: Study, space: Space, generation: int, first: int, count: int, seen: Sequence[Trial]
) -> list[Latents]:
    del first, seen
    rng = stream(study.seed, Stream.RANDOM, generation)
    return [at(space, rng.random(len(space.latents)).tolist()) for _ in range(count)]


def _tpe(study: Study, space: Space, generation: int, first: int, count: int, seen: Sequence[Trial]) -> list[Latents]:
    """The optimizers' defaults, then an even spread until a rung can be modelled, then the model and a random share."""
    observations = observed(study, seen)
    if not observations:
        start = space.defaults()
        return [start[i] if i < len(start) else even(study.seed, space, i) for i in range(first, first + count)]
    seed = int(stream(study.seed, Stream.MODEL, generation).integers(2**32))
    lucky = stream(study.seed, Stream.SHARE, generation).random(count) < study.search.random_share
    drawn = iter(_random(study, space, generation, first, int(lucky.sum()), seen))
    modelled = iter(tpe(space.latents, observations, count - int(lucky.sum()), seed))
    return [next(drawn) if chance else next(modelled) for chance in lucky]


SAMPLERS: dict[str, Callable[[Study, Space, int, int, int, Sequence[Trial]], list[Latents]]] = {
    "random": _random,
    "tpe": _tpe,
}


def observed(study: Study, seen: Sequence[Trial]) -> list[Observation]:
    """What a model learns from: values at the highest rung that enough trials have reached; nothing before that.

    Trials that were pruned below it are left out: mixed in, they draw the model to fast starters and it stalls.
    Diverged trials are in at every rung, as inf, and unstable ones too: the model must learn where not to go.
    """
    for rung, epochs in reversed(list(enumerate(rungs(study)))):
        # what stopped early went through rungs of more epochs than it trained
        reached = [t for t in seen if t.state == "diverged" or t.epochs >= epochs or t.rung >= rung]
        if sum(trial.state != "diverged" for trial in reached) >= ENOUGH:
            seen_there = [(t, _value_at(study, t, epochs)) for t in reached if t.state != "failed"]
            return [Observation(dict(t.latents), value) for t, value in worth_modelling(seen_there)]
    return []


def worth_modelling(seen: Sequence[tuple[Trial, float]]) -> list[tuple[Trial, float]]:
    """The best and the latest of what was seen, in trial order: a model's time grows with what it is given.

    Measured, asking one trial: 3 ms with 8 observations, 12 with 700, 57 with 3,000, 258 with 10,000.
    """
    if len(seen) <= MODELLED:
        return list(seen)
    best = sorted(range(len(seen)), key=lambda i: (seen[i][1], i))[:BEST_MODELLED]
    late = [i for i in range(len(seen) - 1, -1, -1) if i not in set(best)][: MODELLED - BEST_MODELLED]
    return [seen[i] for i in sorted([*best, *late])]


def _value_at(study: Study, trial: Trial, epochs: int) -> float:
    if trial.state == "diverged" or not trial.stable:
        return math.inf
    return goal_at(trial.curves[study.metric], study.direction, epochs)[0]


def even(seed: int, space: Space, i: int) -> Latents:
    """Point i of an even spread over the latents, the optimizers in turn.

    An additive recurrence, `frac(shift + i / phi_d^k)` in dimension k = 1..d, with `phi_d` the root of
    `x^(d + 1) = x + 1`: as even as Sobol points in few dimensions, and point i needs no other. Source: Roberts 2018,
    "The unreasonable effectiveness of quasirandom sequences".
    """
    turns, d = max(1, len(space.optimizers)), len(space.latents) - (len(space.optimizers) > 1)
    phi = 2.0
    for _ in range(64):
        phi = (1 + phi) ** (1 / (d + 1))
    shift = stream(seed, Stream.SPREAD).random((turns, d))[i % turns]
    u = ((shift + (i // turns + 1) * phi ** -np.arange(1.0, d + 1)) % 1).tolist()
    return at(space, [(i % turns + 0.5) / turns, *u] if turns > 1 else u)


def at(space: Space, u: Sequence[float]) -> Latents:
    """Latents at a point of the unit cube; categorical choices have equal parts of their side."""
    return {
        latent.name: latent.choices[int(x * len(latent.choices))] if latent.kind == "categorical" else float(x)
        for latent, x in zip(space.latents, u, strict=True)
    }
