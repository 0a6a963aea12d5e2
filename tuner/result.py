"""A study's result, derived from its ledger: frames, the best config, and the files that keep them for others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from objectives.errors import InvalidInput
from tuner.best import Best
from tuner.drafts import written_whole
from tuner.enums import TrialState
from tuner.errors import NoResult, UnknownTrial
from tuner.model.bundle import facts_in, load_model
from tuner.model.refit import key_of
from tuner.model.trained import TrainedModel
from tuner.ranking.best_trial import best_of
from tuner.ranking.confirmation_table import confirmation_table, tested_names
from tuner.ranking.frames import curves_table, trials_table
from tuner.ranking.goal import ranked
from tuner.ranking.noise import Noise, noise_of
from tuner.ranking.standings import ConfirmedTrial, standings
from tuner.ranking.table import hyper_kinds, metric_names, ranking
from tuner.records import Notify, Spent, Trial
from tuner.store.backend import write_private
from tuner.store.collector import collector_paused
from tuner.store.directory import Home, StudyDirectory, find, home_of
from tuner.store.ledger import Ledger
from tuner.store.notes import StudyNotes, read_notes
from tuner.store.stored import stored_study
from tuner.study import Study, suggest

if TYPE_CHECKING:
    import pandas as pd

    from tuner.report.findings import Finding

__all__ = ["Cost", "Result", "open_study"]


@dataclass(frozen=True)
class Cost:
    """Seconds that a run took: preparing the data, the search, the confirmation, the refit, and all of it.

    `trials` were run and `retrained` trainings confirmed now, not before. The tuner's own share is `search.overhead`,
    or `search.overhead / trials` a trial. `stopped` says why the search ended before its trials were used up.
    """

    trials: int
    retrained: int
    preparation: float
    search: Spent
    confirmation: float
    wall: float
    stopped: str = ""
    refit: float = 0.0


class Result:
    """The results of a study: tables, the best config, charts and findings.

    The ledger is read once; open the study again to see later trials.

    ```python
    result = tuner.open("digits")
    result.ranking().head()
    result.best(optimizer="adam")["lr"]
    ```
    """

    def __init__(self, directory: StudyDirectory) -> None:
        self.directory = directory
        self.cost: Cost | None = None
        study = stored_study(directory)
        with collector_paused(), Ledger.open(directory.place, read_only=True) as ledger:
            self.facts = ledger.facts
            self.study: Study = replace(study, rows=int(self.facts.get("rows", 0)))
            self.all_trials: list[Trial] = ledger.trials()
            self.confirmed = ledger.confirmations()
            self.generations = ledger.generations()

    def __repr__(self) -> str:
        leader = f", {self.best()!r}" if any(trial.state == TrialState.COMPLETE for trial in self.all_trials) else ""
        return f"Result({self.study.name!r}, {len(self.all_trials)} trials in {self.directory.path}{leader})"

    def _repr_html_(self) -> str:
        """Show what a run ends with, for a notebook: what won, how sure that is, the first trials, what to do next."""
        from tuner.report.cells import result_html

        return result_html(self, self.path)

    @property
    def model(self) -> TrainedModel:
        """Return the model that the study ships. Raises FileNotFoundError where it is not refitted yet."""
        return load_model(self.path)

    @property
    def model_facts(self) -> dict[str, Any]:
        """Return what the shipped model says of itself; {} where there is none that follows from the best config."""
        try:
            facts = facts_in(self.directory.model)
            return facts if facts.get("key") == key_of(self.best()) else {}
        except (InvalidInput, NoResult):
            return {}

    @property
    def notes(self) -> StudyNotes:
        """Return what the user noted of the study: `text` and `tags`."""
        return read_notes(self.directory)

    @property
    def files(self) -> list[Path]:
        """Return the files of the study that exist: ranking, best config, its weights, model, report."""
        directory = self.directory
        places = (directory.ranking, directory.best, directory.weights, directory.model, directory.report)
        return [place for place in places if place.exists()]

    @property
    def path(self) -> Path:
        """Return the directory of the study."""
        return self.directory.path

    def ranking(self, complete: bool = False) -> pd.DataFrame:
        """Return the table of trials, best first; the page Results of the manual lists the columns.

        `complete=True` leaves out trials that do not rank.
        """
        names = self.metrics
        trials = [trial for trial in self.all_trials if not complete or trial.state == TrialState.COMPLETE]
        with collector_paused():
            standings = self.standings if self.is_confirmed else []
            return ranking(self.study, trials, names, hyper_kinds(self.study), self.noise, standings)

    def confirmation(self) -> pd.DataFrame:
        """Return the table of confirmed trials, best first."""
        names = tested_names(self.study, self.facts["task"], self.standings)
        return confirmation_table(self.standings, names)

    def curves(self) -> pd.DataFrame:
        """Return all learning curves as a tidy table: a row for each trial, metric, replicate and epoch."""
        names = [name for name in self.metrics if name != "gap"]
        return curves_table(self.study, self.all_trials, names)

    def trials(self) -> pd.DataFrame:
        """Return the ranking in trial order, with the sampler's coordinates and errors beside it."""
        return trials_table(self.study, self.all_trials, self.ranking())

    @cached_property
    def metrics(self) -> list[str]:
        """Return the names of the trials' metrics."""
        return metric_names(self.study, self.facts["task"], self.all_trials)

    @cached_property
    def standings(self) -> list[ConfirmedTrial]:
        """Return the confirmed trials, best first."""
        return standings(self.study, self.all_trials, self.confirmed, self.facts)

    def findings(self) -> list[Finding]:
        """Return what to do next, most urgent first: sentences with their numbers and a command.

        ```python
        for finding in result.findings():
            print(finding.sentence, finding.command, finding.worth)
        ```
        """
        from tuner.report.cells import FoundList
        from tuner.report.findings import findings

        return FoundList(findings(self))

    def chart(self, name: str) -> Any:
        """Return a chart of the report ("curves", "sensitivity", ...) as an Altair chart with its data.

        Raises InvalidInput for an unknown name, and if there is nothing to draw.
        """
        from tuner.report.charts import chart
        from tuner.report.report_data import ReportData

        return chart(ReportData(self), name)

    def report(
        self,
        path: str | Path | None = None,
        created: str = "",
        watch: Notify | None = None,
        write: Callable[[Path, bytes], None] = written_whole,
    ) -> Path:
        """Write the report, one HTML file, to `path` or into the study's directory, and return its path.

        The same ledger gives the same bytes. `created` is a time to show; `watch` is called with each stage; `write`
        writes the bytes to `path`.
        """
        from tuner.report.page import page

        if path is None:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # of a study in a database there may be none here
        text = page(self, created, watch or (lambda stage: None))
        if path is None:
            write_private(self.directory.report, text)
            return self.directory.report
        write(Path(path), text.encode())
        return Path(path)

    def figures(
        self,
        directory: str | Path,
        form: str = "svg",
        only: Sequence[str] = (),
        write: Callable[[Path, bytes], None] = written_whole,
    ) -> list[Path]:
        """Write every chart of the report, or `only` some, as "svg", "png" or "pdf", and return the files.

        `write` writes the bytes of one file. Raises InvalidInput for an unknown chart.
        """
        from tuner.report.pictures import write_figures
        from tuner.report.report_data import ReportData

        return write_figures(ReportData(self), Path(directory), form, only, write)

    @cached_property
    def noise(self) -> Noise | None:
        """Return the measured noise of values; None before a confirmation."""
        return noise_of(self.study, self.confirmed)

    @property
    def is_confirmed(self) -> bool:
        """Return True if the confirmation is complete: the best of the leaders was trained on its reporting seeds."""
        return bool(self.standings) and self.standings[0].report is not None

    def trial(self, number: int) -> Trial:
        """Return one trial by its number. Raises UnknownTrial."""
        for trial in self.all_trials:
            if trial.number == number:
                return trial
        there = f"trials 0 to {len(self.all_trials) - 1}" if self.all_trials else "none yet"
        raise UnknownTrial(f"study {self.study.name!r} has no trial {number}; it has {there}")

    def best(self, rank: int = 1, optimizer: str | None = None) -> Best:
        """Return the best config: the confirmed best, or the best of the search if nothing was confirmed.

        `rank=2` returns the next one; `optimizer` looks among its trials only. Raises NoResult.
        """
        confirmed = self.standings if self.is_confirmed else []
        order = [self.trial(standing.trial) for standing in confirmed]
        seen = {standing.trial for standing in confirmed}
        order += [t for t in ranked(self.all_trials, self.study.direction) if t.number not in seen]
        if optimizer is not None:
            if optimizer not in self.study.optimizers:
                hint = suggest(optimizer, self.study.optimizers)
                raise NoResult(f"study {self.study.name!r} does not have optimizer {optimizer!r}; {hint}")
            order = [trial for trial in order if trial.config.get("optimizer") == optimizer]
        if not 1 <= rank <= len(order):
            if self.all_trials and all(trial.state == TrialState.DIVERGED for trial in self.all_trials):
                raise NoResult(f"all {len(self.all_trials)} trials of study {self.study.name!r} diverged")
            whose = f" of {optimizer}" if optimizer else ""
            what = f"study {self.study.name!r} has {len(order)} complete trials{whose}, so there is no rank {rank}"
            if self.study.imported:
                raise NoResult(what)
            command = f"tuner run {quote(self.study.name)} -n {max(64, 2 * len(self.all_trials))}"
            raise NoResult(f"{what}; run it with more: {command}", command)
        return self._best(order[rank - 1])

    def _best(self, trial: Trial) -> Best:
        confirmed = self.standings if self.is_confirmed else []
        standing = next((s for s in confirmed if s.trial == trial.number), None)
        place = self.directory.kept / f"trial-{trial.number}"
        kept = f"{place.parent.name}/{place.name}" if place.is_dir() else ""
        return best_of(self.study, trial, self.facts, self.confirmed, standing, kept)


def open_study(name: str | Path, home: Home = None, *, storage: str | None = None) -> Result:
    """Open the results of a study by its name or directory, or by its name in a `storage`.

    Raises UnknownStudy with the nearest names.

    ```python
    tuner.open("digits").best()
    ```
    """
    return Result(find(name, home_of(home, storage)))
