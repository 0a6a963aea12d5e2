"""Exporters: a best config as the optimizer, scheduler or estimator of a framework, live or as code.

    conventions, recipe -> differences, schedules -> source -> pytorch, keras, optax, sklearn -> alone, attached

A recipe says what was tuned and under which conventions; `differences` says where a framework does otherwise; a module
for each framework writes source text, which is printed, or run for a live object; `attached` adds the schedule to
torch's, for training code of one's own. No framework is imported before it is asked for.
"""

from __future__ import annotations

from objectives.errors import Complaint, InvalidInput
from tuner.exporters.conventions import conventions_of
from tuner.exporters.recipe import OWN, Recipe, optimizer_part

__all__ = ["OWN", "Recipe", "code_of", "conventions_of", "optimizer_part"]


def code_of(recipe: Recipe, framework: str, strict: bool = True) -> str:
    """Write a module for "torch", "keras", "optax" or "sklearn" that builds and trains the tuned model.

    Raises InexactMapping, and InvalidInput for what the framework does not have at all.
    """
    from tuner.exporters import keras, optax, pytorch, sklearn

    codes = {"torch": pytorch.code, "keras": keras.code, "optax": optax.code, "sklearn": sklearn.code}
    if recipe.task == "surface":
        what = "an analytic surface has no model, so there is no training to write"
        raise InvalidInput(Complaint("task", what, f"take the optimizer alone: best.to_{framework}(...)"))
    if recipe.task == OWN:
        from tuner.exporters.alone import code

        return code(recipe, framework, strict)
    return codes[framework](recipe, strict)
