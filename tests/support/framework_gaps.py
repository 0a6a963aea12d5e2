"""How far exports end from the core, and the manual's table of it.

`python -m tests.docs --write --frameworks` writes it.
"""

from __future__ import annotations

import math
import re
import warnings
from functools import cache
from typing import Any

import numpy as np

from objectives.optimizers import FRAMEWORKS, RULES
from tests.support.framework_runs import RUNS, Config, best_of, config_of, core, problem
from tuner.best.differences import differences
from tuner.best.exporters import EXPORTERS
from tuner.errors import InexactWarning

__all__ = ["gap", "member", "orders", "table"]


def member(name: str, source: str, target: str, **values: Any) -> Config:
    """An optimizer as `source` has it, with a schedule after a warmup where `target` may have one."""
    moving = {} if target == "sklearn" else {"schedule": "cosine", "warmup": 0.1, "final": 0.01}
    own = {key: value for key, value in RULES[name].frameworks[source].fixed.items() if key != "weight_decay"}
    buffer = {"momentum": 0.9} if name == "rmsprop" else {}
    rate = {"lr": 1.0} if name == "adadelta" else {"lr": 1e-3} if name == "rmsprop" else {}
    return config_of(name, source, **{**moving, **own, **buffer, **rate, **values})


@cache
def gap(name: str, source: str, target: str) -> float:
    """The largest distance of a weight after 3 epochs of digits, in float64, from the same start and batches."""
    config = member(name, source, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InexactWarning)
        theirs = RUNS[target](config, problem(), strict=False)
    return float(np.abs(theirs - core(config, problem())).max())


def table() -> str:
    """Markdown: an optimizer a row, a framework a column."""
    lines = [f"| optimizer | {' | '.join(EXPORTERS[name].title for name in FRAMEWORKS)} |", "| --- " * 5 + "|"]
    for name in RULES:
        lines.append(f"| {name} | {' | '.join(cell(name, target) for target in FRAMEWORKS)} |")
    return "\n".join(lines)


def cell(name: str, target: str) -> str:
    """Of a config tuned as torch's: "exact", or the order of magnitude of its distance and why."""
    if target not in RULES[name].frameworks:
        return "none"
    found = differences(best_of(member(name, "torch", target), problem()).recipe(), target)
    distance = gap(name, "torch", target)
    if not found:
        return "exact" if distance < 1e-12 else f"exact to {power(distance)}"
    return f"{power(distance)}: {', '.join(dict.fromkeys(one.topic for one in found))}"


def power(value: float) -> str:
    """The order of magnitude."""
    return f"1e{math.floor(math.log10(value)):+03d}"


def orders(text: str) -> tuple[str, list[int]]:
    """A table without its orders of magnitude, and these."""
    return re.sub(r"1e-?\+?\d+", "1e", text), [int(one) for one in re.findall(r"1e([-+]?\d+)", text)]
