"""What a confirmation is worth, and whether its intervals hold what they promise; on one thread.

    python -m tests.benchmarks.confirm [--quick]

- coverage: 500 studies whose truth is known; how often the interval of the chosen config covers its true mean. Their
  noise is normal, or that of real trainings: random configs of a study trained on 40 splits, from which searches and
  confirmations are drawn
- percentile: 20 searches of that table, each on a split of its own; where the winner stands among all configs on splits
  that neither the search nor the confirmation saw
- lucky winner: studies of digits with a bad config whose search value was planted as the best; 20 seeds
- cost: the confirmation of the top 5 on 10 seeds of digits
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tuner
from tests.support.lucky_winner import GAPS, demoted
from tests.support.simulated_study import Covered, Trained, asking, coverage, looked_up, modelled, percentiles, trained
from tuner.store.machine import machine_facts
from tuner.study import read_study

STUDIES = Path(__file__).parents[2] / "studies"
DATA = ("digits", "breast_cancer")
SPLITS, SEARCHES = 40, 20


def coverage_table(tables: dict[str, Trained], studies: int) -> list[str]:
    """One line for each kind of study: how often each interval covers."""
    lines = [
        f"coverage of 95 % intervals of the chosen config, {studies} studies each, %",
        f"{'noise':<44} seeds  reported  its test   same scores  test, same trainings",
    ]
    for seeds in (5, 10):
        asked = asking(seeds)
        for spread in (0.0, 1.0, 3.0):
            for correlation in (0.0, 0.8) if spread == 1.0 else (0.8,):
                rng = np.random.default_rng([seeds, int(10 * spread), int(10 * correlation)])
                found = coverage(modelled(asked, rng, spread, correlation) for _ in range(studies))
                name = f"normal, configs {spread:g} as far apart, test rho {correlation:g}"
                lines.append(covered_line(name, seeds, found))
        for name, table in tables.items():
            rng = np.random.default_rng(seeds)
            found = coverage(looked_up(asked, rng, table) for _ in range(studies))
            lines.append(covered_line(f"of trainings: {name}", seeds, found, test=False))
    return lines


def covered_line(name: str, seeds: int, found: Covered, test: bool = True) -> str:
    """A line of the table of coverage."""
    shown = [f"{100 * x:8.1f}" for x in (found.reported, found.reported_test, found.same, found.same_test)]
    if not test:
        shown[1] = shown[3] = f"{'':8}"
    return f"{name:<44} {seeds:5}  {shown[0]}  {shown[1]}      {shown[2]}              {shown[3]}".rstrip()


def percentile_table(tables: dict[str, Trained]) -> list[str]:
    """Where the winner stands on unseen splits: raw, and confirmed on 5 and on 10 seeds."""
    lines = [
        f"percent of {next(iter(tables.values())).curves.shape[0]} configs that beat the winner on unseen splits, "
        f"median (mean) of {SEARCHES} searches",
        f"{'':16} {'raw':>12} {'5 x 5':>12} {'5 x 10':>12} {'10 x 10':>12}",
    ]
    for name, table in tables.items():
        columns = []
        for top, seeds in ((5, 5), (5, 10), (10, 10)):
            both = np.array([percentiles(table, asking(seeds, top), split) for split in range(SEARCHES)])
            columns += [both[:, 1]] if columns else [both[:, 0], both[:, 1]]
        cells = [f"{np.median(c):.1f} ({c.mean():.1f})" for c in columns]
        lines.append(f"{name:<16} " + " ".join(f"{cell:>12}" for cell in cells))
    return lines


def lucky_lines(seeds: int) -> list[str]:
    """How often a planted winner is demoted, for each of its distances."""
    lines = [f"a lucky winner among better configs, digits, demoted in how many of {seeds} seeds"]
    for gap in GAPS:
        with tempfile.TemporaryDirectory() as home:
            found = [demoted(Path(home), seed, gap) for seed in range(seeds)]
        lines.append(f"  learning rate {gap:g} times too small: {sum(found)} of {seeds}")
    return lines


def cost_lines() -> list[str]:
    """Seconds of a confirmation."""
    with tempfile.TemporaryDirectory() as home:
        tuner.run(STUDIES / "digits.toml", jobs=1, home=home, confirm=False)
        lines = ["digits, one process: wall seconds, and processor seconds in brackets"]
        for top, seeds in ((5, 5), (5, 10), (10, 20)):
            wall, cpu = time.perf_counter(), time.process_time()
            result = tuner.confirm("digits", top=top, seeds=seeds, jobs=1, home=home)
            spent = time.perf_counter() - wall, time.process_time() - cpu
            retrained: Any = result.cost.retrained if result.cost else 0
            lines.append(f"  top {top} on {seeds} seeds: {retrained} trainings, {spent[0]:.2f} s ({spent[1]:.2f})")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a confirmation is worth.")
    parser.add_argument("--quick", action="store_true", help="fewer configs, studies and seeds: about a minute")
    quick = parser.parse_args().quick
    with threadpool_limits(1):
        facts = machine_facts()
        print(", ".join(f"{name} {facts[name]}" for name in ("processor", "python", "numpy", "blas")), flush=True)
        print("\n" + "\n".join(cost_lines()), flush=True)
        print("\n" + "\n".join(lucky_lines(5 if quick else 20)), flush=True)
        configs, studies = (24, 100) if quick else (64, 500)
        tables = {name: trained(read_study(STUDIES / f"{name}.toml"), configs, SPLITS) for name in DATA}
        print("\n" + "\n".join(percentile_table(tables)), flush=True)
        print("\n" + "\n".join(coverage_table(tables, studies)), flush=True)


if __name__ == "__main__":
    main()
