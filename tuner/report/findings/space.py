"""Findings about what was searched: ranges that end too early, budgets that are too small or uneven."""

from __future__ import annotations

import math

from objectives.optimizers import OPTIMIZERS
from tuner.algorithms.samplers import SAMPLERS
from tuner.records import Trial
from tuner.report.budgets import best_of
from tuner.report.findings.commands import continued, named
from tuner.report.findings.finding import Finding, better, number, top
from tuner.report.findings.optimum import REACHED
from tuner.report.parameters import SearchedParameter, place, value_at
from tuner.report.report_data import ReportData
from tuner.space import space_of
from tuner.space.parameter import warp
from tuner.study import Range

__all__ = ["at_bound", "contained", "few_trials", "uneven"]

EDGE = 0.05  # of a range, on its own scale: a best value there may have its better neighbours outside
AT_EDGE = 3  # of the top trials that make an edge suspicious where the best alone is not there
WIDER = 1 / 3  # of the range: how much further to look
PER_PARAMETER = 10  # trials a searched parameter: fewer leave most of even two parameters' square empty
MORE = 1.5  # times the trials: fewer more would hardly find anything
UNEVEN = 2.0  # times the trials: from there on the better-fed optimizer has had clearly more luck to draw
TOO_CLOSE = 8  # trials: with fewer between them, chance alone makes one twice the other
BEHIND = 0.05  # relative: an optimizer that much worse than one it contains was not searched well
# Each of these takes the steps of the others at some setting: momentum 0 is sgd, a constant denominator is none.
# Source: Choi et al. 2019, "On empirical comparisons of optimizers for deep learning".
CONTAINS = {
    "momentum": ("sgd",),
    "nesterov": ("sgd",),
    "rmsprop": ("momentum", "sgd"),
    "adam": ("rmsprop", "momentum", "sgd"),
    "nadam": ("nesterov", "sgd"),
}


def at_bound(frames: ReportData) -> Finding | None:
    """Find that the best trial, or 3 of the top 5, lie within 5 % of an end of a range: the optimum may lie beyond
    it.
    """
    if frames.study.imported:  # what it searched is known from its trials alone
        return None
    names = dict.fromkeys(parameter.name for parameter in frames.parameters)
    found = (_at_end(frames, name, end) for name in names for end in ("low", "high"))
    return next((finding for finding in found if finding), None)


def _at_end(frames: ReportData, name: str, end: str) -> Finding | None:
    """Build the finding on one end of one parameter, judging each trial by the range of its own optimizer."""
    leaders, first = top(frames), frames.best
    near = [trial for trial in leaders if _is_near(frames, trial, name, end)]
    winner = [t for t in frames.leaders if first and t.number == first.trial and _is_near(frames, t, name, end)]
    if not winner and len(near) < AT_EDGE:
        return None
    example = next(iter([*winner, *near]))
    parameter = _own(frames, example, name)
    if parameter is None or not isinstance(parameter.domain, Range):
        return None
    domain = parameter.domain
    beyond, bound = _beyond(domain, end), domain.low if end == "low" else domain.high
    if beyond == bound or (domain.scale == "log" and beyond <= 0) or not _allowed(parameter, beyond):
        return None
    who = f"The best trial ({example.number}) has" if winner else f"{len(near)} of the top {len(leaders)} trials have"
    of = f" of {parameter.optimizer}" if parameter.optimizer else ""
    sentence = (
        f"{who} {name}{of} at the {end} end of its range ({number(example.config[name])}, the range ends at"
        f" {number(bound)}): better values may lie beyond. Try a range to {number(beyond)}."
    )
    inside = next((t for t in frames.leaders if not _is_near(frames, t, name, end)), None)
    if len(near) < AT_EDGE and inside is not None and _alike(frames, example, inside):
        return None  # what lies inside of the range may be as good, and the best alone is no evidence
    numbers = {"parameter": parameter.key, "end": end, "bound": bound, "next": beyond, "near": len(near)}
    command = named(frames, f"{parameter.key}.{end}={number(beyond)}", name="wider")
    gain = "not known, whatever lies beyond"
    if inside is not None and (ahead := better(frames, example.value or 0.0, inside.value or 0.0)) > 0:
        gain += f"; here it is {number(ahead)} better than inside of the range"
    return Finding("at_bound", sentence, numbers, f"sensitivity-{name}", command, gain)


def _alike(frames: ReportData, one: Trial, other: Trial) -> bool:
    """Return True if chance alone may make two complete trials differ; False where the noise is not known."""
    places = {standing.trial: standing for standing in frames.found.standings}
    if one.number in places and other.number in places:
        return places[one.number].tie == places[other.number].tie
    gap = abs((one.value or 0.0) - (other.value or 0.0))
    return frames.noise is not None and frames.noise.alike(one.number, other.number, gap)


def _own(frames: ReportData, trial: Trial, name: str) -> SearchedParameter | None:
    """Return the parameter of a name that a trial's optimizer has."""
    optimizers = ("", str(trial.config.get("optimizer")))
    return next((p for p in frames.parameters if p.name == name and p.optimizer in optimizers), None)


def _is_near(frames: ReportData, trial: Trial, name: str, end: str) -> bool:
    parameter = _own(frames, trial, name)
    at = place(trial.config.get(name), parameter.domain) if parameter else None
    return at is not None and (at < EDGE if end == "low" else at > 1 - EDGE)


