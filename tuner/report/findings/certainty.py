"""Findings about how sure the winner is: confirmed or not, lucky or not, and whether anything separates the top."""

from __future__ import annotations

import math

from tuner.ranking.unread import unread_splits
from tuner.report.findings.commands import a_trial, again, confirmed, continued, named
from tuner.report.findings.finding import Finding, NextStep, better, narrower, number, percent, top
from tuner.report.report_data import ReportData

__all__ = ["inseparable", "optimistic", "small_validation", "unconfirmed", "unread"]

LUCK = 0.1  # relative: a search value that much better than its confirmed mean, and outside of its interval
MORE_SEEDS = 4  # times as many seeds take a third off an interval of splits that share rows, half off another
FAR_MORE = 100  # times the rows: as good as never
BY_ROWS = 0.5  # of the noise: from there on more validation rows help more than more replicates
NARROWER = 0.15  # of an interval: what more seeds have to take off it to be worth their time
LARGEST = 0.5  # of all rows: a validation set that leaves enough to train on


def unconfirmed(frames: ReportData) -> Finding | None:
    """Find that the best trial was never confirmed on fresh seeds."""
    exact = frames.study.imported or frames.study.data.surface
    if frames.best is None or frames.found.standings or exact:
        return None
    chosen = "seed" if frames.study.custom else "split and seed"
    sentence = (
        f"The best value, {number(frames.best.value)}, was measured on the very {chosen} that chose it: it is not"
        " confirmed, and likely too good."
    )
    to_come = frames.unfinished and frames.study.confirm.enabled
    command = continued(frames) if to_come else confirmed(frames)
    numbers = {"value": frames.best.value}
    return Finding("unconfirmed", sentence, numbers, "best", command, "a value that luck has no part in")


def unread(frames: ReportData) -> Finding | None:
    """Every trial of an objective of somebody's own had the same goal on each of its splits, to the last bit."""
    if not (count := unread_splits(frames.study, frames.found.all_trials)):
        return None
    sentence = (
        f"The objective does not look at its split: all {count} trials that were trained on several of them have the"
        f" same {frames.study.metric} on each, to the last bit. Divide the data by the split's number, or do"
        " with one."
    )
    numbers = {"trials": count, "splits": frames.study.splits}
    seconds = a_trial(frames) * frames.study.trials / frames.study.splits
    single = ("data.resampling=holdout", "data.splits=1")
    step = named(frames, *single, name="one-split", seconds=seconds)
    return Finding("unread", sentence, numbers, "best", step, "the time that the other splits take")


def optimistic(frames: ReportData) -> Finding | None:
    """Find that the search's first trial did clearly worse on fresh seeds: its value was luck."""
    leader = next((s for s in frames.found.standings if s.search_rank == 1), None)
    if leader is None or not math.isfinite(leader.goal.mean):
        return None
    gap = better(frames, leader.search_value, leader.goal.mean)
    inside = leader.goal.low <= leader.search_value <= leader.goal.high
    if inside or gap < LUCK * abs(leader.goal.mean):
        return None
    sentence = (
        f"The search was optimistic: its first, trial {leader.trial}, had {number(leader.search_value)} there and"
        f" {number(leader.goal.mean)} {'with' if frames.study.splits > 1 else 'on'} {leader.seeds} fresh seeds."
        " Quote the final value."
    )
    numbers = {"trial": leader.trial, "search": leader.search_value, "confirmed": leader.goal.mean, "gap": gap}
    step = again(frames, "best")
    return Finding("optimistic", sentence, numbers, "confirmation", step, "a value that can be quoted")


def inseparable(frames: ReportData) -> Finding | None:
    """Find confirmed configs that a paired test on the fresh seeds cannot distinguish from the best one."""
    standings = frames.found.standings
    near = [standing for standing in standings[1:] if standing.tie == standings[0].rank]
    if not near:
        return None
    first, trials = standings[0], ", ".join(str(standing.trial) for standing in near)
    several, more = frames.study.splits > 1, MORE_SEEDS * first.seeds
    share = narrower(frames, first.goal.n, first.goal.n - first.seeds + more)
    if share < NARROWER:  # the rows are what is too few, which the conclusion says
        return None
    sentence = (
        f"{first.goal.n} {'splits' if several else 'seeds'} do not separate the best, trial {first.trial} (best with"
        f" probability {first.p_best:.2f}),"
        f" from {'trial' if len(near) == 1 else 'trials'} {trials}: choose among them by cost or simplicity, or"
        " confirm on more seeds."
    )
    numbers = {"trials": [standing.trial for standing in near], "seeds": first.goal.n, "p_best": first.p_best}
    gain = f"intervals that are {percent(share)} narrower"
    return Finding("inseparable", sentence, numbers, "confirmation", confirmed(frames, seeds=more), gain)


def small_validation(frames: ReportData) -> Finding | None:
    """Find that the top trials lie within the search's noise, most of which comes from too few validation rows.

    The noise is the measured one that decides ties. Rows divide its variance, so `rows (reach / gap)^2` of them would
    separate the first trial from the last.
    """
    noise, rows = frames.noise, frames.found.facts.get("valid_rows", "")
    stable = [trial for trial in top(frames) if trial.stable]
    if noise is None or len(stable) < 2 or not rows.isdigit():
        return None
    first, *others = stable
    behind = [better(frames, first.value or 0.0, trial.value or 0.0) for trial in others]
    tied = all(noise.alike(first.number, t.number, gap) for t, gap in zip(others, behind, strict=True))
    gap, reach = behind[-1], noise.reach
    if not tied or not 0 < gap < reach or noise.typical.rows < BY_ROWS * noise.standard_error(noise.typical) ** 2:
        return None
    times = (reach / gap) ** 2
    enough = int(rows) * times
    many = f"{FAR_MORE} times as many and more" if times > FAR_MORE else f"about {float(f'{enough:.2g}'):,.0f}"
    sentence = (
        f"The validation set of {int(rows):,} rows is too small to separate the top {len(stable)} trials of the"
        f" search: they lie {number(gap)} apart, and equal ones up to {number(reach)}, mostly by which rows those are."
        f" It would take {many}."
    )
    numbers = {"rows": int(rows), "gap": gap, "reach": reach, "enough": enough}
    found = _finer(frames, times)
    return Finding("small_validation", sentence, numbers, "ranking", *found) if found else None


def _finer(frames: ReportData, times: float) -> tuple[NextStep, str] | None:
    """Suggest a larger validation set where the data have one that is large enough; else more seeds with a split each.

    Says what it gains. None where a column decides which rows validate, or more splits of them would hardly tell.
    """
    split = frames.study.data.split
    share = math.ceil(100 * times * split.valid) / 100
    if split.column is None and share <= min(LARGEST, 1 - split.test - split.valid):
        return named(frames, f"data.split.valid={share:g}", name="more-rows"), "an order that chance does not make"
    before, first = frames.study.confirm.seeds, frames.found.standings[:1]
    known = first[0].goal.n if first else before
    gained = narrower(frames, known, known + (MORE_SEEDS - 1) * before)
    if not frames.study.fresh_splits or gained < NARROWER:
        return None
    return confirmed(frames, seeds=MORE_SEEDS * before), f"intervals that are {percent(gained)} narrower"
