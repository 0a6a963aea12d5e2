"""Findings about how sure the winner is: confirmed or not, lucky or not, and whether anything separates the top."""

from __future__ import annotations

import math

from tuner.report.findings.finding import Finding, again, better, named, number, percent, top
from tuner.report.found import Frames

__all__ = ["inseparable", "optimistic", "small_validation", "unconfirmed", "unstable_top"]

LUCK = 0.1  # relative: a search value that much better than its confirmed mean, and outside of its interval


def unconfirmed(frames: Frames) -> Finding | None:
    """There is a best trial, and no fresh seed stands behind it."""
    exact = frames.study.imported or frames.study.data.surface
    if frames.best is None or frames.found.standings or exact:
        return None
    sentence = (
        f"The best value, {number(frames.best.value)}, comes from one split and the seeds that chose it: it is not"
        " confirmed, and likely too good."
    )
    return Finding("unconfirmed", sentence, {"value": frames.best.value}, "best", again(frames, "confirm"))


def optimistic(frames: Frames) -> Finding | None:
    """The search's first trial did clearly worse on fresh seeds: its value was luck."""
    leader = next((s for s in frames.found.standings if s.search_rank == 1), None)
    if leader is None or not math.isfinite(leader.goal.mean):
        return None
    gap = better(frames, leader.search_value, leader.goal.mean)
    inside = leader.goal.low <= leader.search_value <= leader.goal.high
    if inside or gap < LUCK * abs(leader.goal.mean):
        return None
    sentence = (
        f"The search was optimistic: its first, trial {leader.trial}, had {number(leader.search_value)} there and"
        f" {number(leader.goal.mean)} on {leader.goal.n} fresh seeds. Quote the confirmed values."
    )
    numbers = {"trial": leader.trial, "search": leader.search_value, "confirmed": leader.goal.mean, "gap": gap}
    return Finding("optimistic", sentence, numbers, "confirmation", again(frames, "best"))


def inseparable(frames: Frames) -> Finding | None:
    """Confirmed configs that a paired test on the fresh seeds cannot tell from the best one."""
    standings = frames.found.standings
    near = [standing for standing in standings[1:] if standing.tie == standings[0].rank]
    if not near:
        return None
    first, trials = standings[0], ", ".join(str(standing.trial) for standing in near)
    sentence = (
        f"{first.goal.n} seeds do not separate the best, trial {first.trial} (best with probability"
        f" {first.p_best:.2f}),"
        f" from {'trial' if len(near) == 1 else 'trials'} {trials}: choose among them by cost or simplicity, or confirm"
        " on more seeds."
    )
    numbers = {"trials": [standing.trial for standing in near], "seeds": first.goal.n, "p_best": first.p_best}
    command = again(frames, "confirm", "--seeds", str(4 * first.goal.n))
    return Finding("inseparable", sentence, numbers, "confirmation", command)


def small_validation(frames: Frames) -> Finding | None:
    """The top trials' accuracies differ by less than the noise of so few validation rows, `sqrt(a (1 - a) / n)`."""
    rows = frames.found.facts.get("valid_rows", "")
    values = [t.metrics["valid_accuracy"] for t in top(frames) if "valid_accuracy" in t.metrics]
    if not rows.isdigit() or len(values) < 2 or frames.study.metric != "valid_accuracy":
        return None
    best, n = max(values), int(rows)
    noise = math.sqrt(max(best * (1 - best), 1 / n) / n)
    if max(values) - min(values) >= 2 * noise:
        return None
    sentence = (
        f"The validation set of {n} rows is too small to separate the top {len(values)}: their accuracies differ by"
        f" {percent(max(values) - min(values))}, and one of them is only good to {100 * noise:.1f} %. The loss is"
        " finer."
    )
    command = named(frames, f"data.split.valid={min(0.5, 2 * frames.study.data.split.valid):g}", name="more-rows")
    return Finding("small_validation", sentence, {"rows": n, "noise": noise}, "curves", command)


def unstable_top(frames: Frames) -> Finding | None:
    """A trial that ended far above its best epoch would have won, had stability not counted."""
    complete = [t for t in frames.found.all_trials if t.state == "complete" and t.value is not None]
    stable = [t.value for t in complete if t.stable and t.value is not None]
    wild = [t for t in complete if not t.stable and t.value is not None]
    if not wild or not stable:
        return None
    leader = frames.leaders[0].value
    ahead = [t for t in wild if leader is not None and t.value is not None and better(frames, t.value, leader) > 0]
    if not ahead:
        return None
    listed = ", ".join(str(t.number) for t in ahead[:TOLD])
    sentence = (
        f"{len(ahead)} unstable {'trial has' if len(ahead) == 1 else 'trials have'} a better best epoch than the winner"
        f" ({listed}), but ended far above it: they rank last. Clipping gradients may make them usable."
    )
    command = named(frames, "train.clip_norm=1.0", name="clipped")
    return Finding("unstable_top", sentence, {"trials": [t.number for t in ahead]}, "curves", command)


TOLD = 5  # numbers in a sentence
