"""Generate the map of packages from the order of the layers and the first sentence of each docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.test_layers import LAYERS

__all__ = ["package_map", "units"]

ROOT = Path(__file__).parents[2]


def units() -> list[str]:
    """Return the packages and loose modules of both packages, from the bottom up."""
    return [unit for row in LAYERS for unit in row]


def package_map() -> str:
    """Return a line for each package and loose module."""
    parts = []
    for root in ("objectives", "tuner"):
        lines = [line_of(unit) for unit in units() if unit.startswith(f"{root}.")]
        parts.append("\n".join([f"### {root}\n", *lines]))
    return "\n\n".join(parts)


def line_of(unit: str) -> str:
    """Return the place of a package or module, and the first sentence of its docstring."""
    place = unit.replace(".", "/")
    folder = (ROOT / place).is_dir()
    text = (ROOT / place / "__init__.py" if folder else ROOT / f"{place}.py").read_text(encoding="utf-8")
    paragraph = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0].replace("\n", " ")
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z`])", paragraph, maxsplit=1)[0]
    return f"- `{place}{'/' if folder else '.py'}`: {first}"
