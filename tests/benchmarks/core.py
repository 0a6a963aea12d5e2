"""Milliseconds per trial and epoch of the descent core, beside other ways to do the same work, on one thread.

    python -m tests.benchmarks.core [--quick]

Digits, float32, an MLP with one hidden layer; and linear models, softmax on digits and logistic on breast_cancer. The
contenders:

- ours: `descend` on packs of 1 to 32 trials; loss and accuracy on the validation rows after every epoch included
- jax: `jit(vmap)` of an epoch over as many trials, the same evaluation included, compiling not
- bare: the matrix products of ours and nothing else, into buffers made beforehand
- torch: an eager loop of one trial with torch.optim, the same evaluation included
- sklearn: MLPClassifier of the same sizes, training only
- hand: a loop of one trial as one writes it in NumPy, the same evaluation included

All take turns within each repetition, so that noise hits all alike. Times are those of the processor (all threads of
the process added up, of which there is one), so that others on the machine count for little; figures are medians over
repetitions. The whole generation at the end, on two workers, is in wall time.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from tests.benchmarks.contenders import Bare, Case, Hand, run_ours, run_sklearn, run_torch, torch
from tests.benchmarks.generation import generation
from tests.benchmarks.jax_pack import Jax, jax

PACKS = (1, 8, 16, 32)
HIDDEN = (64, 256)
BATCHES = (16, 32, 64, 128, 256)
RULES = ("momentum", "adam")
LINEAR = ("digits", "breast_cancer")
Row = dict[str, float]
Contenders = dict[str, tuple[Callable[[int], object], int]]


def contenders(case: Case, packs_of_jax: Iterable[int]) -> Contenders:
    """What to time for a case, each called with epochs, and the number of trials that it does at once."""
    found: Contenders = {f"ours {pack}": (lambda n, pack=pack: run_ours(case, pack, n), pack) for pack in PACKS}
    if case.hidden:
        found |= {f"bare {pack}": (Bare(case, pack), pack) for pack in PACKS}
        found |= {"hand": (Hand(case), 1), "sklearn": (lambda n: run_sklearn(case, n), 1)}
        if torch:
            found["torch"] = (lambda n: run_torch(case.problem, case.config(), n), 1)
    for pack in packs_of_jax if jax else ():
        found[f"jax {pack}"] = (Jax(case, pack), pack)
    return found


def measure(case: Case, epochs: int, repetitions: int, packs_of_jax: Iterable[int]) -> Row:
    """Median milliseconds per trial and epoch of every contender, and seconds of compiling."""
    found = contenders(case, packs_of_jax)
    times: dict[str, list[float]] = {name: [] for name in found}
    for run, _ in found.values():
        run(1)  # the first call of anything pays for its imports and buffers
    for _, (name, (run, trials)) in product(range(repetitions), found.items()):
        start = time.process_time()
        run(epochs)
        times[name].append((time.process_time() - start) / trials / epochs * 1e3)
    row = {name: statistics.median(values) for name, values in times.items()}
    compiling = [run.compiling for run, _ in found.values() if jax and isinstance(run, Jax)]
    return {**row, **({"compiling": statistics.median(compiling)} if compiling else {})}


def machine() -> Iterator[str]:
    """Lines on what the figures were measured with."""
    blas = next(pool for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"])
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next((s.split(":")[1].strip() for s in info.read_text().splitlines() if s.startswith("model name")), cpu)
    yield f"CPU {cpu}, {os.cpu_count()} cores, one thread used"
    yield f"Python {platform.python_version()}, numpy {np.__version__}, {blas['internal_api']} {blas['version']}"
    yield f"torch {torch.__version__ if torch else 'not installed: pip install torch==2.13.0'}, " + (
        f"jax {jax.__version__}" if jax else "jax not installed: pip install jax"
    )


def ratio(row: Row, other: str, pack: int) -> float:
    """How many times as long as ours in packs of that width the other takes; nan where it was not measured."""
    return row.get(other, float("nan")) / row[f"ours {pack}"]


def cell(value: float, digits: int, width: int = 6) -> str:
    """A figure, or a dash for what was not measured."""
    return f"{'-':>{width}}" if value != value else f"{value:{width}.{digits}f}"


def table(rows: Iterable[tuple[Case, Row]]) -> Iterator[str]:
    """Lines of the table, each as soon as it is there: milliseconds of ours by pack, then ratios to ours."""
    wide = "".join(f"{pack:>6}" for pack in PACKS)
    yield f"{'':19}{'ours, ms, in packs of':>24} |{'bare / ours':>18} |{'jax / ours':>18} | others / ours"
    names = f"{'torch':>6}{'sklearn':>8} at 16 {'hand':>5} at 1"
    yield f"{'  H  rule     batch':19}{wide} |{wide[6:]} |{wide[6:]} |{names} | adam / momentum at 16"
    momentum: dict[Case, Row] = {}
    for case, row in rows:
        momentum[case] = row
        line = f"{case.hidden:>3}  {case.rule:9}{case.batch:>4} " + "".join(cell(row[f"ours {k}"], 2) for k in PACKS)
        for name in ("bare", "jax"):
            line += " |" + "".join(cell(ratio(row, f"{name} {pack}", pack), 2) for pack in PACKS[1:])
        line += f" |{cell(ratio(row, 'torch', 16), 1)}{cell(ratio(row, 'sklearn', 16), 1, 8)}"
        line += f"{cell(ratio(row, 'hand', 1), 2, 12)}     "
        other = momentum.get(Case(case.hidden, "momentum", case.batch, case.data))
        yield line + (f" |{cell(row['ours 16'] / other['ours 16'], 2)}" if other and case.rule == "adam" else " |")


def least(rows: dict[Case, Row]) -> Iterator[str]:
    """Lines with the worst of the ratios that matter."""

    def worst(name: str, other: str, packs: Iterable[int], holds: Callable[[Case], bool]) -> Iterator[str]:
        known = [ratio(row, other.format(k), k) for case, row in rows.items() if holds(case) for k in packs]
        known = [value for value in known if value == value]
        if known:
            yield f"  {name:44}{min(known):6.2f} (median {statistics.median(known):.2f})"

    yield "Smallest ratios, in packs of 8 and more where nothing else is said"
    wide = PACKS[1:]
    yield from worst("torch / ours, hidden 64, batch 16", "torch", wide, lambda c: (c.hidden, c.batch) == (64, 16))
    for hidden, rule in product(HIDDEN, RULES):
        name = f"bare / ours, hidden {hidden}, {rule}, batch >= 32"
        yield from worst(
            name,
            "bare {}",
            wide,
            lambda c, hidden=hidden, rule=rule: (c.hidden, c.rule) == (hidden, rule) and c.batch >= 32,
        )
    yield from worst("jax / ours, networks", "jax {}", wide, lambda c: c.hidden > 0)
    yield from worst("jax / ours, softmax regression", "jax {}", wide, lambda c: not c.hidden and c.data == "digits")
    yield from worst("jax / ours, logistic regression", "jax {}", wide, lambda c: c.data == "breast_cancer")
    yield from worst("hand / ours, a pack of one", "hand", (1,), lambda c: True)
    compiled = [row["compiling"] for row in rows.values() if "compiling" in row]
    if compiled:
        yield f"  jax compiles for {statistics.median(compiled):.1f} s, once for each shape of a pack"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the descent core beside other ways to do the same work.")
    parser.add_argument("--quick", action="store_true", help="fewer batch sizes and repetitions: about four minutes")
    quick = parser.parse_args().quick
    batches = (16, 128) if quick else BATCHES
    epochs, repetitions = (4, 3) if quick else (4, 7)
    cases = [Case(hidden, rule, batch) for hidden, rule, batch in product(HIDDEN, RULES, batches)]
    cases += [Case(0, rule, batch, data) for data, rule, batch in product(LINEAR, RULES, (16, 64))]
    if torch:
        torch.set_num_threads(1)
    with threadpool_limits(1):
        print("\n".join(machine()), flush=True)
        print(f"milliseconds per trial and epoch, medians of {repetitions} runs of {epochs} epochs\n")
        start, rows = time.perf_counter(), {}

        def measured() -> Iterator[tuple[Case, Row]]:
            for case in cases:
                packs_of_jax = PACKS[1:] if case.batch in (16, 64) and not quick else (16,)
                rows[case] = measure(case, epochs, repetitions, packs_of_jax)
                yield case, rows[case]

        for line in table(measured()):
            print(line, flush=True)
        print("\n" + "\n".join(least(rows)), flush=True)
    print("\n".join(["", *generation(3 if quick else 5)]))
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
