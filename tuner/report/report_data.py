"""What a report is made from: the parts of a study's result that it reads, and the frames that its charts share.

A report stands below `Result`, which offers it as a method; so it says here what it needs instead of importing it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from objectives.data import load_surface
from objectives.surfaces import Surface
from tuner.best import Best
from tuner.errors import NoResult
from tuner.ranking.goal import ranked
from tuner.ranking.noise import Noise, noise_of
from tuner.ranking.standings import ConfirmedTrial
from tuner.records import ConfirmationRun, Trial
from tuner.report.importance import shares
from tuner.report.parameters import SearchedParameter, parameters_of
from tuner.store.ledger import Generation
from tuner.store.notes import StudyNotes
from tuner.study import Study
from tuner.text import visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ResultView", "ReportData", "goal_curve", "thinned"]

MOST_POINTS = 200  # of one curve: more cannot be told apart on a page
ALL_POINTS = 4000  # of all curves of a chart: many of them have fewer each
LEAST_POINTS = 40


class ResultView(Protocol):
    """What a study has found; `tuner.Result` is one."""

    study: Study
    facts: dict[str, str]
    all_trials: list[Trial]
    confirmed: list[ConfirmationRun]
    generations: list[Generation]

    @property
    def notes(self) -> StudyNotes:
        """Return what the user noted of the study."""

    @property
    def model_facts(self) -> Mapping[str, Any]:
        """Return what the shipped model says of itself; {} where there is none that is up to date."""

    @property
    def standings(self) -> list[ConfirmedTrial]:
        """Return the confirmed trials, best first."""

    def ranking(self) -> pd.DataFrame:
        """Return the table of trials, best first."""

    def confirmation(self) -> pd.DataFrame:
        """Return the table of confirmed trials, best first."""

    def best(self, rank: int = 1, optimizer: str | None = None) -> Best:
        """Return the best config. Raises NoResult."""


@dataclass(frozen=True)
class ReportData:
    """A study's result as the frames that charts and findings read; each is made once."""

    found: ResultView

    @property
    def study(self) -> Study:
        """Return the study."""
        return self.found.study

    @cached_property
    def surface(self) -> Surface | None:
        """Return the analytic surface that the study minimises; None for data."""
        about = self.study.data
        return load_surface(str(about.source), about.noise, about.condition).surface if about.surface else None

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Return the ranking with control characters in texts made visible; see `tuner.ranking.table`.

        Where a study has no optimizers, their column is "".
        """
        frame = self.found.ranking()
        frame = frame if "optimizer" in frame.columns else frame.assign(optimizer="")
        texts = [name for name in frame.columns if frame[name].dtype.name in ("category", "object", "str")]
        return frame.assign(**{name: [shown(cell) for cell in frame[name]] for name in texts})

    @property
    def goal(self) -> str:
        """Return the ranking's column of the goal, named after the metric if each metric has one."""
        return self.study.metric if self.study.metric in self.trials.columns else "value"

    @cached_property
    def confirmation(self) -> pd.DataFrame:
        """Return the confirmation table with each trial's optimizer."""
        frame = self.found.confirmation()
        own = {trial.number: str(trial.config.get("optimizer", "")) for trial in self.found.all_trials}
        return frame.assign(optimizer=[own[number] for number in frame["trial"]])

    @cached_property
    def leaders(self) -> list[Trial]:
        """Complete trials, best first."""
        return ranked(self.found.all_trials, self.study.direction)

    @cached_property
    def best(self) -> Best | None:
        """Return the best config, None before there is one."""
        try:
            return self.found.best()
        except NoResult:
            return None

    @cached_property
    def noise(self) -> Noise | None:
        """Return the measured noise of values; None before a confirmation."""
        return noise_of(self.study, self.found.confirmed)

    @property
    def unfinished(self) -> bool:
        """Return True if the study has fewer trials than it asks for: it is running, or was stopped."""
        return len(self.found.all_trials) < self.study.trials

    @cached_property
    def parameters(self) -> list[SearchedParameter]:
        """Return the searched parameters: one entry for each optimizer that has it, and the shared ones."""
        return parameters_of(self.study, self.found.all_trials)

    @cached_property
    def optimizers(self) -> list[str]:
        """Return the study's optimizers in its order, which sets their colours; none for an objective of the
        user's own.
        """
        return list(self.study.optimizers)

    @cached_property
    def importance(self) -> pd.DataFrame:
        """Return what separates good trials from the rest; see `tuner.report.importance.shares`."""
        return shares(self.study, self.found.all_trials)

    def first(self, optimizer: str) -> int | None:
        """Return the number of an optimizer's best trial, confirmed ones first; None if none is complete."""
        try:
            return self.found.best(optimizer=optimizer).trial
        except NoResult:
            return None

    def own(self, optimizer: str) -> list[Trial]:
        """Return the trials of an optimizer, in trial order."""
        return [trial for trial in self.found.all_trials if trial.config.get("optimizer", "") == optimizer]

    @cached_property
    def searched(self) -> list[str]:
        """Name the searched hyperparameters that have a column in the ranking, each once."""
        names = dict.fromkeys(parameter.name for parameter in self.parameters)
        return [name for name in names if name in self.trials.columns]

    def curves(self, numbers: Sequence[int], metrics: Sequence[str], whole: Collection[int] = ()) -> pd.DataFrame:
        """Return mean learning curves of some trials, tidy: trial, optimizer, state, metric, epoch, steps, value.

        Of many curves each has fewer points, but for those of the trials that are to be `whole`.
        """
        import pandas as pd

        wanted = set(numbers)
        few = min(MOST_POINTS, max(LEAST_POINTS, ALL_POINTS // max(1, len(wanted) * len(metrics))))
        parts = [
            curve_rows(trial, metric, MOST_POINTS if trial.number in whole else few)
            for trial in self.found.all_trials
            if trial.number in wanted
            for metric in metrics
            if metric in trial.curves
        ]
        names = ["trial", "optimizer", "state", "metric", "epoch", "steps", "value"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in names})


def curve_rows(trial: Trial, metric: str, most: int = MOST_POINTS) -> pd.DataFrame:
    """Build the rows of one curve, thinned to what a page can show."""
    import pandas as pd

    curve = goal_curve(trial, metric)
    at = thinned(len(curve), trial.epoch, most)
    steps = trial.steps / trial.epochs if trial.epochs else 0
    return pd.DataFrame(
        {
            "trial": trial.number,
            "optimizer": str(trial.config.get("optimizer", "")),
            "state": str(trial.state),
            "metric": metric,
            "epoch": at + 1,
            "steps": np.rint((at + 1) * steps).astype(np.int64),
            "value": curve[at],
        }
    )


def shown(cell: Any) -> Any:
    """Convert a cell for charts and pages, which cannot show control characters."""
    return visible(cell) if isinstance(cell, str) else cell


def goal_curve(trial: Trial, metric: str) -> Any:
    """Return a metric after each epoch `(E,)`, averaged over replicates; nan where it is not finite."""
    curve = np.asarray(trial.curves[metric], dtype=np.float64).mean(axis=0)
    return np.where(np.isfinite(curve), curve, np.nan)


def thinned(epochs: int, keep: int | None = None, most: int = MOST_POINTS) -> Any:
    """Choose about `most` epochs: the first, the last, the one to `keep` (from 1), and even steps between."""
    if epochs <= most:
        return np.arange(epochs)
    even = np.linspace(0, epochs - 1, most).round().astype(np.int64)
    return np.unique([*even, *([keep - 1] if keep else [])])
