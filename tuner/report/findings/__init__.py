"""Findings: what a study's numbers say should be done next. One small function a rule, one row each in `RULES`.

    commands, finding -> baseline, certainty, curves, optimum -> space, training

A rule reads frames and returns one finding or None. Its threshold is a named constant beside it, with the reason. Every
finding ends with a command that can be run as it stands, what that costs and what it may gain.
"""

from __future__ import annotations

from tuner.report.findings.baseline import baseline
from tuner.report.findings.certainty import inseparable, optimistic, small_validation, unconfirmed, unread
from tuner.report.findings.curves import overfitting, still_improving
from tuner.report.findings.finding import Finding, FindingRule
from tuner.report.findings.optimum import distance
from tuner.report.findings.space import at_bound, contained, few_trials, uneven
from tuner.report.findings.training import (
    diverging,
    never_learned,
    no_gain,
    small_batches,
    unstable_top,
)
from tuner.report.report_data import ReportData, ResultView

__all__ = ["RULES", "Finding", "findings", "findings_of"]

# In the order that they are told in: what to do first comes first.
RULES: dict[str, FindingRule] = {
    "baseline": baseline,
    "unread": unread,
    "diverging": diverging,
    "at_bound": at_bound,
    "unconfirmed": unconfirmed,
    "still_improving": still_improving,
    "optimistic": optimistic,
    "inseparable": inseparable,
    "small_validation": small_validation,
    "unstable_top": unstable_top,
    "overfitting": overfitting,
    "no_gain": no_gain,
    "few_trials": few_trials,
    "uneven": uneven,
    "contained": contained,
    "never_learned": never_learned,
    "small_batches": small_batches,
    "distance": distance,
}


def findings_of(frames: ReportData) -> list[Finding]:
    """Collect what every rule found, in order, each next step once."""
    found: dict[str, Finding] = {}
    for rule in RULES.values():
        if finding := rule(frames):
            found.setdefault(finding.command, finding)
    return list(found.values())


def findings(found: ResultView) -> list[Finding]:
    """Return the findings on a study's result."""
    return findings_of(ReportData(found))
