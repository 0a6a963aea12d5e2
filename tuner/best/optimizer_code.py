"""The optimizer alone as source text, with its schedule: for a config that was tuned for training code of one's own."""

from __future__ import annotations

from objectives.errors import Complaint, InvalidInput
from tuner.best import keras, optax, pytorch
from tuner.best.differences import same_steps
from tuner.best.recipe import Recipe
from tuner.best.source import module

__all__ = ["code"]

# What the lines import, and what more where the rate moves.
IMPORTS = {
    "torch": ("import torch", "import math\n\nimport torch"),
    "keras": ("import keras", keras.MOVING),
    "optax": (optax.IMPORTS, f"import math\n\n{optax.IMPORTS}"),
}


def code(recipe: Recipe, framework: str, strict: bool = True) -> str:
    """Write a module that builds the tuned optimizer. Raises InexactMapping, InvalidInput for scikit-learn."""
    if framework not in IMPORTS:
        what = "scikit-learn has no optimizer apart from its estimators"
        raise InvalidInput(Complaint("framework", what, "take the values: --to json"))
    found = same_steps(recipe, framework, strict)
    parts = {"torch": pytorch, "keras": keras, "optax": optax}[framework].optimizer_text(recipe)
    if framework == "torch" and recipe.moves:
        parts = [*parts, pytorch.scheduler_text(recipe)]
    said = [*recipe.notes, *(f"NOT the tuned steps, but the nearest: {one}." for one in found)]
    return module("\n".join(f"# {line}" for line in said) + f"\n{IMPORTS[framework][recipe.moves]}", *parts)
