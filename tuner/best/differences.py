"""Where a framework cannot make a config's steps: what differs, and by how much.

The tuned side are the conventions that stand in the config, the other side the framework's entry in
`objectives.optimizers.frameworks`. What is not named here is the same to rounding, as the parity tests show.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from objectives.class_weights import BALANCED, UNWEIGHTED
from objectives.optimizers import Convention
from objectives.training.hypers import Entry, hypers_of
from tuner.best.exporters import EXPORTERS
from tuner.best.recipe import Recipe
from tuner.best.whole_batch import SEARCHED
from tuner.errors import InexactMapping, InexactWarning

__all__ = ["TOLERANCE", "StepDifference", "differences", "lacking", "same_steps", "unweighted"]

# Of an eps at its most: it changes a step by less than a thousandth where gradients are above a thousandth.
TOLERANCE = 1e-6
CURED = ("eps", "schedule with momentum", "momentum_decay", "clipping")  # by tuning with the framework's own rules
WEIGHING = ("torch", "optax")  # whose code computes balanced class weights
PLACES = {
    "outside": "sqrt({v}) + eps",
    "hat": "sqrt(v) + eps, before the bias correction",
    "inside": "sqrt(v + eps)",
    "corrected": "the greatest sqrt({v}), after the bias correction",
}


@dataclass(frozen=True)
class StepDifference:
    """What a framework does otherwise, the size of it, and a word for it; `small` is below `TOLERANCE`."""

    topic: str
    what: str
    size: str
    small: bool = False

    def __str__(self) -> str:
        return f"{self.what} ({self.size})"


def differences(recipe: Recipe, framework: str) -> list[StepDifference]:
    """List everything that a framework's own optimizer does differently; empty if it makes the same steps."""
    theirs = recipe.convention(framework)
    if recipe.optimizer in SEARCHED:
        what = f"the line search of its {recipe.optimizer} is another"
        size = "the paths part at once; the optimum is the same where there is one"
        return [StepDifference("line search", what, size)]
    return [one for check in CHECKS for one in check(recipe, framework, theirs)]


def same_steps(
    recipe: Recipe, framework: str, strict: bool, more: list[StepDifference] | None = None
) -> list[StepDifference]:
    """Return the differences, including `more`. If any is not small, raise InexactMapping when `strict`, else warn."""
    found = differences(recipe, framework) + (more or [])
    if all(one.small for one in found):
        return found
    theirs, ours = EXPORTERS[framework].title, EXPORTERS[recipe.conventions["framework"]].title
    whose = "" if recipe.optimizer in SEARCHED else f", tuned as {ours}'s"
    said = f"{theirs} cannot make the steps of this {recipe.optimizer}{whose}: {'; '.join(map(str, found))}"
    if strict:
        raise InexactMapping(said, framework if all(one.topic in CURED for one in found) else "")
    warnings.warn(f"{said}; this is the nearest", InexactWarning, stacklevel=4)
    return found


def lacking(recipe: Recipe, framework: str) -> list[StepDifference]:
    """List the hyperparameters of layers and loss that are on and that a framework does not have."""
    rows = [row for row in hypers_of(Entry.LAYERS, Entry.LOSS) if framework in row.lacking]
    values = [(row, float(recipe.config.get(row.name, row.hyper.default))) for row in rows]
    return [
        StepDifference(row.name.replace("_", " "), f"it {row.lacking[framework]}", f"tuned was {value:g}")
        for row, value in values
        if value != row.hyper.default
    ]


def unweighted(recipe: Recipe, framework: str) -> list[StepDifference]:
    """List the weights that code for a framework does not write: of rows, of classes given by name, and all of some."""
    if column := recipe.model.get("weight"):
        return [StepDifference("weight", "this code counts each row once", f"tuned was with weights of {column!r}")]
    if recipe.class_weight == UNWEIGHTED or (recipe.class_weight == BALANCED and framework in WEIGHING):
        return []
    return [StepDifference("class weight", "this code trains without", f"tuned was {recipe.class_weight}")]


