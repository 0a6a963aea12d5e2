"""`SAMPLERS`: ways to choose what to try next, by the name that a study file gives them. To add one, add a row.

A sampler is a pure function of an `Ask`: what it proposes depends on the study's seed, on the generation, and on what
earlier generations showed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from objectives.rng import Stream, stream
from tuner.algorithms.cmaes import cma
from tuner.algorithms.improvement import gaussian
from tuner.algorithms.points import even, grid, halton, random, sobol
from tuner.optuna_bridge.sampler_models import Observation, gp, tpe
from tuner.records import GridBlock, Latent, Latents

__all__ = ["LARGEST_GRID", "SAMPLERS", "Ask", "SamplerProblem", "Sampler"]

LARGEST_GRID = 10**6
MOST_COORDINATES = 20  # of a Gaussian process
SamplerProblem = tuple[str, str]  # what is wrong, and what to do
ModelSampler = Callable[[Sequence[Latent], Sequence[Observation], int, int, Sequence[Latents]], list[Latents]]


@dataclass(frozen=True)
class Ask:
    """What a sampler is asked for: `count` points, the first of which is the study's number `first`.

    `start` are points to try before all others; `observations` are what a model may learn from, in trial order;
    `pending` are points that are not finished yet, where a model is to know of them;
    `populations` are what evolution is told of, each from its best trial to its worst; `blocks` make up the grid.
    """

    seed: int
    generation: int
    first: int
    count: int
    latents: tuple[Latent, ...]
    start: tuple[Latents, ...] = ()
    observations: tuple[Observation, ...] = ()
    pending: tuple[Latents, ...] = ()
    populations: tuple[tuple[Latents, ...], ...] = ()
    random_share: float = 0.0
    blocks: tuple[GridBlock, ...] = ()

    @property
    def model_seed(self) -> int:
        """Return the seed of the generation's model."""
        return int(stream(self.seed, Stream.MODEL, self.generation).integers(2**32))


@dataclass(frozen=True)
class Sampler:
    """A row: how it proposes, what it learns from ("observations" at a rung, "estimates" of what each trial would have
    come to at the end, "populations", or ""), the packages that it needs,
    what it cannot do, and whether it goes through a list of points, each once.
    """

    name: str
    summary: str
    propose: Callable[[Ask], list[Latents]]
    learns: str = "observations"
    packages: tuple[str, ...] = ()
    problem: Callable[[Ask, int], SamplerProblem | None] = lambda ask, trials: None
    exhaustive: bool = False

    def missing(self) -> SamplerProblem | None:
        """Return what has to be installed first, or None."""
        absent = [name for name in self.packages if find_spec(name) is None]
        if not absent:
            return None
        hint = f"pip install {' '.join(absent)} (or the extra: pip install 'tuner[{self.name}]')"
        return f"{self.name} needs {' and '.join(absent)}, not installed", hint


def modelled(model: ModelSampler) -> Callable[[Ask], list[Latents]]:
    """Build a sampler: given start points, then a quasi-random spread until the model has data, then model and
    random share.
    """

    def propose(ask: Ask) -> list[Latents]:
        if not ask.observations:
            numbers = range(ask.first, ask.first + ask.count)
            return [ask.start[i] if i < len(ask.start) else even(ask.latents, ask.seed, i) for i in numbers]
        lucky = stream(ask.seed, Stream.SHARE, ask.generation).random(ask.count) < ask.random_share
        drawn = random(ask.latents, ask.seed, ask.generation, int(lucky.sum()))
        asked = iter(model(ask.latents, ask.observations, ask.count - len(drawn), ask.model_seed, ask.pending))
        lots = iter(drawn)
        return [next(lots) if chance else next(asked) for chance in lucky]

    return propose


def _cma(ask: Ask) -> list[Latents]:
    return cma([latent.name for latent in ask.latents], ask.populations, ask.count, ask.model_seed)


def _numbers_only(ask: Ask, trials: int) -> SamplerProblem | None:
    del trials
    choices = [latent.name for latent in ask.latents if latent.kind == "categorical"]
    if choices:
        what = f"cmaes moves along numbers, but {', '.join(choices)} {'is' if len(choices) == 1 else 'are'} chosen"
        return f"{what} from names without an order", 'fix what is chosen, or use sampler = "tpe"'
    if len(ask.latents) < 2:
        return f"cmaes needs two parameters or more, but {len(ask.latents)} is searched", 'use sampler = "tpe"'
    return None


def _finite_grid(ask: Ask, trials: int) -> SamplerProblem | None:
    size = sum(block.size for block in ask.blocks)
    if size > LARGEST_GRID:
        hint = 'give fewer values, or fewer points to a range with search.grid_points, or use sampler = "qmc"'
        return f"the grid has {_count(size)} points, and at most {_count(LARGEST_GRID)} can be searched", hint
    if size < trials:
        return f"the grid has {_count(size)} points, fewer than the {_count(trials)} trials", f"ask for {size} trials"
    return None


def _count(n: int) -> str:
    return f"{n:,}" if n < 10**9 else f"{n:.3g}"


def by_rule(
    latents: Sequence[Latent], history: Sequence[Observation], count: int, seed: int, pending: Sequence[Latents] = ()
) -> list[Latents]:
    """Return proposals of a Gaussian process, or of TPE where there are more coordinates than that can learn."""
    return (gaussian if len(latents) <= MOST_COORDINATES else tpe)(latents, history, count, seed, pending)


_ROWS = (
    Sampler("auto", "a Gaussian process, TPE beyond 20 parameters", modelled(by_rule), "estimates"),
    Sampler("tpe", "a model of good and bad configs (Parzen estimators), Optuna's", modelled(tpe)),
    Sampler("gp", "a Gaussian process, Optuna's; few trials, slow", modelled(gp), packages=("torch", "scipy")),
    Sampler("cmaes", "evolution of a normal distribution of numbers", _cma, "populations", ("cmaes",), _numbers_only),
    Sampler("random", "points at random", lambda a: random(a.latents, a.seed, a.generation, a.count), ""),
    Sampler("qmc", "scrambled Sobol points", lambda a: sobol(a.latents, a.seed, a.first, a.count), ""),
    Sampler("halton", "scrambled Halton points", lambda a: halton(a.latents, a.seed, a.first, a.count), ""),
    Sampler(
        "grid", "every combination, in a drawn order", lambda a: grid(a.blocks, a.seed, a.first, a.count), "",
        problem=_finite_grid, exhaustive=True,
    ),
)  # fmt: skip
SAMPLERS: dict[str, Sampler] = {row.name: row for row in _ROWS}
