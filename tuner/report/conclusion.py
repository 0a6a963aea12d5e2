"""The conclusion of a study in a few plain sentences: what won, what it reaches, how sure that is, and what to do now.

The end of a run, `tuner show`, the top of the report and notebooks all say these, so that they say the same. Three
words for three numbers of the goal: the search's value, which chose; the check, over the splits of the search and fresh
ones, which ranks; and the final value, of the winner alone on splits that chose nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from shlex import join
from typing import Any

from objectives.types import Direction
from tuner.best import Best
from tuner.enums import TrialState
from tuner.ranking.confirmation_race import default_points, why_safe
from tuner.ranking.gain import TuningGain, gain_of
from tuner.ranking.standings import ConfirmedTrial
from tuner.report.findings.baseline import best_baseline, better_baselines, judged_by, unbeaten
from tuner.report.report_data import ReportData
from tuner.text import interval, intervals_of, short

__all__ = ["NOTHING", "Conclusion", "settings_that_won"]

MOST_SETTINGS = 6  # of the winner in one line
PER_CENT = 100
NOTHING = "nothing here promises more than chance: use it"


@dataclass(frozen=True)
class Conclusion:
    """What a study with a best config says in the end; every property is a sentence or a few words, "" if unknown."""

    frames: ReportData
    best: Best

    @cached_property
    def standing(self) -> ConfirmedTrial | None:
        """Return the winner's place among the checked trials; None where nothing was checked."""
        return next((s for s in self.frames.found.standings if s.trial == self.best.trial), None)

    @property
    def final(self) -> bool:
        """Return True if there is a final value: the winner was trained on seeds that chose nothing."""
        return self.standing is not None and self.standing.report is not None

    @property
    def exact(self) -> bool:
        """Return True if the values have no chance in them: those of an analytic surface."""
        return self.frames.surface is not None

    @property
    def better(self) -> str:
        """Name the best of scikit-learn's models at their defaults that do better on the test rows than this one."""
        facts = self.frames.found.model_facts
        found = better_baselines(facts)
        if not found:
            return ""
        name, metric = best_baseline(facts), judged_by(facts)
        own = float(facts["metrics"][metric]["ensemble"]["value"])
        return (
            f"{name} at scikit-learn's defaults has a {metric} of {short(found[name])}, the refitted model {short(own)}"
        )

    @property
    def useless(self) -> str:
        """Say that the winner does not beat a constant prediction: on the test rows, or by its final value."""
        facts, study = self.frames.found.model_facts, self.frames.study
        if facts.get("baselines"):
            return unbeaten(facts)
        if study.custom or study.imported or self.exact or study.metric not in ("valid_loss", "valid_r2"):
            return ""
        known = 0.0 if study.metric == "valid_r2" else float(self.frames.found.facts.get("constant_loss", "nan"))
        value = self.best.confirmation["mean"] if self.best.confirmed else self.best.value
        ahead = value < known if study.direction == Direction.MINIMIZE else value > known
        if ahead or math.isnan(known):
            return ""
        what = f"the winner does not beat a constant prediction: {study.metric} {short(value)}"
        return f"{what}, a constant has {short(known)}"

    @property
    def winner(self) -> str:
        """Name the winner: its optimizer and the settings that were searched."""
        settings = settings_that_won(self.frames, self.best)
        listed = [f"{name} {value}" for name, value in list(settings.items())[:MOST_SETTINGS]]
        if more := len(settings) - len(listed):
            listed.append(f"{more} more")
        optimizer = str(self.best.params["optimizer"]) if "optimizer" in self.best.params else ""
        return ", ".join([*([optimizer] if optimizer else []), *listed]) or "the only config"

    @property
    def values(self) -> dict[str, str]:
        """Return the final value of the goal and the test metrics, with intervals; without them the search's value."""
        if not self.best.confirmed:
            return {self.best.metric: short(self.best.value)}
        said = self.best.confirmation
        lost = "none: it diverged or failed on a fresh seed"
        goal = interval(said["mean"], said["low"], said["high"]) if math.isfinite(said["mean"]) else lost
        tests = {name: interval(test["mean"], test["low"], test["high"]) for name, test in said["test"].items()}
        return {self.best.metric: goal} | {name: value for name, value in tests.items() if value}

    @property
    def brackets(self) -> str:
        """Say what the intervals of the final values are of."""
        if not self.best.confirmed:
            return ""
        told = {self.best.metric: self.best.confirmation, **self.best.confirmation["test"]}
        return intervals_of(
            {name: str(one.get("interval_of", "")) for name, one in told.items() if math.isfinite(one["low"])}
        )

    @property
    def evidence(self) -> str:
        """Say what the final values were measured on."""
        if not self.final:
            return ""
        study, seeds = self.frames.study, self.best.confirmation["seeds"]
        fresh = "splits" if study.fresh_splits and not study.custom else "seeds"
        return f"on {seeds} fresh {fresh} that chose nothing"

    @property
    def held(self) -> str:
        """Say what the search believed, and how much of it held."""
        if self.standing is None or self.standing.report is None:
            return ""
        believed, found = self.standing.search_value, self.standing.report.goal.mean
        if not math.isfinite(found):
            return f"the search believed {short(believed)}; on fresh seeds it came to nothing"
        worse = found - believed if self.frames.study.direction == Direction.MINIMIZE else believed - found
        how = f"{short(abs(worse))} {'worse' if worse > 0 else 'better'}" if worse else "as good"
        return f"the search believed {short(believed)}; what held is {how}"

    @cached_property
    def gained(self) -> TuningGain | None:
        """Return what the winner gained over the optimizers' defaults."""
        found = self.frames.found
        if not self.final:
            return None
        return gain_of(self.frames.study, found.facts, found.all_trials, found.confirmed, found.standings)

    @property
    def gain(self) -> str:
        """Say what tuning gained over the best of the optimizers' defaults."""
        gained = self.gained
        if gained is None:
            return self._no_default()
        found = self.frames.found
        own = next(trial for trial in found.all_trials if trial.number == gained.trial)
        whose = own.config.get("optimizer", "")
        if gained.trial == self.best.trial:
            alone = len(found.standings) == 1
            return f"the defaults of {whose} won{'' if alone else f': {why_safe()}'}"
        amount = interval(gained.mean, gained.low, gained.high)
        chance = "" if gained.sure else ", which may be chance"
        return f"{amount} over the defaults of {whose} on {gained.splits} splits{chance}"

    def _no_default(self) -> str:
        study = self.frames.study
        points = default_points(study) if self.final else []
        tried = [t for t in self.frames.found.all_trials if points and dict(t.latents) in points]
        if not tried or any(trial.state == TrialState.COMPLETE for trial in tried):
            return ""
        return "the optimizers' defaults did not come to the end: others were ahead of them"

    @property
    def constant(self) -> str:
        """Say what a constant prediction reaches, where it is known."""
        study, known = self.frames.study, self.frames.found.facts.get("constant_loss", "")
        if study.custom or self.exact or study.imported:
            return ""
        if study.metric == "valid_r2":
            return "a constant prediction has 0"
        return f"a constant prediction has {short(float(known))}" if study.metric == "valid_loss" and known else ""

    @property
    def sure(self) -> str:
        """Say how sure it is that this config is the best."""
        if self.exact:
            return "its values are exact: no chance is in them"
        if self.standing is None or not self.final:
            return self._unchecked()
        if self.standing.lost:
            return f"not at all: it {self.standing.lost} on a fresh seed"
        checked = self.frames.found.standings
        near = [s for s in checked[1:] if s.tie == checked[0].rank]
        if len(checked) == 1:
            return "the only config that was checked"
        if not near:
            return f"better than the other {_count(len(checked) - 1)} checked, beyond chance (95 %)"
        chance = f"{PER_CENT * self.standing.p_best:.0f} % likely to be the best of the {len(checked)} checked"
        others = "another one" if len(near) == 1 else f"{_count(len(near))} others"
        return f"{chance}; {others} may be as good"

    def _unchecked(self) -> str:
        if self.frames.study.imported:
            return "not checked here: another tool ran the study"
        return "not checked on fresh seeds: the value chose the config, and is likely too good"

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """Return the sentences in the order that they are told in, each with its label; "" goes on with the one above.

        In an interval no line may end; who wraps them sees to that.
        """
        length = f", {self.best.epochs} epoch{'s' * (self.best.epochs > 1)}" if self.best.epochs else ""
        (goal, value), *tests = self.values.items()
        believed = f"; the search believed {short(self.standing.search_value)}" if self.standing and self.final else ""
        told = [
            ("beware", self.useless),
            ("won", f"{self.winner} (trial {self.best.trial}{length})"),
            ("final" if self.final else "search", f"{goal} {value}{believed}"),
            ("", ", ".join(f"{name} {one}" for name, one in tests)),
            ("gain", "; ".join(filter(None, (self.gain, self.constant)))),
            ("sure", self.sure),
            ("but", self.better),
        ]
        return [(label, sentence) for label, sentence in told if sentence]

    @property
    def use(self) -> str:
        """Return the command that uses the winner, or makes a model of it where there is none."""
        study, name = self.frames.study, self.frames.study.name
        source = str(study.data.source or "")
        if not study.custom and not study.imported and source and ":" not in source:
            if not self.frames.found.model_facts:
                return join(["tuner", "refit", name])
            return join(["tuner", "predict", name, f"new{PurePath(source).suffix}"])
        return join(["tuner", "best", name, *(["--to", "torch"] if self.best.conventions else [])])

    @property
    def see(self) -> str:
        """Return the command that shows everything."""
        return join(["tuner", "report", self.frames.study.name])


def settings_that_won(frames: ReportData, best: Best) -> dict[str, str]:
    """Return the best config's searched settings as text, beside its optimizer."""
    optimizer = best.params.get("optimizer")
    names = dict.fromkeys(p.name for p in frames.parameters if p.optimizer in ("", optimizer))
    config: Mapping[str, Any] = best.params
    return {name: short(config[name]) for name in names if config.get(name) is not None and name != "optimizer"}


def _count(number: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[number] if number < len(words) else str(number)
