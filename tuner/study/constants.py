"""Constants of a Python script, replaced without an edit: the script is parsed, and only their values change."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any

__all__ = ["constants_in", "difference_of", "with_constants"]


def constants_in(text: str) -> dict[str, list[ast.expr]]:
    """Return the values that a script gives to names at its top, and to `Class.name` in a class. Raises SyntaxError."""
    found: dict[str, list[ast.expr]] = {}
    for name, value in _assigned(ast.parse(text).body, ""):
        found.setdefault(name, []).append(value)
    return found


def _assigned(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield prefix + node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield prefix + node.target.id, node.value
        elif isinstance(node, ast.ClassDef) and not prefix:
            yield from _assigned(node.body, f"{node.name}.")


def with_constants(text: str, values: Mapping[str, Any]) -> str:
    """Return a script in which constants have other values. Names that it does not have are left out.

    ```python
    with_constants("LR = 0.1  # rate", {"LR": 0.2})  # LR = 0.2  # rate
    ```
    """
    known = constants_in(text)
    lines = [line.encode() for line in text.splitlines(keepends=True)]  # columns count bytes
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    data = b"".join(lines)
    places = [(node, values[name]) for name, nodes in known.items() if name in values for node in nodes[:1]]
    for node, value in sorted(places, key=lambda place: (place[0].lineno, place[0].col_offset), reverse=True):
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        data = data[:first] + _written(value, node).encode() + data[last:]
    return data.decode()


def _written(value: Any, node: ast.expr) -> str:
    """Write a value as Python; a list where the script has a list, a tuple where it has a tuple."""
    if isinstance(value, list | tuple):
        inner = ", ".join(_written(item, node) for item in value)
        if isinstance(node, ast.Tuple):
            return f"({inner}{',' * (len(value) == 1)})"
        return f"[{inner}]"
    if isinstance(value, float) and not math.isfinite(value):
        return 'float("nan")' if math.isnan(value) else f"{'-' * (value < 0)}1e999"  # `inf` is no name of a script's
    return repr(value)


def difference_of(text: str, values: Mapping[str, Any], name: str) -> str:
    """Return what `with_constants` changes, as a unified diff without context."""
    before, after = text.splitlines(), with_constants(text, values).splitlines()
    return "\n".join(unified_diff(before, after, name, name, lineterm="", n=0))
