"""Source text: what every framework's code has in common, and how it becomes a live object.

The code that is printed and the object that is returned are one: the object comes from running the printed lines. Only
names from tables of ours and numbers by their `repr` are ever written into them.
"""

from __future__ import annotations

import linecache
import math
import textwrap
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from tuner.best.differences import StepDifference
from tuner.best.exporters import EXPORTERS
from tuner.best.recipe import Recipe
from tuner.errors import NotInstalled

__all__ = [
    "ANOTHER",
    "Verbatim",
    "arguments",
    "call_text",
    "constants",
    "executed",
    "function",
    "head",
    "installed",
    "module",
    "sizes",
    "targets_of",
    "widths",
]

WIDTH = 100
ANOTHER = "`tuner run FILE --set 'model.hidden=[128, 64]' --name NEW` tunes another network"
PREPARED = (
    "x as in the study: gaps of numbers and dates filled with their median over the train rows, then minus their mean"
    " there and divided by their standard deviation there; after them 0 or 1 for each category of a text column, which"
    " is NOT standardised. model/preparation.json in the study's directory has the columns in order, with these values"
)
TARGETS = {"binary": "zeros and ones", "multiclass": "class numbers", "regression": "standardised targets"}
# what code trains on where the target is learned in another form, and how an output goes back
LEARNED = {
    "log": ("standardised logarithms", "Targets are log(target), standardised: a prediction is exp of that."),
    "log1p": (
        "standardised logarithms",
        "Targets are log(1 + target), standardised: a prediction is expm1 of that.",
    ),
    "log_link": (
        "scaled targets",
        "Targets are divided by their mean over the train rows: exp(output) predicts them.",
    ),
}


class Verbatim(str):
    """A value that is written as it stands: a name of the code, not a text."""


def targets_of(recipe: Recipe) -> str:
    """Say what the targets are that code trains on."""
    learned = str(recipe.model.get("target_transform", ""))
    return LEARNED[learned][0] if learned else TARGETS[recipe.task]


def installed(framework: str) -> None:
    """Raise NotInstalled where a framework is not there."""
    if find_spec(framework) is None:
        raise NotInstalled(EXPORTERS[framework].title, EXPORTERS[framework].install)


def arguments(recipe: Recipe, framework: str) -> dict[str, Any]:
    """Return the arguments of a framework's rule at the config's values; eps is as near as possible where it
    differs.
    """
    theirs = recipe.convention(framework)
    if theirs.call is None:
        return {}
    own, h = str(recipe.conventions["eps_mode"]), {**recipe.h, **recipe.flags}
    extra = theirs.also.get(own, {})
    if extra and framework == "torch":  # adagrad: the one whose eps goes into the start of its sum
        h["initial_accumulator"] += h["eps"]
    elif not extra and {own, theirs.eps} == {"inside", "outside"}:
        h["eps"] = h["eps"] ** (0.5 if own == "inside" else 2)
    found: dict[str, Any] = {
        there: tuple(h[name] for name in here) if isinstance(here, tuple) else h[here]
        for there, here in theirs.call.arguments.items()
    }
    return {**found, **theirs.call.constants, **extra}


def call_text(name: str, values: Mapping[str, Any], *first: str) -> str:
    """Write a call, with one argument a line if it is too long for one line."""
    words = [*first, *(f"{key}={_word(value)}" for key, value in values.items())]
    line = f"{name}({', '.join(words)})"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(textwrap.indent(f"{word},\n", "    ") for word in words) + ")"


def _word(value: Any) -> str:
    if isinstance(value, Verbatim):
        return value
    if value == math.inf:
        return 'float("inf")'
    return f'"{value}"' if isinstance(value, str) else repr(value)


def function(head: str, docstring: str, *body: str) -> str:
    """Write a function or class, each line of its body indented."""
    kind = "" if head.startswith("class ") else "def "
    lines = [f'"""{docstring}"""', *body]
    return "\n".join([f"{kind}{head}:", *(textwrap.indent(line, "    ") for line in lines)])


def module(*parts: str) -> str:
    """Join parts with two blank lines between them."""
    return "\n\n\n".join(part for part in parts if part) + "\n"


def constants(recipe: Recipe) -> str:
    """Write the constants of training: epochs and batch size."""
    lines = [f"EPOCHS = {recipe.epochs}  # the best epoch, over all splits"]
    if not recipe.whole:
        lines.insert(0, f"BATCH_SIZE = {recipe.batch_size}")
    if recipe.moves:
        lines.append(f"HORIZON = {recipe.horizon}  # epochs that the schedule is made for")
    return "\n".join(lines)


def sizes(recipe: Recipe) -> str:
    """Write the arguments `inputs, outputs`, with the study's as defaults where they are known."""
    known = recipe.model
    return ", ".join(f"{name}={int(known[name])}" if name in known else name for name in ("inputs", "outputs"))


def widths(recipe: Recipe) -> list[tuple[str, str]]:
    """Return the sizes of the layers as pairs of expressions."""
    return list(pairwise(["inputs", *map(str, recipe.hidden), "outputs"]))


def head(recipe: Recipe, found: Sequence[StepDifference], use: str) -> str:
    """Write the comments: the config's origin, what transfers and what does not, and how to `use` the code."""
    rule = "The update rule is the tuned one, to rounding."
    if found and all(one.small for one in found):
        size = "less than a thousandth of a step where gradients are above a thousandth"
        rule = f"The tuned update rule, but for this: {'; '.join(map(str, found))}; that is {size}."
    elif found:
        rule = f"NOT the tuned steps, but the nearest: {'; '.join(map(str, found))}."
    size = f" of {recipe.model['parameters']} weights" if "parameters" in recipe.model else ""
    model = f"{'a network' if recipe.hidden else 'a linear model'}{size}"
    optimum = f"The values were the best for {model} on the study's data: for another model they are a start, no more;"
    learned = str(recipe.model.get("target_transform", ""))
    undone = [LEARNED[learned][1]] if learned else []
    lines = (*recipe.notes, rule, f"{optimum} {ANOTHER}.", f"To use it: {use}, with {PREPARED}.", *undone)
    return "\n".join(f"# {part}" for line in lines for part in _wrapped(line))


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH) or [""]


def executed(text: str, name: str) -> dict[str, Any]:
    """Execute source text and return the names it defines; tracebacks show its lines."""
    place = f"<tuner: {name}>"
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    names: dict[str, Any] = {"__name__": "tuner_export"}
    exec(compile(text, place, "exec"), names)
    return names
