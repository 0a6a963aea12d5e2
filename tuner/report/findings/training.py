"""Findings about the trainings themselves: those that blew up, brought nothing more, or never learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from objectives.optimizers import OPTIMIZERS
from tuner.enums import TrialState
from tuner.records import Trial
from tuner.report.findings.commands import a_trial, accepts, again, longer, named
from tuner.report.findings.curves import LONGER, UNKNOWN
from tuner.report.findings.finding import Finding, NextStep, better, number, percent, top
from tuner.report.findings.optimum import REACHED, lowest
from tuner.report.report_data import ReportData
from tuner.study import Range, values_of

__all__ = [
    "diverging",
    "never_learned",
    "no_gain",
    "small_batches",
    "unstable_top",
]

MANY = 0.2  # of all trials: from there on the search spends a fifth of itself on nothing
PLATEAU = 0.5  # of the trials, and no fewer than `ENOUGH`, without a new best
ENOUGH = 32
STEPS = 4.0  # times the updates of the largest batch
TRIED = 5  # trials of an optimizer, from which their best says something of it
DEAR = 10.0  # times the training of the study: from there on a comparison costs more than it tells
WIDER = 10  # times as far on both sides, where no learning rate was of use
SLOWER = 1000  # times smaller rates, where none of those tried was small enough
CLIP = "train.clip_norm=1.0"  # a norm that gradients of a training that goes well seldom have
TOLD = 5  # numbers in a sentence


def diverging(frames: ReportData) -> Finding | None:
    """Find that more than a fifth of the trials diverged or failed, and say where."""
    trials = frames.found.all_trials
    lost = [trial for trial in trials if trial.state in (TrialState.DIVERGED, TrialState.FAILED)]
    if not trials or len(lost) <= MANY * len(trials):
        return None
    counts = {name: sum(t.config.get("optimizer") == name for t in lost) for name in frames.optimizers}
    worst = max(counts, key=lambda name: counts[name], default="")
    own = [t for t in lost if t.config.get("optimizer", "") == worst]
    failed = [trial for trial in lost if trial.state == TrialState.FAILED]
    how = "failed" if len(failed) == len(lost) else "diverged" if not failed else "diverged or failed"
    share = f"{percent(len(lost) / len(trials))} of the trials {how} ({len(lost)} of {len(trials)})"
    edge = _edge(frames, worst, own)
    where = f", most with {worst}{f' and lr above {number(edge)}' if edge else ''}" if worst else ""
    numbers = {"lost": len(lost), "trials": len(trials), "failed": len(failed), **counts}
    spared = f"the {percent(len(lost) / len(trials))} of the search that went to nothing"
    if edge:
        command = named(frames, f"optimizers.{worst}.lr.high={number(edge)}", name="calmer")
        return Finding("diverging", f"{share}{where}.", numbers, "sensitivity-lr", command, spared)
    if 2 * len(failed) >= len(lost):
        advice, command, spared = *_look(frames, failed[0]), "the reason"
    elif slower := _slower(frames, worst, own):
        advice, command = "Search smaller learning rates.", named(frames, slower, name="slower")
    else:
        advice, command = _calmed(frames, own[0])
    return Finding("diverging", f"{share}{where}. {advice}", numbers, "section-time", command, spared)


def _edge(frames: ReportData, optimizer: str, lost: Sequence[Trial]) -> float | None:
    """Return the learning rate above which most of an optimizer's trials diverged, or None."""
    domain = frames.study.optimizers.get(optimizer, {}).get("lr")
    rates = sorted(
        float(trial.config["lr"]) for trial in lost if trial.state == TrialState.DIVERGED and "lr" in trial.config
    )
    if not isinstance(domain, Range) or not rates:
        return None
    edge = rates[len(rates) // 10]  # a few of the lowest may have other reasons
    kept = [t for t in frames.own(optimizer) if t.value is not None and float(t.config["lr"]) >= edge]
    return None if len(kept) > len(rates) or edge <= domain.low else edge


def _slower(frames: ReportData, optimizer: str, lost: Sequence[Trial]) -> str:
    """Return the setting that searches lower rates for an optimizer whose trials all diverged; empty where some
    did not.
    """
    rates = [float(trial.config["lr"]) for trial in lost if trial.state == TrialState.DIVERGED and "lr" in trial.config]
    if not rates or len(lost) < len(frames.own(optimizer)):
        return ""
    setting = f"optimizers.{optimizer}.lr={{low = {number(min(rates) / SLOWER)}, high = {number(min(rates))}}}"
    return setting if accepts(frames, setting) else ""


def unstable_top(frames: ReportData) -> Finding | None:
    """Find a trial that would have won if its last epochs had not been far above its best epoch."""
    complete = [t for t in frames.found.all_trials if t.state == TrialState.COMPLETE and t.value is not None]
    leader = next((t.value for t in frames.leaders if t.stable), None)
    if leader is None:
        return None
    ahead = [t for t in complete if not t.stable and t.value is not None and better(frames, t.value, leader) > 0]
    if not ahead:
        return None
    listed = ", ".join(str(t.number) for t in ahead[:TOLD])
    advice, command = _calmed(frames, ahead[0])
    sentence = (
        f"{len(ahead)} unstable {'trial has' if len(ahead) == 1 else 'trials have'} a better best epoch than the winner"
        f" ({listed}), but ended far above it: they rank last. {advice}"
    )
    gained = max(better(frames, t.value, leader) for t in ahead if t.value is not None)
    numbers, gain = {"trials": [t.number for t in ahead]}, f"at most {number(gained)}"
    return Finding("unstable_top", sentence, numbers, "curves", command, gain)


def _calmed(frames: ReportData, trial: Trial) -> tuple[str, NextStep]:
    """Suggest what may keep such trials stable, and the command: gradient clipping, where the optimizer supports it."""
    study, row = frames.study, OPTIMIZERS.get(str(trial.config.get("optimizer")))
    clips = study.custom is None and row is not None and not row.whole and study.train.domain("clip_norm") == 0
    if clips and accepts(frames, CLIP):
        return "Clipping gradients may make them usable.", named(frames, CLIP, name="clipped")
    return _look(frames, trial)


def _look(frames: ReportData, trial: Trial) -> tuple[str, NextStep]:
    return "Look at how one of them ended.", again(frames, "show", trial=trial.number)


def no_gain(frames: ReportData) -> Finding | None:
    """Find that the second half of the trials, at least 32 of them, brought no new best."""
    trials, best, last = frames.found.all_trials, math.nan, 0
    for trial in trials:
        if trial.state != TrialState.COMPLETE or not trial.stable or trial.value is None:
            continue
        if math.isnan(best) or better(frames, trial.value, best) > 0:
            best, last = trial.value, trial.number
    since = len(trials) - 1 - last
    if math.isnan(best) or since < max(ENOUGH, PLATEAU * len(trials)):
        return None
    if frames.surface and best - lowest(frames.surface) < REACHED:
        return None
    else_, command = _elsewhere(frames)
    sentence = (
        f"No gain since trial {last}: {since} trials brought nothing better than {number(best)}. More of the same"
        f" search will hardly help; {else_} may."
    )
    return Finding("no_gain", sentence, {"trial": last, "since": since, "value": best}, "progress", command, UNKNOWN)


def _elsewhere(frames: ReportData) -> tuple[str, NextStep]:
    """Suggest where better values may be and the command: a larger model, or another seed if there is no model."""
    study = frames.study
    if study.custom or study.data.surface or study.imported:
        what = "other parameters, other ranges" if study.custom else "other methods, other ranges"
        return f"{what} or another seed", named(frames, f"study.seed={study.seed + 1}", name="reseeded")
    sizes = frames.leaders[0].config.get("hidden") if study.model.kind == "mlp" else None
    larger = f"model.hidden={[2 * size for size in sizes]}" if sizes else "model.kind=mlp"
    what = "a larger network" if sizes else "a network"
    if not accepts(frames, larger):
        return "other ranges or more data", named(frames, f"study.seed={study.seed + 1}", name="reseeded")
    cost = 2 * a_trial(frames) * study.trials if sizes else None
    return f"{what}, other ranges or more data", named(frames, larger, name="larger", seconds=cost)


def small_batches(frames: ReportData) -> Finding | None:
    """Find that the top trials share the smallest batches, which make several times the updates in the same epochs."""
    domain = () if frames.study.imported else values_of(frames.study.train.batch_size)
    sizes = [size for size in domain if isinstance(size, int)]
    batches = [int(trial.config["batch_size"]) for trial in top(frames) if "batch_size" in trial.config]
    if frames.study.budget.unit == "steps" or len(sizes) < 2 or len(batches) < 3 or max(sizes) < STEPS * min(sizes):
        return None
    small = [size for size in batches if max(sizes) >= STEPS * size]
    if 2 * len(small) <= len(batches) or max(batches) >= max(sizes):
        return None
    times = max(sizes) / median(small)
    sentence = (
        f"{len(small)} of the top {len(batches)} trials have small batches, which took {times:.0f} times the updates"
        " of the"
        f" largest in the same epochs. Compare them at equal updates before you call batch size {max(sizes)} worse."
    )
    numbers = {"small": len(small), "of": len(batches), "times": times}
    cost = times * _seconds_at(frames, max(sizes)) * frames.study.trials
    if cost > DEAR * a_trial(frames) * frames.study.trials:
        return None
    command = longer(frames, times, f"train.batch_size={max(sizes)}", name="steps", seconds=cost)
    gain = f"the knowledge whether batch size {max(sizes)} is worse"
    return Finding("small_batches", sentence, numbers, "curves-steps", command, gain)


def _seconds_at(frames: ReportData, size: int) -> float:
    """Return the seconds of a trial with this batch size, the mean over those that there are; of any without."""
    own = [trial.seconds for trial in frames.found.all_trials if trial.config.get("batch_size") == size]
    return sum(own) / len(own) if own else a_trial(frames)


def never_learned(frames: ReportData) -> Finding | None:
    """Find an optimizer with at least 5 trials of which none beat random weights, or a constant prediction."""
    floor, what = _floor(frames)
    if floor is None:
        return None
    lazy = []
    for name in frames.optimizers:
        losses = [t.metrics["valid_loss"] for t in frames.own(name) if "valid_loss" in t.metrics]
        if name != "random_weights" and len(frames.own(name)) >= TRIED and (not losses or min(losses) >= floor):
            lazy.append(name)
    if not lazy:
        return None
    value = f"{'value' if frames.surface else 'validation loss'} {number(floor)}"
    rates = {name: frames.study.optimizers[name].get("lr") for name in lazy}
    settings = [setting for name, domain in rates.items() for setting in _wider(name, domain)]
    advice, command = "train longer", longer(frames, LONGER)
    if settings and accepts(frames, *settings):
        advice, command = "try a wider range of learning rates", named(frames, *settings, name="wider")
    sentence = (
        f"{', '.join(lazy)} never beat {what} ({value}): the ranges, or the time, do not suit this problem;"
        f" {advice}, or leave {'it' if len(lazy) == 1 else 'them'} out."
    )
    anchor = "sensitivity-lr" if "lr" in frames.searched else "optimizers"
    numbers, gain = {"optimizers": lazy, "loss": floor}, f"a fair judgement of {', '.join(lazy)}"
    return Finding("never_learned", sentence, numbers, anchor, command, gain)


def _wider(optimizer: str, rates: Any) -> list[str]:
    """Return settings that widen a range of learning rates on both sides."""
    if not isinstance(rates, Range):
        return []
    ends = {"low": rates.low / WIDER, "high": rates.high * WIDER}
    return [f"optimizers.{optimizer}.lr.{end}={number(value)}" for end, value in ends.items()]


def _floor(frames: ReportData) -> tuple[float | None, str]:
    """Return the validation loss without training: of random weights where they were tried, else of a constant."""
    drawn = [t.metrics["valid_loss"] for t in frames.own("random_weights") if "valid_loss" in t.metrics]
    if drawn:
        return min(drawn), "points drawn at random" if frames.surface else "random weights"
    known = frames.found.facts.get("constant_loss", "")
    return (float(known), "a constant prediction") if known else (None, "")
