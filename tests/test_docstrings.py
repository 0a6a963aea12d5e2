"""Docstrings of functions begin with a verb in the imperative, so that each reads as a sentence at first sight."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = sorted(path for package in ("objectives", "tuner") for path in (ROOT / package).rglob("*.py"))
LEAST = 0.98  # of all functions with a docstring

# Add a verb here where it is the field's word for what a function does.
VERBS = """
add advance align allocate answer apply arrange ask attribute average begin build call check choose clip close
collect combine commit compare complain complete compute concatenate confirm connect convert copy count create cut
define delete describe diagnose discard display divide do draft draw drop encode end escape estimate evaluate
execute explain export extract fill find fit flatten format give group hand hash hold import infer initialise invert
join keep kill layer leave let limit list load log look make map measure merge minimise move name narrow note number
offset open pad pair parse pickle point predict prepare print project propose put queue quote race raise rank read
record redirect refit register remove rename render renumber replace report resolve retrain return round run say
search seed select send serve set shorten show silence solve sort split spread stack standardise start stop store
stretch style submit suggest sum summarise switch take tell test train transform translate treat turn unpickle
update use validate wait warn weight widen wrap write yield
"""


def first_words(path: Path) -> list[tuple[str, str]]:
    """Return the place and the first word of each function's docstring in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            found.append((place, text.split()[0].lower().strip(".,:;`")))
    return found


def test_docstrings_of_functions_begin_with_a_verb() -> None:
    words = [one for path in FILES for one in first_words(path)]
    others = [f"{place}: {word}" for place, word in words if word not in VERBS.split()]
    assert len(words) > 2000
    assert len(others) <= (1 - LEAST) * len(words), "\n".join(others)
