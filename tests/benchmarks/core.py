"""Milliseconds per trial and epoch of the descent core, beside other ways to do the same work, on one thread.

    python -m tests.benchmarks.core [--quick]

Digits, float32, an MLP with one hidden layer. The contenders:

- ours: `descend` on packs of 1 to 32 trials; loss and accuracy on the validation rows after every epoch included
- torch: an eager loop of one trial with torch.optim over the same sizes, the same evaluation included
- sklearn: MLPClassifier of the same sizes, training only
- bare: the matrix products of ours and nothing else, into buffers made beforehand: five for each minibatch, and two
  for the validation rows after every epoch

All take turns within each repetition, so that noise hits all alike; figures are medians over repetitions.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from objectives.data import SplitSpec, load_table, prepare
from objectives.descent import descend
from objectives.models import Model
from objectives.problem import Problem, Replicate

try:
    import torch
except ImportError:
    torch = None

Array = np.ndarray[Any, Any]
PACKS = (1, 8, 16, 32)
HIDDEN = (64, 256)
BATCHES = (16, 32, 64, 128, 256)
RULES = ("momentum", "adam")


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    hidden: int
    rule: str
    batch: int

    def config(self, problem: Problem) -> dict[str, Any]:
        return {"optimizer": self.rule, "lr": 1e-3, "batch_size": self.batch, "epochs": 100}


def digits(hidden: int) -> Problem:
    """Digits in float32 and a network with one hidden layer."""
    table = load_table("sklearn:digits", base=Path())
    return Problem((Replicate(0, 0, prepare(table, SplitSpec(), 0)),), Model((hidden,)))


def run_ours(case: Case, problem: Problem, pack: int, epochs: int) -> None:
    descend(problem, [{**case.config(problem), "lr": 1e-3 * (1 + k / pack)} for k in range(pack)], epochs)


class Bare:
    """The products of forward and backward for packs: `x (1, B, D)`, weights `(K, D, H)` and `(K, H, C)`."""

    def __init__(self, problem: Problem, hidden: int, batch: int, pack: int) -> None:
        rng = np.random.default_rng(0)
        inputs, outputs, self.n = problem.inputs, problem.outputs, len(problem.data.train)
        w1, w2 = (rng.normal(size=(pack, *shape)).astype("float32") for shape in ((inputs, hidden), (hidden, outputs)))
        self.products = {
            rows: self._products(rng.normal(size=(1, rows, inputs)).astype("float32"), w1, w2)
            for rows in {batch, self.n % batch} - {0}
        }
        self.sizes = [batch] * (self.n // batch) + [self.n % batch] * bool(self.n % batch)
        valid = rng.normal(size=(1, len(problem.data.valid), inputs)).astype("float32")
        self.evaluation = self._products(valid, w1, w2)[:2]

    @staticmethod
    def _products(x: Array, w1: Array, w2: Array) -> list[tuple[Array, Array, Array]]:
        (pack, _, hidden), outputs, rows = w1.shape, w2.shape[2], x.shape[1]
        a, delta_a = (np.ones((pack, rows, hidden), "float32") for _ in range(2))
        z = np.ones((pack, rows, outputs), "float32")
        return [
            (x, w1, a),
            (a, w2, z),
            (a.swapaxes(1, 2), z, np.empty_like(w2)),
            (z, w2.swapaxes(1, 2), delta_a),
            (x.swapaxes(1, 2), delta_a, np.empty_like(w1)),
        ]

    def __call__(self, epochs: int) -> None:
        for _ in range(epochs):
            for rows in self.sizes:
                for left, right, out in self.products[rows]:
                    np.matmul(left, right, out=out)
            for left, right, out in self.evaluation:
                np.matmul(left, right, out=out)


def run_sklearn(case: Case, problem: Problem, epochs: int) -> None:
    solver = {"momentum": "sgd", "adam": "adam"}[case.rule]
    train = problem.data.train
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPClassifier(
            (case.hidden,),
            solver=solver,
            alpha=0.0,
            batch_size=case.batch,
            learning_rate_init=1e-3,
            momentum=0.9,
            nesterovs_momentum=False,
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
            random_state=0,
        ).fit(train.x[:, :-1], train.y.argmax(axis=1))


def run_torch(case: Case, problem: Problem, epochs: int) -> None:
    train, valid = ([torch.tensor(a) for a in (p.x[:, :-1], p.y.argmax(axis=1))] for p in parts(problem))
    model = torch.nn.Sequential(
        torch.nn.Linear(problem.inputs, case.hidden), torch.nn.ReLU(), torch.nn.Linear(case.hidden, problem.outputs)
    )
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = {
        "momentum": lambda: torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9),
        "adam": lambda: torch.optim.Adam(model.parameters(), lr=1e-3),
    }[case.rule]()
    for epoch in range(epochs):
        for rows in torch.tensor(problem.replicates[0].order(epoch)).split(case.batch):
            optimizer.zero_grad()
            criterion(model(train[0][rows]), train[1][rows]).backward()
            optimizer.step()
        with torch.no_grad():
            z = model(valid[0])
            criterion(z, valid[1]).item()
            (z.argmax(dim=1) == valid[1]).float().mean().item()


def parts(problem: Problem) -> tuple[Any, Any]:
    return problem.data.train, problem.data.valid


def contenders(case: Case, problem: Problem, epochs: int) -> dict[str, tuple[Callable[[], None], int]]:
    """What to time for a case, each with the number of trials and epochs it does at once."""
    found: dict[str, tuple[Callable[[], None], int]] = {}
    for pack in PACKS:
        bare = Bare(problem, case.hidden, case.batch, pack)
        found[f"ours {pack}"] = (lambda pack=pack: run_ours(case, problem, pack, epochs)), pack * epochs
        found[f"bare {pack}"] = (lambda bare=bare: bare(epochs)), pack * epochs
    found["sklearn"] = (lambda: run_sklearn(case, problem, epochs)), epochs
    if torch:
        found["torch"] = (lambda: run_torch(case, problem, epochs)), epochs
    return found


def measure(cases: list[Case], epochs: int, repetitions: int) -> dict[Case, dict[str, float]]:
    """Median milliseconds per trial and epoch of every contender."""
    problems = {hidden: digits(hidden) for hidden in HIDDEN}
    times: dict[Case, dict[str, list[float]]] = {case: {} for case in cases}
    for run, _ in contenders(cases[-1], problems[cases[-1].hidden], 1).values():
        run()  # the first call of anything pays for its imports
    for _, case in product(range(repetitions), cases):
        for name, (run, work) in contenders(case, problems[case.hidden], epochs).items():
            start = time.perf_counter()
            run()
            times[case].setdefault(name, []).append((time.perf_counter() - start) / work * 1e3)
    return {case: {name: statistics.median(values) for name, values in row.items()} for case, row in times.items()}


def machine() -> Iterator[str]:
    """Lines on what the figures were measured with."""
    blas = next(pool for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"])
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next((s.split(":")[1].strip() for s in info.read_text().splitlines() if s.startswith("model name")), cpu)
    yield f"CPU    {cpu}, {os.cpu_count()} cores, one thread used"
    yield f"Python {platform.python_version()}, numpy {np.__version__}"
    yield f"BLAS   {blas['internal_api']} {blas['version']}, {blas.get('architecture', '')}"
    yield f"torch  {torch.__version__ if torch else 'not installed: pip install torch==2.13.0'}"


def cell(value: float | None, digits: int) -> str:
    """A figure seven wide; a dash for what was not measured."""
    return f"{'-':>7}" if value is None else f"{value:7.{digits}f}"


def table(rows: dict[Case, dict[str, float]]) -> Iterator[str]:
    """Lines of the table: milliseconds of ours by pack, then of the others, then ratios by pack."""
    names = ("torch / ours", "sklearn / ours", "bare / ours")
    packs = "".join(f"{pack:>7}" for pack in PACKS)
    yield f"{'':20} {'ours, ms, pack of':>28} {'ms':>15}" + "".join(f" |{name:>28}" for name in names)
    yield f"{'hidden rule    batch':20} {packs} {'torch':>7} {'sklearn':>7}" + f" |{packs}" * 3
    last = None
    for case, row in rows.items():
        if last and (case.hidden, case.rule) != last:
            yield ""
        last = case.hidden, case.rule
        ours = "".join(cell(row[f"ours {pack}"], 2) for pack in PACKS)
        others = f"{cell(row.get('torch'), 2)} {cell(row['sklearn'], 2)}"
        yield (
            f"{case.hidden:>6} {case.rule:8}{case.batch:>5} {ours} {others} |"
            + "".join(cell(ratio(row, "torch", pack), 1) for pack in PACKS)
            + " |"
            + "".join(cell(ratio(row, "sklearn", pack), 1) for pack in PACKS)
            + " |"
            + "".join(cell(ratio(row, f"bare {pack}", pack), 2) for pack in PACKS)
        )


def ratio(row: dict[str, float], other: str, pack: int) -> float | None:
    """How many times as long as ours the other takes."""
    return row[other] / row[f"ours {pack}"] if other in row else None


def least(rows: dict[Case, dict[str, float]]) -> Iterator[str]:
    """Lines with the smallest ratios of packs of 8 and more."""

    def lowest(cases: list[Case], other: Callable[[Case, int], float]) -> float:
        return min(other(case, pack) / rows[case][f"ours {pack}"] for case in cases for pack in PACKS[1:])

    yield "Smallest ratios of packs of 8 and more:"
    if torch:
        for batches in ((16, 32), (64,), (128,), (256,)):
            cases = [case for case in rows if case.hidden == 64 and case.batch in batches]
            if cases:
                ratio = lowest(cases, lambda case, pack: rows[case]["torch"])
                yield f"  torch / ours  hidden  64, batch {' and '.join(map(str, batches)):9} {ratio:5.1f}"
    for hidden in HIDDEN:
        cases = [case for case in rows if case.hidden == hidden]
        ratio = lowest(cases, lambda case, pack: rows[case][f"bare {pack}"])
        yield f"  bare / ours   hidden {hidden:3}, every batch    {ratio:5.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the descent core beside torch, scikit-learn and bare products.")
    parser.add_argument("--quick", action="store_true", help="fewer batch sizes and repetitions: about half a minute")
    quick = parser.parse_args().quick
    batches = (16, 128) if quick else BATCHES
    epochs, repetitions = (4, 3) if quick else (6, 7)
    cases = [Case(hidden, rule, batch) for hidden, rule, batch in product(HIDDEN, RULES, batches)]
    if torch:
        torch.set_num_threads(1)
    with threadpool_limits(1):
        print("\n".join(machine()), flush=True)
        start = time.perf_counter()
        rows = measure(cases, epochs, repetitions)
        print(f"digits, milliseconds per trial and epoch, medians of {repetitions} runs of {epochs} epochs\n")
        print("\n".join(table(rows)) + "\n\n" + "\n".join(least(rows)))
        print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
