"""How a regression's target is learned: as it stands, as a logarithm, or as the exponential of the output.

What is learned is standardised, with a scale and a mean `(C,)`. Outputs and learned targets both go back to the
target's own units; for a log link they differ, since there the output is a logarithm and the target is not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from objectives.data.raw import Complaints, some_rows
from objectives.data.target import Target
from objectives.errors import Complaint
from objectives.types import Array

__all__ = ["LOG", "LOG1P", "LOG_LINK", "TRANSFORMS", "learned_target", "losses_in_units", "predicted", "truth"]

LOG, LOG1P, LOG_LINK = TRANSFORMS = ("log", "log1p", "log_link")
LEAST = 1e-12  # of a prediction whose logarithm is asked for


def learned_target(goal: Target | None, asked: str, place: str, found: Complaints) -> tuple[Target | None, str]:
    """Return the target as it is learned, and how; what keeps it from that is added to `found`.

    `asked` is "log", which becomes "log1p" where there are zeros, "log_link" for counts, or "" for as it stands.
    """
    if not asked or goal is None:
        return goal, ""
    if goal.task != "regression":
        what = f"is taken for classes of a {goal.task} task, which have no logarithm"
        found.append(Complaint(place, what, 'write [data] task = "regression" if they are numbers'))
        return goal, ""
    negative = np.asarray((goal.y < 0).any(axis=1))
    if negative.any():
        what = f"is negative in {some_rows(negative)}, as low as {goal.y.min():g}"
        ways = {LOG_LINK: ("and counts are not", 'correct it, or write [train] loss = "squared_error"')}
        why, hint = ways.get(asked, ("and has no logarithm there", "correct it, or leave target_transform out"))
        found.append(Complaint(place, f"{what}, {why}", hint))
        return goal, ""
    if asked == LOG_LINK:
        return goal, asked
    zeros = (goal.y == 0).any()
    said = "target: learned as log(1 + target), as some are 0" if zeros else "target: learned as its logarithm"
    y = np.log1p(goal.y) if zeros else np.log(goal.y)
    return replace(goal, y=y, said=(*goal.said, said)), LOG1P if zeros else LOG


def predicted(transform: str, outputs: Array, scale: Array, mean: Array) -> Array:
    """Return outputs in the target's own units."""
    if transform == LOG_LINK:
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(outputs) * scale + mean)
    return truth(transform, outputs, scale, mean)


def truth(transform: str, y: Array, scale: Array, mean: Array) -> Array:
    """Return learned targets in their own units."""
    found = y * scale + mean
    with np.errstate(over="ignore"):
        if transform == LOG:
            return np.asarray(np.exp(found))
        return np.asarray(np.expm1(found) if transform == LOG1P else found)


def losses_in_units(transform: str, said: Array, truth: Array, scale: Array) -> Array:
    """Return the loss of predictions in the target's own units: the squared error of what was learned.

    That of counts is half the Poisson deviance, over their mean.
    """
    if transform == LOG_LINK:
        mean = np.maximum(said, LEAST)
        ratio = np.log(np.divide(truth, mean), out=np.zeros(np.broadcast(truth, mean).shape), where=truth > 0)
        return np.asarray((truth * ratio - truth + mean) / scale)
    if transform:
        shift = float(transform == LOG1P)
        said, truth = (np.log(np.maximum(one + shift, LEAST)) for one in (said, truth))
    return np.asarray(((said - truth) / scale) ** 2)
