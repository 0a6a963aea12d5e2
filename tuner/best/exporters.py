"""The frameworks that a best config can be written for, one row each.

The standard library alone, as `load_best` reads it; the module of a row is imported when its code is asked for. It has
`code(recipe, strict)`, which writes a module that trains the tuned model, and `optimizer_parts(recipe)`, the imports
and functions of the optimizer alone, for configs that were tuned for training code of one's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from tuner.best.recipe import Recipe

__all__ = ["EXPORTERS", "Exporter"]


class Writer(Protocol):
    """What the module of an exporter has."""

    @property
    def code(self) -> Callable[[Recipe, bool], str]:
        """Write a module that builds and trains the tuned model. It raises InexactMapping, InvalidInput."""

    @property
    def optimizer_parts(self) -> Callable[[Recipe], list[str]]:
        """Write the optimizer alone: its imports, then its functions. It raises InvalidInput."""


@dataclass(frozen=True)
class Exporter:
    """A row: the name for `--to`, the name in sentences, the package to install and the module that writes the code.

    `rules` names the framework of `objectives.optimizers.FRAMEWORKS` whose update rules it has, its own by default.
    """

    name: str
    title: str
    package: str
    module: str
    rules: str = ""

    @property
    def framework(self) -> str:
        """Return the framework whose update rules it has."""
        return self.rules or self.name

    @property
    def install(self) -> str:
        """Return the line that installs it."""
        return f"pip install {self.package}"

    def load(self) -> Writer:
        """Import the module that writes the code."""
        return cast(Writer, import_module(self.module))


_ROWS = (
    Exporter("torch", "PyTorch", "torch", "tuner.best.pytorch"),
    Exporter("keras", "Keras", "keras", "tuner.best.keras"),
    Exporter("optax", "optax", "optax", "tuner.best.optax"),
    Exporter("sklearn", "scikit-learn", "scikit-learn", "tuner.best.sklearn"),
)
EXPORTERS: dict[str, Exporter] = {row.name: row for row in _ROWS}
