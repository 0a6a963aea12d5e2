"""Regrets of searches by problem and budget, and how they compare; what was searched is kept beside this file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tests.benchmarks.learning.played import Step, played, steps_of
from tests.benchmarks.learning.problems import EPOCHS, PROBLEMS
from tests.benchmarks.learning.rivals import PRUNING, RIVALS, rival_steps

__all__ = ["CUT", "WHOLE", "late_table", "measured", "regrets", "table"]

CACHE = Path(__file__).parent / ".cache"
VERSION = 1  # of the tuner's search: raise it where that changes
WHOLE, CUT = (16, 32, 64, 128), (16, 32, 64)  # budgets, in full trainings
SLOW = 64
FEW = 1e-6  # regrets below it are alike: nobody's training tells them apart
OURS = {
    "tuner": {},
    "tuner, 8 at once": {"parallel": 8},
    "tuner before": {"sampler": "tpe", "generation_size": 32, "random_share": 1 / 3},
}


def searched(name: str, problem: str, seed: int, cut: bool) -> list[Step]:
    """Return the steps of one search, kept for the next time."""
    ours = VERSION if name in OURS else 0
    path = CACHE / f"{name}-{problem}-{seed}-{'cut' if cut else 'whole'}-{ours}.json".replace(" ", "_")
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([astuple(step) for step in _searched(name, problem, seed, cut)]))
    return [Step(*row) for row in json.loads(path.read_text())]


def _searched(name: str, problem: str, seed: int, cut: bool) -> list[Step]:
    at = PROBLEMS[problem]
    most = CUT[-1] if cut else WHOLE[-1]
    if name not in OURS:
        rival = PRUNING[name] if cut else RIVALS[name]
        return rival_steps(rival, at, seed, EPOCHS * min(most, SLOW if rival.slow else most))
    keys = OURS[name]
    workers = int(keys.get("parallel", 1))
    trials, _ = played(at, 4 * most if cut else most, seed, cut, workers, most=EPOCHS * most, **keys)
    return steps_of(at, trials, seed, 1 if cut else EPOCHS)


def measured(names: Sequence[str], problems: Sequence[str], seeds: int, cut: bool, jobs: int) -> None:
    """Search all that is not kept yet."""
    tasks = [(name, problem, seed, cut) for name in names for problem in problems for seed in range(seeds)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(searched, *zip(*tasks, strict=True)))


def regrets(name: str, problem: str, seeds: int, cut: bool) -> list[float]:
    """Return the median regret at each budget; nan where a search was not asked for as much."""
    budgets, rows = CUT if cut else WHOLE, []
    for seed in range(seeds):
        steps = searched(name, problem, seed, cut)
        done = [next((s.best for s in reversed(steps) if s.spent <= EPOCHS * b), np.inf) for b in budgets]
        last = steps[-1].spent
        rows.append([at if EPOCHS * b <= last + EPOCHS else np.nan for at, b in zip(done, budgets, strict=True)])
    return [float(value) for value in np.median(rows, axis=0)]


def table(names: Sequence[str], problems: Sequence[str], seeds: int, cut: bool, ours: Sequence[str]) -> Iterator[str]:
    """Yield rows of a table, a problem each, and how often each of `ours` is near the best of the others, or ahead."""
    budgets = CUT if cut else WHOLE
    yield f"| problem | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}"
    ratios: dict[str, list[float]] = {name: [] for name in ours}
    for problem in problems:
        found = {name: regrets(name, problem, seeds, cut) for name in names}
        yield f"| {problem} | {' | '.join(' '.join(f'{value:.1e}' for value in found[name]) for name in names)} |"
        rivals = [found[name] for name in names if name not in OURS and name not in ("random", "CMA-ES")]
        best = np.nanmin(np.array(rivals), axis=0)
        for name in ours:
            ratios[name] += (np.maximum(found[name], FEW) / np.maximum(best, FEW)).tolist()
    for name, values in ratios.items():
        shares = [float(np.mean(np.array(values) <= limit)) for limit in (0.5, 1.0, 1.5, 2.0)]
        said = ", ".join(f"{share:.0%} <= {limit:g}" for share, limit in zip(shares, (0.5, 1, 1.5, 2), strict=True))
        yield f"\n{name} over the best of the others, {len(values)} problems and budgets {budgets}: {said}"


def late_table(name: str, problems: Sequence[str], seeds: int) -> Iterator[str]:
    """Yield for each noiseless problem the median loss of the last quarter of proposals and the best random tenth."""
    yield "| problem | last quarter | best tenth at random |\n|---|---|---|"
    for problem in problems:
        if PROBLEMS[problem].noise:
            continue
        late, tenth = [], []
        for seed in range(seeds):
            steps, others = searched(name, problem, seed, False), searched("random", problem, seed, False)
            late.append(float(np.median([s.loss for s in steps[-len(steps) // 4 :]])))
            tenth.append(float(np.quantile([s.loss for s in others], 0.1)))
        yield f"| {problem} | {np.median(late):.1e} | {np.median(tenth):.1e} |"
