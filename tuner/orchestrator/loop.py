"""The search: propose a generation, train it rung by rung, prune, commit.

One generation more than the study's lag is in flight, so that the workers stay busy while a generation's last trials
finish. Outcomes arrive in any order; trials are pruned at synchronous rungs and committed in trial order, so that
nothing in the ledger depends on the order in which they finished.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from tuner.engines import Engine, Failure, TimedOutcome, timed
from tuner.errors import GivenUp, TunerError
from tuner.orchestrator.earlier import marks
from tuner.orchestrator.live import LiveGeneration, LiveTrial
from tuner.ranking.confirmation_race import default_points
from tuner.ranking.goal import ranked
from tuner.records import Progress, Spent, Trial
from tuner.search import bars, generation_size, ladder, lag_of, propose, rungs, uncut
from tuner.search.stopping import reason_to_give_up, reason_to_stop
from tuner.space import Space
from tuner.store.ledger import Ledger
from tuner.study import Study
from tuner.trainables.protocols import Member, Trainer, TrainingTask

__all__ = ["Search"]

MOST_KEPT = 100  # directories of the best trials that may outlive the search
TICK = 0.25  # seconds between updates of the progress while workers train
EXHAUSTED = "every config of the study has been tried"


class Search:
    """One run of a study's search, up to its number of trials. Committed generations are never run again.

    `trainer` says how a trial trains. `warm` are trials of other studies that the sampler may learn from. `stopped`
    says why a search ended before its trials were used up. Results of long tasks are cached in the folder `flight`
    until their generation is committed. `origin` returns the run's provenance, which is recorded with the first
    generation that the run commits.
    """

    def __init__(  # noqa: PLR0913
        self,
        study: Study,
        space: Space,
        trainer: Trainer,
        ledger: Ledger,
        engine: Engine,
        flight: Path,
        watch: Callable[[Progress], None] = lambda progress: None,
        warm: Sequence[Trial] = (),
        origin: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.study, self.space, self.trainer = study, space, trainer
        self.ledger, self.engine, self.flight, self.watch = ledger, engine, flight, watch
        self.warm, self.stopped, self.ended, self.origin = warm, "", "", origin
        self.defaults = default_points(study)
        self.history: list[Trial] = ledger.trials()
        self.states = Counter(str(trial.state) for trial in self.history)
        self.leaders = ranked(self.history, study.direction)[:MOST_KEPT]
        self.best = next(iter(self.leaders), None)
        self.in_flight: list[LiveGeneration] = []
        self.pending: dict[Future[Any], tuple[LiveGeneration, TrainingTask]] = {}
        self.started = time.perf_counter()
        self.waiting = self.trained = self.reported_overhead = 0.0
        self.workers: dict[str, int] = {}  # their numbers, in the order in which they first answer
        self.committed = 0

    def run(self) -> Spent:
        """Search until the study has its trials; return the time spent. Raises GivenUp where all trials fail for one
        reason.
        """
        self._go_on()
        while self.in_flight:
            self._collect()
            self._check_hope()
            while self.in_flight and not self.in_flight[0].running:
                self._commit(self.in_flight.pop(0))
                self._go_on()
                self._check_hope()
            self.watch(self._progress())
        if not self.stopped:
            self._keep()  # also what a run left that was killed right after a commit
            shutil.rmtree(self.flight, ignore_errors=True)
        self.stopped = self.stopped or self.ended
        return self._progress().spent

    def _go_on(self) -> None:
        """Propose the next generations; if it is time to stop, drop what is in flight: a later run trains it anew."""
        if len(self.history) < self.study.trials:
            self.stopped = reason_to_stop(self.study, self.history, time.perf_counter() - self.started)
        if self.stopped:
            self.in_flight.clear()
            self.pending.clear()
            self.engine.forget()
        else:
            self._propose()

    def _propose(self) -> None:
        """Propose generations as far ahead as the lag allows, and submit their first tasks."""
        while len(self.in_flight) <= lag_of(self.study) and not self.ended:
            asked = len(self.history) + sum(len(generation.trials) for generation in self.in_flight)
            number = (self.history[-1].generation + 1 if self.history else 0) + len(self.in_flight)
            count = min(generation_size(self.study, number), self.study.trials - asked)
            if count <= 0:
                return
            in_flight = [dict(trial.latents) for generation in self.in_flight for trial in generation.trials]
            latents = propose(self.study, self.space, number, asked, count, self.history, self.warm, in_flight)
            if len(latents) < count:
                self.ended = EXHAUSTED
            if not latents:
                return
            trials = [
                LiveTrial(asked + i, self.space.config(point), point, point in self.defaults)
                for i, point in enumerate(latents)
            ]
            steps = ladder(self.study, number)
            medians = bars(self.study, number, self.history)
            generation = LiveGeneration(number, trials, steps, len(rungs(self.study)) - len(steps), medians)
            generation.least = uncut(self.study, number, self.study.trials - asked - len(trials), self.history)
            self.in_flight.append(generation)
            self._send(generation)

    def _send(self, generation: LiveGeneration) -> None:
        """Submit the tasks of a generation's current rung."""
        members = [Member(trial.number, trial.config, trial.state) for trial in generation.running]
        self._submit(generation, self.trainer.tasks(members, *generation.stages))

    def _submit(self, generation: LiveGeneration, tasks: Sequence[TrainingTask]) -> None:
        """Submit tasks of a generation to the workers, each with the time that its trials have left."""
        generation.out += len(tasks)
        flight, shared = self.flight / str(generation.number), self.engine.shares_disk
        before = time.perf_counter()
        sent = {}
        for task in tasks:
            seconds = generation.left(task, self.study.limits.seconds_per_trial)
            call = self.trainer.call(task, flight, shared)
            # Older generations first: the next commit waits for the oldest one.
            sent[self.engine.submit(timed, *call, seconds=seconds, turn=generation.number)] = (generation, task)
        if all(future.done() for future in sent):  # trained inline, while we waited
            self.waiting += time.perf_counter() - before
        self.pending |= sent

    def _collect(self) -> None:
        """Process finished tasks, waiting up to `TICK` seconds for one; end the rungs that are complete."""
        before = time.perf_counter()
        done, _ = wait(self.pending, timeout=TICK, return_when=FIRST_COMPLETED)
        self.waiting += time.perf_counter() - before
        for future in done:
            generation, task = self.pending.pop(future)
            outcome = self._outcome(generation, task, future.result())
            if isinstance(outcome, Failure) and outcome.fatal:
                raise TunerError(f"{outcome.message}; run this again to go on")
            if isinstance(outcome, Failure) and len(task.trials) > 1:
                # Any of its trials may have failed the task: run each alone to find out which.
                generation.out -= 1
                self._submit(generation, task.apart())
            elif isinstance(outcome, Failure):
                generation.fail(task, str(outcome))
            else:
                advances = self.trainer.advances(task, outcome)
                self.trained += sum(advance.seconds for advance in advances)
                generation.take(task, advances)
            generation.due = not generation.out
        self._cut()

    def _cut(self) -> None:
        """End the rungs whose tasks are done, oldest generation first, and submit the next rung of the survivors.

        Where trials are proposed one by one, each is compared with all earlier ones; it waits until those have reached
        the same rung or have ended.
        """
        for i, generation in enumerate(self.in_flight):
            rung, before = generation.place, self.in_flight[:i]
            alone = self.study.search.parallel is not None and bool(generation.running)
            if not generation.due or (alone and not all(one.past(rung) for one in before)):
                continue
            generation.cut(
                self.study, self.trainer, marks(self.study, self.trainer, rung, self.history, before) if alone else {}
            )
            if generation.running:
                self._send(generation)

    def _outcome(self, generation: LiveGeneration, task: TrainingTask, came: TimedOutcome | Failure) -> Any:
        """Return a task's outcome, and record which worker ran it and when; unknown where the worker died."""
        if isinstance(came, Failure):
            return came
        worker = self.workers.setdefault(came.worker, len(self.workers))
        generation.note(worker, came.began, came.ended, task)
        return came.outcome

    def _commit(self, generation: LiveGeneration) -> None:
        """Write a finished generation to the ledger: in trial order, in one transaction."""
        records = [trial.record(self.study, generation.number, self.trainer) for trial in generation.trials]
        states = self.states + Counter(str(trial.state) for trial in records)
        best = next(iter(ranked([*records, *([self.best] if self.best else [])], self.study.direction)), None)
        summary = {"states": dict(states), "value": best.value if best else None}
        self.ledger.commit_generation(generation.number, records, self._facts(generation), summary)
        self.history += records
        self.states = states
        self.leaders = ranked([*records, *self.leaders], self.study.direction)[:MOST_KEPT]
        self.best = best
        self._keep()
        shutil.rmtree(self.flight / str(generation.number), ignore_errors=True)

    def _keep(self) -> None:
        """Keep the directories of the best trials before their generation's folder is removed."""
        self.trainer.keep(self.flight, [trial.number for trial in self.leaders])

    def _check_hope(self) -> None:
        """Raise GivenUp where the first trials have all failed for the same reason, which no config would change.

        Looks only at the committed trials and the oldest generation in flight, so that the result does not depend on
        which worker finishes first.
        """
        if self.in_flight:
            ends = [(str(trial.state), trial.error) for trial in self.history]
            ends += [(trial.ended, trial.error) for trial in self.in_flight[0].trials]
            if why := reason_to_give_up(ends, self.study.trials):
                raise GivenUp(f"study {self.study.name!r}: {why}")

    def _facts(self, generation: LiveGeneration) -> dict[str, Any]:
        """Collect when a generation ran, on how many workers, what each did, and the overhead since the last one.

        The first generation of a run also records the run's provenance.
        """
        overhead = self._progress().spent.overhead
        since, self.reported_overhead = overhead - self.reported_overhead, overhead
        times = {"began": generation.began, "ended": time.time(), "own": since}
        rounded = {name: round(value, 3) for name, value in times.items()}
        origin = {} if self.committed else {"origin": dict(self.origin())}
        self.committed += 1
        return {"workers": self.engine.width, **rounded, "ran": generation.ran, **origin}

    def _progress(self) -> Progress:
        return Progress(
            done=len(self.history),
            total=self.study.trials,
            running=sum(len(task.trials) for task in self._with_workers()),
            states=dict(self.states),
            best=self.best,
            spent=Spent(time.perf_counter() - self.started, self.waiting, self.trained),
            begun=sum(len(generation.begun) for generation in self.in_flight),
            in_flight_share=sum(generation.share(self.study) * len(generation.trials) for generation in self.in_flight),
        )

    def _with_workers(self) -> list[TrainingTask]:
        """Return as many of the oldest tasks as there are workers."""
        waiting = sorted(self.pending.values(), key=lambda one: one[0].number)
        return [task for _, task in waiting[: self.engine.width]]
