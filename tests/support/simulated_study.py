"""Studies whose truth is known: drawn from a model of their noise, or from a table of real trainings.

What a confirmation says of them goes through the tuner's own `standings`, from made-up trials and retrainings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.data import load_table, prepare
from objectives.models import model_of
from objectives.problem import Problem, Replicate
from objectives.training.descent import descend
from tests.support.trials import trial
from tuner.ranking.retrainings import rank_seeds, report_seeds
from tuner.ranking.standings import standings
from tuner.ranking.statistics import Interval
from tuner.records import Confirmed, Trial
from tuner.space import space_of
from tuner.study import Study, read_study
from tuner.trainables.builtin.packs import shape_key

Array = np.ndarray[Any, Any]
NAMES = ("valid_loss", "test_loss")
FACTS = {"rows": "1000000000", "valid_rows": "1"}  # splits of endless rows share none: scores are independent


def asking(seeds: int, top: int = 5) -> Study:
    """A study that confirms so many on so many seeds."""
    tables = {"study": {"name": "s"}, "data": {"source": "sklearn:iris"}, "optimizers": {"momentum": {}}}
    return read_study(tables | {"confirm": {"seeds": seeds, "top": top}})


@dataclass(frozen=True)
class Simulated:
    """A searched and confirmed study, and the true means `(valid, test)` of its confirmed trials."""

    study: Study
    trials: list[Trial]
    rows: list[Confirmed]
    truth: dict[int, tuple[float, float]]


def simulated(study: Study, searched: Array, draw: Any, truth: Array) -> Simulated:
    """A study whose search saw the values `searched (T,)`.

    `draw(k, seeds)` are the scores `(N, 2)` of config k on that many seeds, paired across configs within one call of
    each; `truth (T, 2)` are their means.
    """
    leaders = [int(k) for k in np.argsort(searched, kind="stable")[: study.confirm.top]]
    trials = [trial(k, value=float(searched[k])) for k in leaders]
    rows = []
    for numbers, scores in ((r, draw(leaders, len(r))) for r in (rank_seeds(study), report_seeds(study))):
        for i, k in enumerate(leaders):
            for number, both in zip(numbers, scores[i], strict=True):
                metrics = dict(zip(NAMES, map(float, both), strict=True))
                rows.append(Confirmed(k, number, 4, metrics, 0.0, "complete"))
    return Simulated(study, trials, rows, {k: (float(truth[k, 0]), float(truth[k, 1])) for k in leaders})


def modelled(study: Study, rng: np.random.Generator, spread: float, correlation: float, trials: int = 64) -> Simulated:
    """Configs whose true losses are normal with deviation `spread`, each trained with noise of deviation 1.

    A half of the noise is the seed's, the same for all configs; `correlation` is that of a training's noise on the
    validation rows with its noise on the test rows.
    """
    means = 100 + spread * rng.standard_normal(trials)

    def noise(shape: tuple[int, ...]) -> Array:
        valid = rng.standard_normal(shape)
        test = correlation * valid + np.sqrt(1 - correlation**2) * rng.standard_normal(shape)
        return np.stack([valid, test], axis=-1)

    def draw(leaders: Sequence[int], seeds: int) -> Array:
        own, shared = noise((len(leaders), seeds)), noise((1, seeds))
        return np.asarray(means[leaders, None, None] + np.sqrt(0.5) * (own + shared))

    return simulated(study, means + rng.standard_normal(trials), draw, np.stack([means, means], axis=1))


@dataclass(frozen=True)
class Covered:
    """Shares of studies in which an interval of the chosen config covers its true mean.

    `reported` and `reported_test` are the tuner's own, from seeds that chose nothing. `same` is what choosing and
    reporting by the same scores would give, `same_test` choosing by the validation and reporting the test scores of the
    same trainings.
    """

    reported: float
    reported_test: float
    same: float
    same_test: float


def coverage(studies: Iterable[Simulated]) -> Covered:
    """How often the intervals hold what they promise."""
    hits = []
    for one in studies:
        best = standings(one.study, one.trials, one.rows, FACTS)[0]
        if best.report is None:
            raise ValueError("a simulated study has no reporting seeds")
        valid, test = one.truth[best.trial]
        pairs = ((best.report.goal, valid), (best.report.test["test_loss"], test))
        hits.append([covers(i, t) for i, t in (*pairs, (best.goal, valid), (best.test["test_loss"], test))])
    return Covered(*np.mean(hits, axis=0).tolist())


def covers(interval: Interval, truth: float) -> bool:
    """Whether the interval holds the truth."""
    return interval.low <= truth <= interval.high


@dataclass(frozen=True)
class Trained:
    """Validation losses `(T, S, E)` of every config on every split, so that searches look results up."""

    curves: Array

    def at(self, split: int) -> tuple[Array, Array]:
        """What a search on a split sees of each config: its best value `(T,)`, and the epoch's index."""
        epochs = self.curves[:, split].argmin(axis=-1)
        return self.curves[np.arange(len(epochs)), split, epochs], epochs

    def elsewhere(self, split: int) -> Array:
        """Values `(T, S)` of each config on every split, at the epoch that a search on `split` chose."""
        _, epochs = self.at(split)
        return np.asarray(np.take_along_axis(self.curves, epochs[:, None, None], axis=-1)[..., 0])


