"""Whole-batch methods: what they are elsewhere, or why they are nothing there.

An iteration of ours is an epoch there. Gradient descent is plain descent on all rows at once, exactly. Line searches
are each framework's own: their paths part, though the optimum, where there is one, is the same.
"""

from __future__ import annotations

from objectives.errors import Complaint, InvalidInput

__all__ = ["SEARCHED", "STANDS_FOR", "refuse"]

STANDS_FOR = {"gradient_descent": "sgd"}
SEARCHED = {"lbfgs": ("torch", "sklearn"), "newton": ("sklearn",)}
REASONS = {
    "random_weights": ("it makes no steps, it draws weights", "take the weights themselves: best.npz"),
    "finite_differences": ("no framework measures its slope", "gradient_descent makes the same steps: tune that"),
    "steepest": ("no framework halves a step until it pays", "tune gradient_descent, or lbfgs"),
    "lbfgs": ("its optimizers are given a gradient, and no loss to search along", "use --to torch or --to sklearn"),
    "newton": ("it has no Hessian of a model", "use --to sklearn, for a linear model"),
}


def refuse(optimizer: str, framework: str) -> None:
    """Raise InvalidInput for a whole-batch method that a framework has nothing like."""
    if optimizer in REASONS and framework not in SEARCHED.get(optimizer, ()):
        reason, hint = REASONS[optimizer]
        raise InvalidInput(Complaint("optimizer", f"{optimizer} cannot go to {framework}: {reason}", hint))
