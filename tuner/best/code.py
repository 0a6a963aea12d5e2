"""The code of a framework that makes and trains what was tuned, or makes the optimizer alone."""

from __future__ import annotations

from objectives.errors import Complaint, InvalidInput
from tuner.best.differences import same_steps
from tuner.best.exporters import EXPORTERS, Exporter
from tuner.best.recipe import OWN, Recipe
from tuner.best.source import module

__all__ = ["code_of"]


def code_of(recipe: Recipe, framework: str, strict: bool = True) -> str:
    """Write a module for one of `EXPORTERS` that builds and trains the tuned model.

    A config that was tuned for training code of one's own gets its optimizer alone. Raises InexactMapping, and
    InvalidInput for what the framework does not have at all.
    """
    exporter = EXPORTERS[framework]
    if recipe.task == "surface":
        what = "an analytic surface has no model, so there is no training to write"
        raise InvalidInput(Complaint("task", what, "take the optimizer alone in Python, as best.to_torch(params)"))
    if recipe.task == OWN:
        return _optimizer_alone(recipe, exporter, strict)
    return exporter.load().code(recipe, strict)


def _optimizer_alone(recipe: Recipe, exporter: Exporter, strict: bool) -> str:
    """Write a module that builds the tuned optimizer, with comments on its origin and on what differs."""
    imports, *parts = exporter.load().optimizer_parts(recipe)
    found = same_steps(recipe, exporter.framework, strict)
    said = [*recipe.notes, *(f"NOT the tuned steps, but the nearest: {one}." for one in found)]
    return module("\n".join(f"# {line}" for line in said) + f"\n{imports}", *parts)
