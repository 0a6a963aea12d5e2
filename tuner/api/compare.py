"""Studies, or the optimizers of one study, side by side: what each found, how sure that is, and what it cost.

Who is best is a probability. Where seeds and splits are the same, the confirmations are compared seed by seed; where
they are not, each mean is known only to within its own interval; where goals or data differ, there is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from objectives.rng import Stream, stream
from tuner.enums import TrialState
from tuner.errors import NoResult
from tuner.ranking.goal import signed
from tuner.ranking.intervals import metric_interval, sizes_of
from tuner.ranking.probability import Paired
from tuner.ranking.retrainings import by_trial, on, rank_seeds, report_seeds
from tuner.ranking.statistics import DRAWS, Interval
from tuner.records import ConfirmationRun, Trial, epochs_of
from tuner.result import Result
from tuner.study import Study

__all__ = ["Comparison", "Side", "by_optimizer", "by_study"]

NEAR = 1.1  # of budgets: a tenth more decides nothing


@dataclass(frozen=True)
class Side:
    """One of those compared: its best trial, that trial's scores by seed, its mean with interval, and what it spent.

    `search` is the best value of its search, whichever trial's. `data` tells what was trained on, `targets` what of it
    was to be predicted, in which split ("" where that is not known), and `inputs` counts the columns. `epochs` and
    `steps` count every replicate; `overlap` is by how much the seeds' splits share their rows. `p_best` is None where
    it cannot be told, `method` says how it was.
    """

    name: str
    study: Study
    data: str
    targets: str
    inputs: str
    task: str
    search: float | None
    best: Trial | None
    scores: Mapping[int, float]
    goal: Interval | None
    trials: int
    complete: int
    epochs: int
    steps: int
    seconds: float
    overlap: float = 0.0
    p_best: float | None = None
    method: str = ""


@dataclass(frozen=True)
class Comparison:
    """The sides, with their probabilities of being best, and notes on what is not the same for all of them."""

    sides: tuple[Side, ...]
    notes: tuple[str, ...]


def by_study(results: Sequence[Result]) -> Comparison:
    """Compare several studies. Raises NoResult where one has no complete trial."""
    sides = []
    for result in results:
        trial = result.trial(result.best().trial)
        rows = by_trial(result.confirmed).get(trial.number, [])
        # the seeds that chose nothing, where there are any
        own = on(report_seeds(result.study), rows) or on(rank_seeds(result.study), rows)
        sides.append(side_of(result.study.name, result, result.all_trials, trial, own))
    return judged(sides, differences(sides))


def by_optimizer(result: Result) -> Comparison:
    """Compare the optimizers of one study. Raises NoResult where it has none, or none has a complete trial."""
    if not result.study.optimizers:
        raise NoResult(f"study {result.study.name!r} has no optimizers to compare: none of its parameters is one")
    sides, rows = [], by_trial(result.confirmed)
    for name in result.study.optimizers:
        own = [trial for trial in result.all_trials if trial.config.get("optimizer") == name]
        best: Trial | None = None
        with suppress(NoResult):
            best = result.trial(result.best(optimizer=name).trial)
        fresh = on(rank_seeds(result.study), rows.get(best.number, [])) if best else []
        side = side_of(name, result, own, best, fresh)
        check = next((s.goal for s in result.standings if best and s.trial == best.number), side.goal)
        sides.append(replace(side, goal=check))
    if not any(side.best for side in sides):
        raise NoResult(f"study {result.study.name!r} has no complete trial")
    return judged(sides, unequal(sides))


def side_of(
    name: str, result: Result, trials: Sequence[Trial], best: Trial | None, rows: Sequence[ConfirmationRun]
) -> Side:
    """Build a side from its trials, the best of them and that one's confirmation runs."""
    study, copies = result.study, result.study.train.replicates
    sizes = sizes_of(study, result.facts)
    return Side(
        name=name,
        study=study,
        data=result.facts.get("data", ""),
        targets=result.facts.get("targets", ""),
        inputs=result.facts.get("inputs", ""),
        task=result.facts["task"],
        search=best.value if best else None,
        best=best,
        scores={row.replicate: row.metrics[study.metric] for row in rows},
        goal=metric_interval(study, sizes, rows, study.metric) if rows else None,
        trials=len(trials),
        complete=sum(trial.state == TrialState.COMPLETE for trial in trials),
        epochs=copies * sum(map(epochs_of, trials)),
        steps=copies * sum(trial.steps * epochs_of(trial) // max(1, trial.epochs) for trial in trials),
        seconds=sum(trial.seconds for trial in trials),
        overlap=sizes.overlap,
    )


def judged(sides: Sequence[Side], notes: Sequence[str]) -> Comparison:
    """Add each side's probability of being best."""
    known = [i for i, side in enumerate(sides) if side.goal is not None]
    found = list(sides)
    goals = {(side.study.metric, side.study.direction) for side in sides}
    if len(known) > 1 and len(goals) == 1 and same_source(sides):
        shares, method = shares_of([sides[i] for i in known])
        for i, share in zip(known, shares, strict=True):
            found[i] = replace(sides[i], p_best=share, method=method)
    missing = [side.name for side in sides if side.best and side.goal is None]
    none = [side.name for side in sides if not side.best]
    notes = [*notes, *steps_of(sides), *([f"no complete trial: {', '.join(none)}"] if none else [])]
    able = not all(side.study.imported for side in sides if side.name in missing)
    sure = "; `tuner confirm` says how sure that is" if able else ""
    more = [f"not confirmed: {', '.join(missing)}{sure}"] if missing else []
    return Comparison(tuple(found), (*notes, *more))


def steps_of(sides: Sequence[Side]) -> list[str]:
    """Note that equal epochs mean different numbers of steps, where the best of each have different batch sizes."""
    sizes = [side.best.config.get("batch_size") for side in sides if side.best]
    alike = len({(side.study.budget.unit, side.study.rows) for side in sides}) == 1
    return [note] if alike and (note := sides[0].study.uneven(sizes)) else []


def shares_of(sides: Sequence[Side]) -> tuple[list[float], str]:
    """Compute the probabilities of being best, and say how."""
    direction = sides[0].study.direction
    shared = sorted(set.intersection(*(set(side.scores) for side in sides)))
    alike = len({side.data for side in sides}) == 1 or same_targets(sides)
    if len(shared) > 1 and alike and len({side.study.seed for side in sides}) == 1:
        scores = np.array([[signed(side.scores[r], direction) for side in sides] for r in shared])
        return Paired(scores, max(side.overlap for side in sides)).shares(), f"paired, {len(shared)} seeds"
    scored = [[signed(v, direction) for v in side.scores.values()] for side in sides]
    return independent_shares(scored, [side.overlap for side in sides]), "from intervals"


def independent_shares(scores: Sequence[Sequence[float]], overlaps: Sequence[float]) -> list[float]:
    """Compute each independent sample's probability to have the lowest true mean; lower is better.

    Counts how often it is lowest among draws of each mean as `mean + t s sqrt(1/n + overlap)`, t with n - 1 degrees of
    freedom: the distribution of the interval for new rows. A sample that is not finite has no share.
    """
    rng = stream(0, Stream.POSTERIOR)
    drawn = np.full((DRAWS, len(scores)), np.inf)
    for i, (values, overlap) in enumerate(zip(scores, overlaps, strict=True)):
        sample, n = np.asarray(values, dtype=np.float64), len(values)
        t = rng.standard_t(max(n - 1, 1), DRAWS)
        if n > 1 and np.isfinite(sample).all():
            drawn[:, i] = sample.mean() + t * sample.std(ddof=1) * np.sqrt(1 / n + overlap)
    lowest = (drawn == drawn.min(axis=1, keepdims=True)) & np.isfinite(drawn)
    return [float(share) for share in (lowest / np.maximum(lowest.sum(axis=1, keepdims=True), 1)).mean(axis=0)]


def same_source(sides: Sequence[Side]) -> bool:
    """Return True if all learn from the same rows, as far as can be told.

    Compares prepared data or targets, or named sources; nothing is known of an imported study.
    """
    if any(side.study.imported for side in sides):
        return False
    named = {(s.study.data.source, s.study.data.target) for s in sides}
    same = len(named) == 1 and None not in {s.study.data.source for s in sides}
    return same or len({s.data for s in sides}) == 1 or same_targets(sides)


def same_targets(sides: Sequence[Side]) -> bool:
    """Return True if all predict the same targets, row by row, and divide them in the same way."""
    return len({side.targets for side in sides}) == 1 and all(side.targets for side in sides)


def differences(sides: Sequence[Side]) -> list[str]:
    """Describe what is not the same for all, or say that all is."""
    notes = []
    goals = list(dict.fromkeys(f"{side.study.direction} {side.study.metric}" for side in sides))
    if len(goals) > 1:
        notes.append(f"their goals differ, so their values cannot be compared: {', '.join(goals)}")
    if imported := [side.name for side in sides if side.study.imported]:
        notes.append(f"imported, so it is not known here whether the data are the same: {', '.join(imported)}")
    elif not same_source(sides):
        notes.append(f"their data differ, so their values cannot be compared: {unlike(sides)}")
    elif len({side.data for side in sides}) > 1 and same_targets(sides):
        inputs = ", ".join(f"{side.name} {side.inputs}" for side in sides)
        seeds = ", other seeds" if len({side.study.seed for side in sides}) > 1 else ""
        notes.append(f"the same targets and splits, other inputs{seeds}: columns after preparing {inputs}")
    elif len({side.data for side in sides}) > 1:
        notes.append("the same source, split or prepared otherwise")
    elif len({side.study.seed for side in sides}) > 1:
        notes.append("the same data and splits, other seeds")
    else:
        notes.append("the same data, splits and seeds")
    return [*notes, *unequal(sides)]


def unlike(sides: Sequence[Side]) -> str:
    """Describe which of their data differ, as far as is known."""
    tasks = {side.task for side in sides}
    rows = [f"{side.name} {side.study.rows:,}" for side in sides]
    if len(tasks) > 1:
        return f"a {' and a '.join(sorted(tasks))} task"
    if len({side.study.rows for side in sides}) > 1:
        return f"train rows: {', '.join(rows)}"
    return "other targets, or other rows that validate"


def unequal(sides: Sequence[Side]) -> list[str]:
    """Note that budgets differ, in steps where all of them count in steps."""
    in_steps = all(side.study.budget.unit == "steps" for side in sides)
    trials, spent = [s.trials for s in sides], [s.steps if in_steps else s.epochs for s in sides]
    unit = "steps" if in_steps else "epochs"
    ratio = max(max(counts) / max(min(counts), 1) for counts in (trials, spent))
    how = "equal" if ratio == 1 else "about equal" if ratio <= NEAR else "unequal"
    return [f"{how} budgets: {_range(trials)} trials each, {_range(spent)} {unit} in all"]


def _range(counts: Sequence[int]) -> str:
    """Return a count as "4", or as "2 to 4" where they differ."""
    return " to ".join(f"{count:,}" for count in sorted({min(counts), max(counts)}))