def trained(study: Study, configs: int, splits: int, seed: int = 0) -> Trained:
    """Random configs of a study's space, each trained on every split for the full length."""
    space, rng = space_of(study), np.random.default_rng(seed)
    drawn = [space.config(point) for point in random_latents(space, rng, configs)]
    table = load_table(str(study.data.source))
    replicates = [Replicate(study.seed, r, prepare(table, seed=study.seed, replicate=r)) for r in range(splits)]
    curves = np.empty((configs, splits, study.train.epochs))
    alike: dict[Any, list[int]] = {}
    for i, config in enumerate(drawn):
        alike.setdefault(shape_key(config), []).append(i)
    for group in alike.values():
        problem = [Problem((one,), model_of(drawn[group[0]])) for one in replicates]
        for split, at in enumerate(problem):
            outcome = descend(at, [drawn[i] for i in group], study.train.epochs)
            curves[group, split] = outcome.curves["valid_loss"][0]
    return Trained(np.where(np.isfinite(curves), curves, np.inf))


def random_latents(space: Any, rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Points of a space, each latent on its own."""
    return [
        {
            latent.name: str(rng.choice(latent.choices)) if latent.kind == "categorical" else float(rng.random())
            for latent in space.latents
        }
        for _ in range(count)
    ]


def looked_up(study: Study, rng: np.random.Generator, table: Trained) -> Simulated:
    """A study whose trainings are drawn from a table, with replacement: its means are then the table's, exactly."""
    splits = table.curves.shape[1]
    split = int(rng.integers(splits))
    searched, _ = table.at(split)
    values = table.elsewhere(split)

    def draw(leaders: Sequence[int], seeds: int) -> Array:
        scores = values[np.ix_(leaders, rng.integers(splits, size=seeds))]
        return np.stack([scores, scores], axis=-1)

    means = values.mean(axis=1)
    return simulated(study, searched, draw, np.stack([means, means], axis=1))


def percentiles(table: Trained, study: Study, split: int) -> tuple[float, float]:
    """Percent of all configs that are better on unseen splits than the winner of a search on `split`: raw, confirmed.

    The leaders are confirmed on the splits that follow; unseen are all others.
    """
    splits, seeds = table.curves.shape[1], study.confirm.seeds
    searched, _ = table.at(split)
    values = table.elsewhere(split)
    fresh = [(split + 1 + i) % splits for i in range(seeds)]
    unseen = [s for s in range(splits) if s != split and s not in fresh]
    raw, *others = np.argsort(searched, kind="stable")[: study.confirm.top]
    confirmed = min([raw, *others], key=lambda k: values[k, fresh].mean())
    truth = values[:, unseen].mean(axis=1)
    return tuple(100 * float((truth < truth[k]).mean()) for k in (raw, confirmed))  # type: ignore[return-value]
