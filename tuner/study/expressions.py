"""Conditions over the parameters of a config: `d_model % heads == 0`, `warmup < steps`. Parsed, never run as code.

An expression has names of parameters (with dots too), numbers, texts, lists, arithmetic, comparisons, `and`, `or`,
`not`, `in`, a place in a list (`hidden[0]`), and `min`, `max`, `abs`, `len`, `sum`, `round`.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuner.study.hints import shown
from tuner.study.problems import InvalidValue

__all__ = ["CONSTRAINTS", "Expression", "expression_of"]

CONSTRAINTS = "constraints"  # the table's name
MOST_TEXT = 500  # characters
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "len": len, "sum": sum, "round": round,
}  # fmt: skip
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Not: operator.not_, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A condition over a config: its text, its tree and the parameters that it names."""

    text: str
    tree: ast.expr
    names: frozenset[str]

    def holds(self, config: Mapping[str, Any]) -> bool:
        """Return True if a config meets it, or lacks a parameter that it names; False where it cannot be computed.

        Raises TypeError for values that cannot be compared or reckoned with.
        """
        if not all(name in config for name in self.names):
            return True
        try:
            return bool(_value(self.tree, config))
        except (ZeroDivisionError, OverflowError, IndexError, ValueError):
            return False


def expression_of(text: Any) -> Expression:
    """Parse a condition. Raises InvalidValue for what is none."""
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT:
        raise InvalidValue(f"must be a condition, but got {shown(text)}", 'write "d_model % heads == 0"')
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise InvalidValue(f"{shown(text)} is no condition: {reason}", 'write "d_model % heads == 0"') from None
    names: set[str] = set()
    _check(tree, text, names)
    if not names:
        raise InvalidValue(f"{shown(text)} names no parameter", 'write "d_model % heads == 0"')
    return Expression(text.strip(), tree, frozenset(names))


def _check(node: ast.AST, text: str, names: set[str]) -> None:
    """Check that a tree has nothing but what an expression may have, and gather its names. Raises InvalidValue."""
    if (name := _name(node)) is not None:
        names.add(name)
        return
    if isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS and not node.keywords
        parts: list[ast.AST] = list(node.args)
    else:
        parts = list(ast.iter_child_nodes(node))
        known = isinstance(
            node,
            ast.BoolOp | ast.And | ast.Or | ast.UnaryOp | ast.BinOp | ast.Compare | ast.Tuple | ast.List
            | ast.Subscript | ast.Load | ast.Pow,
        ) or type(node) in OPERATORS  # fmt: skip
        known = known or (isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str))
    if not known:
        piece = ast.get_source_segment(text.strip(), node) if isinstance(node, ast.expr) else type(node).__name__
        what = f"{shown(text)} has {shown(piece)}, which a condition may not have"
        raise InvalidValue(what, f"use + - * / // % ** < <= == != and or not in, {', '.join(FUNCTIONS)}")
    for part in parts:
        _check(part, text, names)


def _name(node: ast.AST) -> str | None:
    """Return the parameter that a node names, with its dots; None where it names none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _name(node.value)) is not None:
        return f"{before}.{node.attr}"
    return None


def _value(node: ast.AST, config: Mapping[str, Any]) -> Any:
    """Return the value of a checked tree."""
    if (name := _name(node)) is not None:
        value = config[name]
        return tuple(value) if isinstance(value, list) else value
    match node:
        case ast.Constant():
            return node.value
        case ast.BoolOp():
            parts = (_value(part, config) for part in node.values)
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        case ast.UnaryOp():
            return OPERATORS[type(node.op)](_value(node.operand, config))
        case ast.BinOp():
            return _reckoned(node.op, _value(node.left, config), _value(node.right, config))
        case ast.Compare():
            values = [_value(part, config) for part in (node.left, *node.comparators)]
            return all(OPERATORS[type(op)](values[i], values[i + 1]) for i, op in enumerate(node.ops))
        case ast.Tuple() | ast.List():
            return tuple(_value(part, config) for part in node.elts)
        case ast.Subscript():
            return _value(node.value, config)[_value(node.slice, config)]
        case ast.Call():
            return FUNCTIONS[str(_name(node.func))](*(_value(part, config) for part in node.args))
    raise TypeError(type(node).__name__)


def _reckoned(op: ast.operator, left: Any, right: Any) -> Any:
    """Return left `op` right of numbers alone: texts and lists could grow. Raises TypeError."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError(f"{shown(left)} and {shown(right)} are not both numbers")
    if isinstance(op, ast.Pow):
        return math.pow(left, right)
    found = OPERATORS[type(op)](left, right)
    if abs(found) > 10.0**300:
        raise OverflowError
    return found
