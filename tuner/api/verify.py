"""Trials run again, and compared with the ledger bit for bit.

A trial depends on its config, the data and the seed alone, so it can be checked alone, whatever it trained beside.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from objectives.errors import Complaint
from objectives.rng import Stream, stream
from objectives.types import Array
from tuner.engines import Engine, Failure, open_engine
from tuner.enums import TrialState
from tuner.errors import NoResult, StudyError, TunerError
from tuner.orchestrator.live import LiveTrial
from tuner.records import Trial
from tuner.result import Result
from tuner.store.directory import Home, StudyDirectory, find, home_of
from tuner.store.machine import canary_hash
from tuner.study import Study, not_run
from tuner.trainables.builtin import packs
from tuner.trainables.builtin.packs import cut, run_pack
from tuner.trainables.builtin.prepared_study import prepare_study
from tuner.trainables.builtin.trainable import BuiltinTrainable
from tuner.trainables.builtin.trainer import BuiltinTrainer
from tuner.trainables.protocols import Member

__all__ = ["Verdict", "Verification", "verify"]


@dataclass(frozen=True)
class Verdict:
    """What running a trial again came to; `difference` is the first one in words, "" where there is none."""

    trial: int
    state: str
    epochs: int
    difference: str


@dataclass(frozen=True)
class Verification:
    """The verdicts, and whether this machine's arithmetic is that of the machine where the study began."""

    verdicts: tuple[Verdict, ...]
    same_machine: bool

    @property
    def ok(self) -> bool:
        """Return True if every trial is the same."""
        return not any(verdict.difference for verdict in self.verdicts)


def verify(
    name: str | Path, k: int = 5, data: Any = None, *, home: Home = None, storage: str | None = None, jobs: int = 1
) -> Verification:
    """Train `k` trials of a study again and compare their curves and values with the ledger, bit for bit.

    The trials are drawn from the study's seed, failed ones excepted. Nothing is written. `data=(X, y)` is needed if the
    study was run on data from Python. Raises UnknownStudy, StudyError for an imported study or missing data, TunerError
    for other data than the study's, NoResult if there is no trial to train.

    ```python
    tuner.verify("digits", k=2).ok
    ```
    """
    result = Result(find(name, home_of(home, storage)))
    study = result.study
    if study.imported:
        raise not_run(study.name, study.imported)
    if study.custom:
        hint = "tuner check --repeat 2 runs one config twice and compares"
        raise StudyError(Complaint(f"study {study.name!r}", "is of an objective of its own", hint))
    if study.data.source is None and data is None:
        hint = f"verify it in Python: tuner.verify({study.name!r}, data=(X, y))"
        raise StudyError(Complaint(f"study {study.name!r}", "was run on data that its file does not name", hint))
    with tempfile.TemporaryDirectory() as folder:
        core = BuiltinTrainable(prepare_study(study, data, Path(folder), begun=study))
        first = core.question.first
        if first.digest != result.facts["data"]:
            changed = f"was {result.facts['data'][:12]}, is {first.digest[:12]}"
            raise TunerError(f"the data of study {study.name!r} have changed: the digest {changed}; put them back")
        with open_engine(jobs, preload=(packs.__name__,)) as engine:
            trainer = core.trainer(study, StudyDirectory(Path(folder)), engine)
            verdicts = tuple(verify_trials(study, trainer, sample_trials(result, k), engine))
            return Verification(verdicts, engine.submit(canary_hash).result() == result.facts["canary"])


def sample_trials(result: Result, k: int) -> list[Trial]:
    """Draw `k` of the trials that can be run again from the study's seed, in trial order."""
    known = [trial for trial in result.all_trials if trial.state != TrialState.FAILED and trial.epochs]
    if not known:
        raise NoResult(f"study {result.study.name!r} has no trial to run again")
    rng = stream(result.study.seed, Stream.VERIFICATION)
    return [known[i] for i in sorted(rng.choice(len(known), min(k, len(known)), replace=False))]


def verify_trials(study: Study, trainer: BuiltinTrainer, trials: list[Trial], engine: Engine) -> Iterator[Verdict]:
    """Run each trial alone for as many epochs and splits as it had, and compare."""
    packs = [
        cut([Member(trial.number, trial.config)], trainer.sources[: len(trial.curves["valid_loss"])], trial.epochs)[0]
        for trial in trials
    ]
    futures = [engine.submit(run_pack, pack) for pack in packs]
    for trial, pack, future in zip(trials, packs, futures, strict=True):
        outcome = future.result()
        if isinstance(outcome, Failure):
            yield Verdict(trial.number, trial.state, trial.epochs, f"could not be run again: {outcome}")
            continue
        live = LiveTrial(trial.number, trial.config, trial.latents, rung=trial.rung)
        live.take(*trainer.advances(pack, outcome))
        ended = live.ended or trial.state
        live.ended = trial.state
        again = live.record(study, trial.generation, trainer)
        yield Verdict(
            trial.number, trial.state, trial.epochs, difference(trial, replace(again, state=TrialState(ended)))
        )


def difference(known: Trial, again: Trial) -> str:
    """Describe the first difference between two records of a trial; "" where they are the same, bit for bit."""
    if again.state != known.state:
        return f"it is {known.state} in the ledger, {again.state} now"
    if list(known.curves) != list(again.curves):
        return f"curves: {', '.join(known.curves)} in the ledger, {', '.join(again.curves)} now"
    for name, curve in known.curves.items():
        if said := curve_difference(name, curve, np.asarray(again.curves[name], dtype=np.float64)):
            return said
    return next(values_differing(known, again), "")


def curve_difference(name: str, known: Array, again: Array) -> str:
    """Describe where two curves `(R, E)` differ first."""
    if known.shape != again.shape:
        return f"{name} has shape {known.shape} in the ledger, {again.shape} now"
    same = (known.view(np.int64) == again.view(np.int64)) | (np.isnan(known) & np.isnan(again))
    if same.all():
        return ""
    epoch, replicate = (int(i) for i in np.argwhere(~same.T)[0])
    seed = f", replicate {replicate}" if len(known) > 1 else ""
    a, b = float(known[replicate, epoch]), float(again[replicate, epoch])
    return f"{name} at epoch {epoch + 1}{seed}: {a!r} in the ledger, {b!r} now"


def values_differing(known: Trial, again: Trial) -> Iterator[str]:
    """List values that do not follow from the curves although they should."""
    pairs: Mapping[str, tuple[Any, Any]] = {
        name: (getattr(known, name), getattr(again, name)) for name in ("value", "epoch", "epochs", "steps", "stable")
    }
    metrics = {name: (value, again.metrics.get(name)) for name, value in known.metrics.items()}
    for name, (a, b) in {**pairs, **metrics}.items():
        if a != b and not (a != a and b != b):
            yield f"{name}: {a!r} in the ledger, {b!r} now"
