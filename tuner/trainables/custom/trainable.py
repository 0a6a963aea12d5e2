"""An objective of somebody's own as the trainable of a study: introduced by a worker, then trained by workers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.best import Best
from tuner.engines import Engine, Failure, PoolEngine, processors
from tuner.enums import ObjectiveForm
from tuner.errors import StudyError, TunerError
from tuner.model.refit import Refit
from tuner.parameter_names import OWN_NAMES
from tuner.ranking.retrainings import search_seeds
from tuner.records import ConfirmationRun, Trial
from tuner.search import lag_of, mean_cost, repeated
from tuner.store.directory import StudyDirectory
from tuner.store.ledger import Ledger
from tuner.study import MOST_SPLITS, CustomObjective, Study
from tuner.study.custom import busy_at_once, unused_parameters
from tuner.trainables.custom import program_lines
from tuner.trainables.custom.call_forms import FORMS
from tuner.trainables.custom.objective_ref import ObjectiveRef
from tuner.trainables.custom.program_setup import ObjectiveCommand
from tuner.trainables.custom.refit import refitted
from tuner.trainables.custom.restarts import restart_advice
from tuner.trainables.custom.retrained import confirmed_of
from tuner.trainables.custom.run_handle import CONFIRM, REFIT, SEARCH
from tuner.trainables.custom.tasks import CustomTask, load_objective, run_custom
from tuner.trainables.custom.trainer import CustomTrainer
from tuner.trainables.optuna_script.study_beside import Beside
from tuner.trainables.protocols import Commit

__all__ = ["CustomTrainable", "seed_of", "unused_notes"]

FIRST_REFIT = 3500  # number of the first seed that trains on all rows: neither search nor confirmation has it
SEEDS = 4001  # above all replicates of a study, so that no two studies share one by chance


@dataclass(frozen=True)
class CustomTrainable:
    """A study of somebody's own objective, whose form and source are known."""

    study: Study
    custom: CustomObjective
    what: ObjectiveRef | ObjectiveCommand
    form: ObjectiveForm
    source: str

    @property
    def notes(self) -> tuple[str, ...]:
        """Describe how it is cut at rungs, and what that and a confirmation cost."""
        return (*self._cut_notes(), *unused_notes(self.study), *self._confirm_notes(), *self._idle_notes())

    def _idle_notes(self) -> list[str]:
        """Say what this machine could train beside the trials that may be open at once."""
        most, many = self.study.search.parallel, processors() // self.study.workers.threads
        if not most or self.study.workers.devices or many <= most * self.study.splits:
            return []
        wide = many * busy_at_once(self.custom.timed, self.study.search)
        return [
            f"{most} trials are open at once, and this machine has room for {many}: "
            f"[search] parallel = {wide} keeps it busy, where each knows less of the others"
        ]

    def _cut_notes(self) -> list[str]:
        named = self.custom.words if self.custom.command else f"{self.custom.words} is {FORMS[self.form]}"
        if not self.custom.timed:
            return [
                f"{self.custom.words}: [train] says no epochs, so every trial runs to its end and nothing is pruned"
            ]
        if self.continues:
            return []
        again = repeated(self.study)
        return [f"{named}: {again:.0%} of its epochs are trained again"] if again else []

    def _confirm_notes(self) -> list[str]:
        confirm = self.study.confirm
        if not confirm.enabled:
            return []
        count = (confirm.top + 1) * confirm.seeds
        return [
            f"[confirm] asks for {count} trainings more: {confirm.top} configs, then the best, on {confirm.seeds} seeds"
        ]

    @property
    def cost(self) -> str:
        """Return the cost of its search in trainings or epochs, including those that are trained again."""
        trials, copies = self.study.trials, self.study.train.replicates
        seeds = f" on {copies} seeds each" if copies > 1 else ""
        if not self.custom.timed:
            return f"{trials} trials{seeds}, each to its end"
        unit, once = self.study.budget.unit, trials * copies * mean_cost(self.study) * self.study.budget.amount
        again = 0.0 if self.continues else repeated(self.study)
        said = f", of which about {once * again / (1 - again):,.0f} ({again:.0%}) are trained again" if again else ""
        return f"{trials} trials{seeds}: about {once / (1 - again):,.0f} {unit}{said}"

    @property
    def continues(self) -> bool:
        """Return True if a trial continues at a rung where it stopped."""
        return self.form == ObjectiveForm.RUN and self.custom.batched == 1

    @property
    def has_weights(self) -> bool:
        """Return False: a custom objective keeps its own model."""
        return False

    def facts(self) -> dict[str, str]:
        """Return what is called, and the digest of its source."""
        return {"data": self.custom.words, "task": "own", "form": str(self.form), "source": self.source}

    def changes(self, known: Mapping[str, str]) -> list[str]:
        """Report that it is called in another form: its trials were cut at rungs in another way."""
        return [f"the objective: was {FORMS[ObjectiveForm(known['form'])]}"] if known["form"] != self.form else []

    def warnings(self, known: Mapping[str, str]) -> list[str]:
        """Report that the source has changed."""
        if known["source"] == self.source:
            return []
        what = f"the source of {self.custom.words} has changed since the study began"
        return [f"warning: {what}: trials before and after may not compare; --fresh begins anew (fresh=True)"]

    def advice(self, study: Study, trials: Sequence[Trial]) -> list[str]:
        """Return that cutting saves nothing, where trials start over and that was measured."""
        return restart_advice(study, trials) if self.custom.timed and not self.continues else []

    def jobs(self, study: Study, trials: int) -> int:
        """Return a worker for each device, or for as many threads as a worker has; no more than can be busy at once."""
        del trials
        many = len(study.workers.devices) or max(1, processors() // study.workers.threads)
        return min(many, study.search.parallel * study.splits) if study.search.parallel else many

    @contextmanager
    def engine(self, study: Study, jobs: int, cluster: tuple[str, str] | None) -> Iterator[Engine]:
        """Open an engine whose workers can be ended one by one. Raises StudyError for a cluster."""
        if cluster is not None:
            what = "does not run an objective of your own: its code would have to be there"
            raise StudyError(Complaint("cluster", what, "run it on this machine"))
        gigabytes, workers = study.limits.worker_gb, study.workers
        engine = PoolEngine(
            jobs,
            devices=workers.devices,
            threads=workers.threads,
            memory=None if gigabytes is None else int(gigabytes * 1e9),
            preload=[(load_objective, (self.what,))],
            reuse=workers.reuse,
            waits_in=program_lines.__file__,
        )
        try:
            yield engine
        finally:
            engine.close()

    def trainer(self, study: Study, directory: StudyDirectory, engine: Engine | None = None) -> CustomTrainer:
        """Build the trainer: each trial with a seed for each of the study's replicates."""
        del engine
        return CustomTrainer(
            self.what, self.form, self.source, study.budget, study.metric, study.direction,
            tuple(seed_of(study, number) for number in search_seeds(study)),
            (*OWN_NAMES, *self.custom.parameters), directory.output, self.custom.batched, SEARCH, splits_of(study),
            study.train.replicates, Beside(study.direction, directory.place), lag_of(study),
            directory.kept,
            max(self.custom.keep, study.confirm.top if self.custom.keep and study.confirm.enabled else 0),
        )  # fmt: skip

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
        """Train each config on each seed up to its best epoch, from the start. One that fails falls behind alone."""
        have = {(row.trial, row.replicate) for row in known}
        folder = directory.cache / "confirm"
        sent: dict[Future[Any], tuple[Trial, int]] = {}
        for number in numbers:
            for trial in wanted:
                if (trial.number, number) not in have:
                    task = self._retraining(study, trial, number, directory, folder)
                    sent[engine.submit(run_custom, task, seconds=study.limits.seconds_per_trial)] = (trial, number)
        for future in as_completed(sent):
            outcome, (trial, number) = future.result(), sent[future]
            if isinstance(outcome, Failure) and outcome.fatal:
                raise TunerError(f"{outcome.message}; run this again to go on")
            if isinstance(outcome, Failure):
                tell(trial, number, str(outcome))
            commit([confirmed_of(study, trial, number, outcome)])
        shutil.rmtree(folder, ignore_errors=True)

    def _retraining(
        self, study: Study, trial: Trial, number: int, directory: StudyDirectory, folder: Path, phase: str = CONFIRM
    ) -> CustomTask:
        """Build the task that trains a trial's config on another seed, for as long as the search chose."""
        trainer = replace(self.trainer(study, directory), seeds=(seed_of(study, number),), phase=phase)
        stop = (
            0 if self.form == ObjectiveForm.TRIAL else trial.epoch or trial.epochs
        )  # what it returns comes at its end
        return CustomTask(
            self.what, self.form, (trial.number,), (trial.config,), trainer.seeds, 0,
            stop if self.custom.timed or self.form == ObjectiveForm.STEPS else 0, study.budget.unit, study.metric,
            phase,
            trainer.taken, folder, trainer.output, self.custom.batched > 1, self.source, (),
            (MOST_SPLITS + number,) if study.splits > 1 and phase == CONFIRM else (), beside=trainer.beside,
        )  # fmt: skip

    def weights(self, study: Study, best: Best, directory: StudyDirectory, engine: Engine) -> None:
        """Return None: its weights are in the checkpoint, if it has one."""
        del study, best, directory, engine

    def refit(self, study: Study, best: Best, directory: StudyDirectory, engine: Engine, refit: Refit) -> None:
        """Train the best config with all rows on some seeds; return None: its model is a file of its own.

        Raises StudyError for a function that has no directory to leave a model in, TunerError where training fails.
        """
        if self.form != ObjectiveForm.RUN and not self.custom.command:
            what = f"{self.custom.words} has no folder to leave a model in"
            raise StudyError(Complaint(f"study {study.name!r}", what, "write train(config, run): see run.directory"))
        (trial,) = [one for one in self._trials(directory) if one.number == best.trial]
        asked = trial if best.epochs is None else replace(trial, epoch=best.epochs)
        folder = directory.cache / "refit"
        numbers = range(FIRST_REFIT, FIRST_REFIT + refit.seeds)
        tasks = [self._retraining(study, asked, number, directory, folder, REFIT) for number in numbers]
        refitted(study.name, tasks, best, directory.model, engine, study.refit.keep)

    def _trials(self, directory: StudyDirectory) -> list[Trial]:
        with Ledger.open(directory.place, read_only=True) as ledger:
            return ledger.trials()


def unused_notes(study: Study) -> list[str]:
    """Name the parameters that a command never uses."""
    unused = unused_parameters(study.custom, study.conditions, study.run) if study.custom else []
    if not unused:
        return []
    way = f"add --{unused[0]}={{{unused[0]}}}, unless it reads them from config.json in its directory"
    return [f"the command never uses {', '.join(unused)}, which the study searches: {way}"]


def seed_of(study: Study, replicate: int) -> int:
    """Return the seed of a replicate as an objective receives it: 0 for the first of a study with seed 0."""
    return (study.seed * SEEDS + replicate) % 2**31


def splits_of(study: Study) -> tuple[int, ...]:
    """Return the number of the split of each seed of a search, from 0; none where a study has one split.

    Those of a confirmation are numbered from MOST_SPLITS + 1: they are fresh.
    """
    if study.splits == 1:
        return ()
    return tuple(split for split in range(study.splits) for _ in range(study.train.replicates))
