"""What more workers gain: measured with two, and simulated with the same orchestrator for 8 and 64."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from objectives.training.descent import State
from tests.benchmarks.search.overhead import STUDY, digits
from tests.benchmarks.simulated import Simulation, simulating
from tuner.orchestrator.loop import Search
from tuner.space import space_of
from tuner.store.ledger import Ledger
from tuner.trainables.builtin.packs import Pack, PackOutcome, ReplicateSource
from tuner.trainables.builtin.prepared_study import prepare_study
from tuner.trainables.builtin.trainer import BuiltinTrainer

__all__ = ["parallel"]

GENERATIONS = (16, 32, 64, 128, 256)
WORKERS = (1, 2, 8, 64)
# Digits, MLP 64-64-10, one thread: seconds of a step of any pack, more for each trial in it, more for each of its rows.
# Fitted to the milliseconds of `python -m tests.benchmarks.core` in packs of 16 at batch 16, 64 and 256.
STEP, EACH, ROW = 6e-5, 3e-6, 4e-7


def parallel(given: argparse.Namespace) -> None:
    """Two workers beside one, then simulated workers by generation size."""
    trials = (given.trials or [1000])[0]
    walls = {}
    for jobs in (1, 2):
        with TemporaryDirectory() as home:
            spent = digits(trials, jobs, home).cost.search
        walls[jobs] = spent.wall
        print(f"{trials:,} trials of digits, {jobs} jobs: {spent.wall:.2f} s, training {spent.training:.2f} s")
    print(f"2 jobs over 1: {walls[1] / walls[2]:.2f}x\n")
    print("share of the workers' time that is training (simulated, 2,048 trials)")
    print("generation_size" + "".join(f"{workers:>9} workers" for workers in WORKERS))
    for size in GENERATIONS:
        cells = [simulated(size, workers) for workers in WORKERS]
        print(f"{size:15}" + "".join(f"{busy:>17.0%}" for busy in cells), flush=True)


def seconds_of(pack: Pack) -> float:
    """About what a pack takes."""
    batch = int(pack.configs[0]["batch_size"])
    return pack.epochs * -(-1079 // batch) * (STEP + (EACH + ROW * batch) * len(pack.trials))


def done(pack: Pack) -> tuple[float, PackOutcome]:
    """What a pack takes and comes to."""
    seconds = seconds_of(pack)
    return seconds, outcome_of(pack, seconds)


def outcome_of(pack: Pack, seconds: float) -> PackOutcome:
    """Curves that fall to a value drawn for each trial."""
    k = len(pack.trials)
    start = pack.state.epoch if pack.state else 0
    ends = np.array([np.random.default_rng(trial).random() for trial in pack.trials])
    curve = ends[None, :, None] + 1 / (1 + start + np.arange(pack.epochs))
    state = State(start + pack.epochs, np.zeros((1, k, 1)), np.zeros((0, 1, k, 1)), np.ones((1, k), bool))
    return PackOutcome({"valid_loss": curve, "valid_accuracy": curve}, state, seconds)


def simulated(size: int, workers: int) -> float:
    """The share of the workers' time that is training."""
    from objectives.data import save_prepared
    from tuner import read_study

    study = read_study(
        STUDY, settings={"study.trials": 2048, "search.generation_size": size, "search.sampler": "random"}
    )
    question = prepare_study(study)
    with TemporaryDirectory() as home:
        source = ReplicateSource(Path(home) / "data", 0, 0)
        save_prepared(question.first, source.directory)
        engine = Simulation(workers, done)
        with Ledger.create(Path(home) / "ledger.db", {}) as ledger, simulating(engine):
            trainer = BuiltinTrainer((source,), question.study.budget)
            search = Search(question.study, space_of(question.study), trainer, ledger, engine, Path(home) / "flight")
            search.run()
    return engine.busy / (workers * engine.now)
