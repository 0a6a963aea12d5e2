"""A finding about what little effort would have given: a model at its defaults that beats the tuned network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.report.findings.commands import again
from tuner.report.findings.finding import Finding, number
from tuner.report.report_data import ReportData

__all__ = ["LOSS", "baseline", "better_baselines"]

LOSS = "test_loss"


def baseline(frames: ReportData) -> Finding | None:
    """Find that a model of scikit-learn's at its defaults has a lower test loss than the network that is shipped."""
    facts = frames.found.model_facts
    found = better_baselines(facts)
    if not found:
        return None
    own = float(facts["metrics"][LOSS]["ensemble"]["value"])
    name, least = min(found.items(), key=lambda item: item[1])
    what = f"{name} at scikit-learn's defaults has a {LOSS} of {number(least)}, the refitted model one of {number(own)}"
    sentence = f"{what}, on the same rows. Take that one, unless a network is what you need."
    gain = f"a {LOSS} {100 * (1 - least / own):.0f} % lower, as far as these rows tell" if own > 0 else ""
    return Finding("baseline", sentence, {"network": own, **found}, "best", again(frames, "show"), gain)


def better_baselines(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the test loss of each baseline that is better than the shipped model, from the model's facts."""
    own = facts.get("metrics", {}).get(LOSS, {}).get("ensemble", {}).get("value")
    every = {name: metrics[LOSS]["value"] for name, metrics in facts.get("baselines", {}).items()}
    return {name: loss for name, loss in every.items() if own is not None and loss is not None and loss < own}
