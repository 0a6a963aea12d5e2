"""The core as the trainable of a study: a model on data, or a surface, descended in packs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np

from objectives.data import Prepared, move_prepared, place_in, save_prepared
from objectives.models import Layers
from objectives.problem import constant_loss
from objectives.types import Array
from tuner.best import Best
from tuner.engines import Engine, Failure, open_engine
from tuner.errors import TunerError
from tuner.model.refit import Refit
from tuner.model.trained import TrainedModel
from tuner.ranking.retrainings import search_seeds
from tuner.records import ConfirmationRun, Trial
from tuner.store.directory import StudyDirectory
from tuner.study import Study
from tuner.trainables.builtin import packs
from tuner.trainables.builtin.packs import ReplicateSource, cut, problem_of, run_pack
from tuner.trainables.builtin.prepared_study import PreparedStudy
from tuner.trainables.builtin.retrain import batches, confirm
from tuner.trainables.builtin.shipped_model import shipped
from tuner.trainables.builtin.trainer import BuiltinTrainer
from tuner.trainables.builtin.workload import default_jobs
from tuner.trainables.protocols import Commit, Member

__all__ = ["BuiltinTrainable", "data_sizes"]


@dataclass(frozen=True)
class BuiltinTrainable:
    """A study with its data."""

    question: PreparedStudy

    @property
    def study(self) -> Study:
        """Return the study, with batch sizes that the train rows allow."""
        return self.question.study

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was inferred from the data, and what was left out."""
        return self.question.notes

    @property
    def has_weights(self) -> bool:
        """Return True: every trial can be trained again for its weights."""
        return True

    def facts(self) -> dict[str, str]:
        """Return digests of the data and of their targets alone, the task, and sizes."""
        first = self.question.first
        found = {"data": first.digest, "targets": targets_digest(first), "task": first.task}
        found |= {"weight": self.study.data.weight} if self.study.data.weight else {}
        found |= {"target_transform": first.transform} if first.transform else {}
        return found | data_sizes(first)

    def changes(self, known: Mapping[str, str]) -> list[str]:
        """List the differences between the stored data digest and the current one."""
        now = self.question.first.digest
        return [] if known["data"] == now else [f"the data: was {known['data'][:12]}, now {now[:12]}"]

    def warnings(self, known: Mapping[str, str]) -> list[str]:
        """Return no warnings: whatever differs is a change."""
        del known
        return []

    def advice(self, study: Study, trials: Sequence[Trial]) -> list[str]:
        """Return nothing: its trials go on where they stood."""
        del study, trials
        return []

    def jobs(self, study: Study, trials: int) -> int:
        """Return the number of processors, or one where workers would not pay for their start."""
        return default_jobs(study, self.question.first, trials)

    def engine(self, study: Study, jobs: int, cluster: tuple[str, str] | None) -> AbstractContextManager[Engine]:
        """Open an engine in this process, in workers, or on a cluster."""
        limits = study.limits
        memory = None if limits.worker_gb is None else int(limits.worker_gb * 1e9)
        limited = limits.seconds_per_trial is not None
        return open_engine(jobs, limited=limited, memory=memory, cluster=cluster, preload=(packs.__name__,))

    def trainer(self, study: Study, directory: StudyDirectory, engine: Engine) -> BuiltinTrainer:
        """Build the trainer: each trial on the study's splits, with a seed for each of its replicates on each."""
        numbers, copies, sources = search_seeds(study), study.train.replicates, []
        for i in range(0, len(numbers), copies):
            first = self.source(study, numbers[i], directory, engine)
            sources += [replace(first, replicate=number) for number in numbers[i : i + copies]]
        return BuiltinTrainer(tuple(sources), study.budget, copies, study.window)

    def retrain(  # noqa: PLR0913
        self,
        study: Study,
        wanted: Sequence[Trial],
        numbers: Sequence[int],
        known: Sequence[ConfirmationRun],
        directory: StudyDirectory,
        engine: Engine,
        commit: Commit,
        tell: Callable[[Trial, int, str], None],
    ) -> None:
        """Train on fresh seeds and splits, whose data go afterwards.

        Large data are mapped by whoever trains on them: all workers are on one split then, the next is made after.
        """
        for some in batches(numbers, 1 if self.question.first.large else max(1, len(numbers))):
            sources = [self.source(study, number, directory, engine) for number in some]
            confirm(study, wanted, sources, known, engine, commit, tell)
            first = place_in(directory.cache, self.question.first.digest)
            for place in {source.directory for source in sources} - {first}:
                shutil.rmtree(place, ignore_errors=True)

    def weights(self, study: Study, best: Best, directory: StudyDirectory, engine: Engine) -> dict[str, Array]:
        """Train the best trial again and return its weights at its best epoch: `W1 (D, H)`, `b1 (H,)`, `W2`, ...

        A surface has the point `x (P,)`. The run is the trial's own, bit for bit, since a trial depends on its config
        and seed alone; of several replicates, the first. Raises TunerError where it fails this time.
        """
        source = self.source(study, 0, directory, engine)
        (pack,) = cut([Member(best.trial, dict(best.params) | {"epochs": best["horizon"]})], (source,), best.epochs)
        outcome = engine.submit(run_pack, pack, seconds=study.limits.seconds_per_trial).result()
        if isinstance(outcome, Failure):
            what = f"the best trial, {best.trial}, could not be trained again for its weights: {outcome}"
            raise TunerError(f"{what}; all trials are kept: mend that, or allow more in [limits], then run this again")
        problem = problem_of(pack.sources, pack.configs[0])
        if problem.surface:
            return {"x": outcome.state.weights[0, 0]}
        arrays: dict[str, Array] = {}
        for i, layer in enumerate(Layers(outcome.state.weights[0, 0], problem.shapes).views, start=1):
            arrays[f"W{i}"], arrays[f"b{i}"] = layer[:-1], layer[-1]
        return arrays

    def refit(
        self, study: Study, best: Best, directory: StudyDirectory, engine: Engine, refit: Refit
    ) -> TrainedModel | None:
        """Return the best config's model on all rows but the test rows; None of a surface, which has none."""
        if self.question.first.surface:
            return None

        def source(number: int) -> ReplicateSource:
            return self.source(study, number, directory, engine)

        return shipped(self.question, study, best, directory, engine, refit, source)

    def source(self, study: Study, replicate: int, directory: StudyDirectory, engine: Engine) -> ReplicateSource:
        """Write the data of a replicate into the study's cache once, for everyone to memory-map."""
        data = self.question.replicate(replicate)
        place = place_in(directory.cache, data.digest)
        if self.question.room:
            move_prepared(place_in(self.question.room, data.digest), place)
        save_prepared(data, place)
        engine.share(place)
        return ReplicateSource(place, study.seed, replicate, study.followed)


def targets_digest(data: Prepared) -> str:
    """Compute a digest that is equal where train, validation and test rows have the same targets, whatever the
    inputs.
    """
    digest = hashlib.sha256(json.dumps([data.task, data.classes, data.surface]).encode())
    weights = [part.weights for part in (data.train, data.valid, data.test) if part.weights is not None]
    digest.update(data.transform.encode())
    for array in (data.train.y, data.valid.y, data.test.y, data.y_mean, data.y_scale, *weights):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def data_sizes(data: Prepared) -> dict[str, str]:
    """Return what a model's size follows from, and what findings need: rows, and the loss without training."""
    rows, inputs = data.train.x.shape
    counts = {"rows": rows, "inputs": inputs - 1, "outputs": data.train.y.shape[1]}
    counts |= {"valid_rows": len(data.valid), "test_rows": len(data.test)}
    return {name: str(n) for name, n in counts.items()} | {"constant_loss": repr(constant_loss(data, data.valid))}