def eps(recipe: Recipe, framework: str, theirs: Convention) -> Iterator[StepDifference]:
    """Compare where eps is added."""
    del framework
    own, h = str(recipe.conventions["eps_mode"]), recipe.h
    if "eps" not in h or own == theirs.eps or own in theirs.also:
        return
    if recipe.optimizer == "adamax":
        what, size = "eps is added outside the maximum, or within it", f"at most {h['eps']:g} of the divisor"
    else:
        v = "v_hat" if "beta2" in h else "v"
        there, here = (PLACES[mode].format(v=v) for mode in (theirs.eps, own))
        what, size = f"the divisor is {there}; tuned was {here}", _size_of_eps(recipe, own, theirs.eps)
    yield StepDifference("eps", what, size, _is_small(recipe, own, theirs.eps))


def _size_of_eps(recipe: Recipe, own: str, theirs: str) -> str:
    h = recipe.h
    if "beta2" not in h:
        scale = math.sqrt(h["eps"]) if own == "inside" else h["eps"]
        return f"up to 41 % where gradients are as small as {scale:.1g}, less by their ratio elsewhere"
    first, settled = 1 / math.sqrt(1 - h["beta2"]), f"{1 / (1 - h['beta2']):.0f} updates"
    if recipe.optimizer == "amsgrad" and "corrected" in (own, theirs):
        return f"the first, least certain corrections count for ever instead of for some {settled}"
    times = f"{first:.3g} times as much" if theirs == "hat" else f"1 / {first:.3g} as much"
    return f"eps counts {times} at the first update, as much after some {settled}"


def _is_small(recipe: Recipe, own: str, theirs: str) -> bool:
    """Return True where an eps before or after the bias correction of Adam's divisor stays below the tolerance."""
    h = recipe.h
    return {own, theirs} == {"hat", "outside"} and "beta2" in h and h["eps"] / math.sqrt(1 - h["beta2"]) <= TOLERANCE


def buffer(recipe: Recipe, framework: str, theirs: Convention) -> Iterator[StepDifference]:
    """Compare whether the momentum buffer includes the rate: that matters only if the rate changes."""
    del framework
    momentum, own = recipe.h.get("momentum", 0.0), bool(recipe.conventions["lr_in_buffer"])
    other = "buffered" if own else "unbuffered"
    if momentum and recipe.moves and own != theirs.buffered and other not in theirs.also:
        holds = "gradients, all at the rate of now" if own else "steps, each at the rate of its time"
        late = "sooner" if own else "later"
        size = f"a change of the rate takes effect some {1 / (1 - momentum):.0f} updates {late}"
        yield StepDifference("schedule with momentum", f"its momentum holds {holds}", size)


def decay(recipe: Recipe, framework: str, theirs: Convention) -> Iterator[StepDifference]:
    """Compare whether decay shrinks the weights or is added to the gradient."""
    del framework
    if recipe.decay and not recipe.decoupled and theirs.decoupled and "coupled" not in theirs.also:
        what = "its weight decay shrinks the weights, the tuned one adds to the gradient"
        yield StepDifference("weight decay", what, f"of weight_decay {recipe.decay:g}: it is left out")


def fixed(recipe: Recipe, framework: str, theirs: Convention) -> Iterator[StepDifference]:
    """Compare hyperparameters that the framework fixes."""
    del framework
    for name, value in theirs.fixed.items():
        own = recipe.h[name]
        settled = name == "momentum_decay" and min(own, value) >= 1000  # momentum is constant from there on
        if name != "weight_decay" and own != value and not settled:
            yield StepDifference(name, f"{name} is {value:g}: {theirs.why}", f"tuned was {own:g}")


def clip(recipe: Recipe, framework: str, theirs: Convention) -> Iterator[StepDifference]:
    """Compare the constants added to a norm before gradients are divided by it."""
    del theirs
    if not recipe.clip:
        return
    if framework == "sklearn":
        yield StepDifference("clipping", "it does not clip gradients", f"tuned was a norm of {recipe.clip:g}")
    elif framework == "keras" and recipe.guard:
        size = f"steps are longer by {recipe.guard / recipe.clip:.1g} of their length at most"
        yield StepDifference("clipping", f"it divides by the norm, the tuned rule by the norm + {recipe.guard:g}", size)


CHECKS: tuple[Callable[[Recipe, str, Convention], Iterator[StepDifference]], ...] = (eps, buffer, decay, fixed, clip)
