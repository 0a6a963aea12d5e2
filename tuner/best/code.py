"""The code of a framework that makes and trains what was tuned."""

from __future__ import annotations

from objectives.errors import Complaint, InvalidInput
from tuner.best.recipe import OWN, Recipe

__all__ = ["code_of"]


def code_of(recipe: Recipe, framework: str, strict: bool = True) -> str:
    """Write a module for "torch", "keras", "optax" or "sklearn" that builds and trains the tuned model.

    Raises InexactMapping, and InvalidInput for what the framework does not have at all.
    """
    from tuner.best import keras, optax, pytorch, sklearn

    codes = {"torch": pytorch.code, "keras": keras.code, "optax": optax.code, "sklearn": sklearn.code}
    if recipe.task == "surface":
        what = "an analytic surface has no model, so there is no training to write"
        raise InvalidInput(Complaint("task", what, f"take the optimizer alone: best.to_{framework}(...)"))
    if recipe.task == OWN:
        from tuner.best.optimizer_code import code

        return code(recipe, framework, strict)
    return codes[framework](recipe, strict)
