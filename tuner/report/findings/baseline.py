"""A finding about what little effort would have given: a model at its defaults that beats the tuned network.

Baselines and network are judged on the same test rows: by their loss, or by the goal where it is one of all rows
together, such as an area under a curve, which a lower loss does not promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.metrics import METRICS, goal_metrics
from objectives.types import Direction
from tuner.report.findings.commands import again
from tuner.report.findings.finding import Finding, number
from tuner.report.report_data import ReportData
from tuner.text import short

__all__ = ["baseline", "best_baseline", "better_baselines", "judged_by", "unbeaten"]

LOSS, CONSTANT = "test_loss", "constant"


def baseline(frames: ReportData) -> Finding | None:
    """Find that a model of scikit-learn's at its defaults does better on the test rows than the shipped network."""
    facts = frames.found.model_facts
    found = better_baselines(facts)
    if not found:
        return None
    metric = judged_by(facts)
    own = float(facts["metrics"][metric]["ensemble"]["value"])
    name = best_baseline(facts)
    what = f"{name} at scikit-learn's defaults has a {metric} of {number(found[name])}"
    sentence = f"{what}, the refitted model one of {number(own)}, on the same rows."
    share = 100 * abs(found[name] / own - 1) if own > 0 else 0.0
    way = "higher" if _rises(metric) else "lower"
    gain = f"a {metric} {share:.0f} % {way}, as far as these rows tell" if own > 0 else ""
    sentence = f"{sentence} Take that one, unless a network is what you need."
    return Finding("baseline", sentence, {"network": own, **found}, "best", again(frames, "show"), gain)


def judged_by(facts: Mapping[str, Any]) -> str:
    """Return the test metric by which baselines are compared with a model, from the model's facts."""
    asked = [f"test_{name}" for name in goal_metrics(str(facts.get("goal", "")))]
    return next((name for name in asked if name in facts.get("metrics", {})), LOSS)


def better_baselines(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the test metric of each baseline that is better than the shipped model, from the model's facts."""
    metric = judged_by(facts)
    own, every = _value(facts, metric), _values(facts, metric)
    return {name: value for name, value in every.items() if own is not None and _is_ahead(metric, value, own)}


def best_baseline(facts: Mapping[str, Any]) -> str:
    """Return the name of the best of the baselines that are better than the model."""
    found = better_baselines(facts)
    return (max if _rises(judged_by(facts)) else min)(found, key=lambda name: found[name])


def unbeaten(facts: Mapping[str, Any]) -> str:
    """Say that a model does not beat a constant prediction on the test rows by its goal; "" where it does."""
    goal = f"test_{str(facts.get('goal', '')).partition('_')[2]}"
    metric = goal if goal in facts.get("metrics", {}) else LOSS
    own, known = _value(facts, metric), _values(facts, metric).get(CONSTANT)
    if own is None or known is None or _is_ahead(metric, own, known):
        return ""
    return f"the model does not beat a constant prediction: {metric} {short(own)}, a constant has {short(known)}"


def _value(facts: Mapping[str, Any], metric: str) -> float | None:
    found: float | None = facts.get("metrics", {}).get(metric, {}).get("ensemble", {}).get("value")
    return found


def _values(facts: Mapping[str, Any], metric: str) -> dict[str, float]:
    every = {name: metrics.get(metric, {}).get("value") for name, metrics in facts.get("baselines", {}).items()}
    return {name: value for name, value in every.items() if value is not None}


def _is_ahead(metric: str, one: float, other: float) -> bool:
    return one > other if _rises(metric) else one < other


def _rises(metric: str) -> bool:
    row = METRICS.get(metric.removeprefix("test_"))
    return row is not None and row.direction == Direction.MAXIMIZE
