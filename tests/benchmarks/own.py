"""What training code of one's own costs beside its training, and how busy it keeps its workers.

    python -m tests.benchmarks.own [overhead] [naps] [simulated] [--trials 1000]

Overhead: an objective that does nothing, two workers, beside plain Optuna in two processes on an SQLite file, both
drawing at random; milliseconds a trial are those of the whole search, waiting for the workers included.
Utilisation: an objective that sleeps, 0.4 to 2 s for a whole trial as its config says, eight workers: what trials took
over what eight workers had; and the same simulated, with the orchestrator's own code and time, for more workers by
generation size and lag. A network against Optuna: `python -m tests.benchmarks.own_cnn`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import tuner
from tests.benchmarks.simulated import Simulation, simulating
from tuner.orchestrator.loop import Search
from tuner.result import Cost
from tuner.space import space_of
from tuner.store.ledger import Ledger
from tuner.study import read_study
from tuner.trainables.custom.objective_ref import ObjectiveRef
from tuner.trainables.custom.tasks import CustomOutcome, CustomTask
from tuner.trainables.custom.trainer import CustomTrainer

WORKERS, NAPS, EPOCHS = 8, 256, 9
MANY, GENERATIONS, SIMULATED = (8, 64), (16, 32, 64, 128, 256), 1024
ROOT = Path(__file__).parents[2]
OPTUNA = """
import sys, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name="own", storage=sys.argv[1], sampler=optuna.samplers.RandomSampler())
study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=int(sys.argv[2]))
"""


def nothing(config: Mapping[str, Any]) -> float:
    """Trains nothing."""
    return float(config["x"])


def nap(config: Mapping[str, Any]) -> float:
    """Sleeps as long as its config says, in seconds."""
    time.sleep(config["length"])
    return float(config["x"])


def naps(config: Mapping[str, Any], run: Any) -> None:
    """Sleeps an equal part of that in each epoch, and goes on where it stood."""
    for epoch in range(run.start + 1, run.stop + 1):
        time.sleep(config["length"] / EPOCHS)
        run.report(epoch, loss=float(config["x"]) + 1 / epoch)


def searched(study: Mapping[str, Any], objective: Any, jobs: int) -> tuple[Cost, str]:
    """What a study's run cost, and its table."""
    with tempfile.TemporaryDirectory() as home:
        result = tuner.run(study, objective=objective, jobs=jobs, home=home, confirm=False)
        assert result.cost is not None
        return result.cost, result.directory.ranking.read_text(encoding="utf-8")


def study(trials: int, more: Mapping[str, Any], **search: Any) -> dict[str, Any]:
    """A study of `x` in [0, 1], and of how long a trial sleeps where it does."""
    space = {"x": {"low": 0.0, "high": 1.0}, "length": {"low": 0.4, "high": 2.0}}
    return {
        "study": {"name": "own", "trials": trials, "minimize": "loss"},
        "parameters": space,
        "search": search,
        **more,
    }


def optuna_seconds(trials: int) -> float:
    """Seconds that two processes of Optuna take, without their start."""
    import optuna

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/optuna.db"
        optuna.create_study(study_name="own", storage=url)
        walls = []
        for count in (1, trials // 2):  # starting Python and importing Optuna is not a trial's
            started = time.perf_counter()
            lines = [[sys.executable, "-c", OPTUNA, url, str(count)] for _ in range(2)]
            for process in [subprocess.Popen(line, stdout=subprocess.DEVNULL) for line in lines]:
                process.wait()
            walls.append(time.perf_counter() - started)
        return walls[1] - walls[0]


def overhead(trials: int) -> None:
    """Milliseconds a trial of an objective that does nothing."""
    print(f"an objective that does nothing, {trials:,} trials, 2 workers: milliseconds a trial")
    for sampler, together in (("random", {"generation_size": 32}), ("tpe", {"generation_size": 32}), ("auto", {})):
        cost, _ = searched(study(trials, {}, sampler=sampler, **together), nothing, 2)
        spent, own = cost.search, 1000 * cost.search.overhead / trials
        print(
            f"  tuner, {sampler:6}  {1000 * spent.wall / trials:6.2f}, of which the tuner's own {own:.2f}", flush=True
        )
    print(f"  Optuna, random {1000 * optuna_seconds(trials) / trials:6.2f}\n")


def utilisation() -> None:
    """How busy eight workers are, and whether the table is that of sixteen."""
    print(f"an objective that sleeps, {NAPS} trials, {WORKERS} workers: share of their time that is training")
    for name, objective, more in (("to its end", nap, {}), ("at rungs", naps, {"train": {"epochs": EPOCHS}})):
        for lag in (1, 3):
            asked = study(NAPS, more, lag=lag, sampler="tpe")
            cost, table = searched(asked, objective, WORKERS)
            same = table == searched(asked, objective, 2 * WORKERS)[1]
            busy = cost.search.training / (WORKERS * cost.search.wall)
            print(
                f"  {name:10}  lag {lag}: {busy:.0%}; the table with {2 * WORKERS} workers is the same: {same}",
                flush=True,
            )
    print()


def simulations() -> None:
    """How busy more workers are, by generation size and lag."""
    print(f"the same, simulated, {SIMULATED:,} trials: share of the workers' time that is training")
    print("            lag  generation_size" + "".join(f"{workers:>6} workers" for workers in MANY))
    for name, more in (("to its end", {}), ("at rungs", {"train": {"epochs": EPOCHS}})):
        for lag in (1, 3):
            for size in GENERATIONS:
                asked = study(SIMULATED, more, lag=lag, generation_size=size, sampler="random")
                cells = "".join(f"{simulated(asked, workers):>14.0%}" for workers in MANY)
                print(f"  {name:10}  {lag:3}  {size:15}{cells}", flush=True)


def simulated(asked: Mapping[str, Any], workers: int) -> float:
    """The share of so many workers' time that is training, in a study of sleeping trials."""
    named = {**asked, "study": {**asked["study"], "objective": f"{__name__}:naps"}}
    known = read_study(named)
    form = "run" if known.custom and known.custom.timed else "value"
    engine = Simulation(workers, slept, ordered=True)
    with tempfile.TemporaryDirectory() as folder, Ledger.create(Path(folder) / "ledger.db", {}) as ledger:
        what = ObjectiveRef(f"{__name__}:naps")
        trainer = CustomTrainer(
            what, form, "", known.budget, known.metric, known.direction, (0,), (), Path(folder) / "failures"
        )
        with simulating(engine):
            Search(known, space_of(known), trainer, ledger, engine, Path(folder) / "flight").run()
    return engine.busy / (workers * engine.now)


def slept(task: CustomTask) -> tuple[float, CustomOutcome]:
    """What a task of `nap` or `naps` takes, and comes to."""
    (config,), start, stop = task.configs, task.start, task.stop or 1
    seconds = config["length"] * (stop - start) / (EPOCHS if task.stop else 1)
    curve = np.full((1, 1, stop), np.nan)
    curve[0, 0, start:] = config["x"] + 1 / np.arange(start + 1, stop + 1)
    return seconds, CustomOutcome({"loss": curve}, ("",), ("",), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=["overhead", "naps", "simulated"], default=[])
    parser.add_argument("--trials", type=int, default=1000)
    given = parser.parse_args()
    sections = {"overhead": lambda: overhead(given.trials), "naps": utilisation, "simulated": simulations}
    for name in given.sections or sections:
        sections[name]()


if __name__ == "__main__":
    main()