def _beyond(domain: Range, end: str) -> float:
    """Suggest a new end of a range: a third of its length further on its scale, at most a factor of ten, at one
    digit.
    """
    reach = (
        1.0
        if domain.scale == "linear"
        else math.log(10) / abs(warp(domain.high, domain.scale) - warp(domain.low, domain.scale))
    )
    further = min(WIDER, reach)
    value = value_at(-further if end == "low" else 1 + further, domain)
    if domain.scale == "log1m":
        return 1 - float(f"{1 - value:.1g}")
    if domain.step:  # whole steps from the low end
        return domain.low + round((value - domain.low) / domain.step) * domain.step
    return float(f"{value:.1g}")


def _allowed(parameter: SearchedParameter, value: float) -> bool:
    """Return True if a hyperparameter may take a value."""
    row = OPTIMIZERS.get(parameter.optimizer)
    hypers = {hyper.name: hyper for hyper in row.hypers} if row else {}
    return parameter.name not in hypers or value in hypers[parameter.name].valid


def few_trials(frames: ReportData) -> Finding | None:
    """Find fewer than 10 trials for each searched parameter while configs are left to try and more trials would pay."""
    dimensions, trials = len(space_of(frames.study).latents), len(frames.found.all_trials)
    wanted = PER_PARAMETER * dimensions
    enough = _configs(frames, wanted)
    if frames.unfinished or not frames.leaders or trials >= enough or wanted <= enough < MORE * trials:
        return None
    what = "are all that there are" if enough < wanted else f"make {PER_PARAMETER} a parameter"
    sentence = (
        f"{trials} {'trials are' if trials > 1 else 'trial is'} few for {dimensions} searched"
        f" parameter{'s' * (dimensions > 1)}: the best is partly luck. {enough} {what}."
    )
    numbers = {"trials": trials, "parameters": dimensions, "enough": enough}
    brought = _second_half(frames)
    half = f"; the second half of the trials brought {number(brought) if brought else 'nothing'}" if trials > 1 else ""
    gain = f"what chance finds{half}"
    return Finding("few_trials", sentence, numbers, "progress", continued(frames, enough), gain)


def _second_half(frames: ReportData) -> float:
    """Return by how much the second half of the trials improved the best value of the search."""
    half = len(frames.found.all_trials) / 2
    before = next((trial.value for trial in frames.leaders if trial.number < half), None)
    best = frames.leaders[0].value
    return 0.0 if before is None or best is None else max(better(frames, best, before), 0.0)


def _configs(frames: ReportData, most: int) -> int:
    """Count the distinct configs that the search can propose, at most `most`: those of its grid, or of lists alone."""
    search, space = frames.study.search, space_of(frames.study)
    if not SAMPLERS[search.sampler].exhaustive and any(isinstance(p.domain, Range) for p in frames.parameters):
        return most
    return min(most, sum(block.size for block in space.blocks(search.grid_points)))


def uneven(frames: ReportData) -> Finding | None:
    """Find that one optimizer had at least twice the trials of another: their bests are not comparable.

    An optimizer without searched parameters needs a single trial, and a grid has as many trials as it has points.
    """
    study, sampler = frames.study, SAMPLERS[frames.study.search.sampler]
    if sampler.exhaustive or study.search.allocation == "equal":
        return None
    settled = frozenset() if study.imported else space_of(study).settled
    budgets = {name: len(frames.own(name)) for name in frames.optimizers if name not in settled}
    if len(budgets) < 2 or not sum(budgets.values()):
        return None
    most, least = max(budgets, key=lambda name: budgets[name]), min(budgets, key=lambda name: budgets[name])
    if budgets[most] < UNEVEN * max(budgets[least], 1) or budgets[most] - budgets[least] < TOO_CLOSE:
        return None
    why = ", as the sampler followed what looked good" if sampler.learns and not study.imported else ""
    sentence = (
        f"Budgets differ: {most} had {budgets[most]} trials and {least} {budgets[least]}{why}. Compare optimizers at"
        " equal numbers of trials only."
    )
    command = named(frames, "search.allocation=equal", name="equal")
    return Finding("uneven", sentence, budgets, "optimizers", command, "a fair comparison of the optimizers")


def contained(frames: ReportData) -> Finding | None:
    """Find an optimizer that did worse, not by chance and at equal budgets, than one whose steps it can take itself."""
    found = []
    chance = frames.noise.reach if frames.noise else REACHED if frames.surface else 0.0
    for outer, inners in CONTAINS.items():
        for inner in inners:
            if outer in frames.study.optimizers and inner in frames.study.optimizers:
                values = _at_equal(frames, outer, inner)
                if values and better(frames, values[1], values[0]) > max(BEHIND * abs(values[1]), chance):
                    found.append((better(frames, values[1], values[0]), outer, inner, values))
    if not found:
        return None
    _, outer, inner, (own, other) = max(found)
    sentence = (
        f"{outer} reached {number(own)} and {inner} {number(other)} with as many trials, although {outer} can take the"
        f" steps of {inner}: {outer} was not searched well enough to be judged. Give it more trials or a wider range."
    )
    numbers = {"optimizer": outer, "contains": inner, "value": own, "other": other}
    equal, more = frames.study.search.allocation == "equal", 2 * len(frames.found.all_trials)
    command = continued(frames, more) if equal else named(frames, "search.allocation=equal", name="equal", trials=more)
    return Finding("contained", sentence, numbers, "optimizers", command, f"a fair judgement of {outer}")


def _at_equal(frames: ReportData, *names: str) -> tuple[float, ...] | None:
    """Return the median best of as many trials as all of them have, for each optimizer; None without values."""
    budget = min(len(frames.own(name)) for name in names)
    if budget < TOO_CLOSE:
        return None
    values = []
    for name in names:
        values.append(float(best_of(frames, name, budget)["value"].iloc[0]))
    return None if any(map(math.isnan, values)) else tuple(values)
