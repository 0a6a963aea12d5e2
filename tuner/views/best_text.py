"""The best config as text: a file, JSON, arguments of a command line, or code of a framework that needs no tuner."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from tuner.best import Best
from tuner.best.exporters import EXPORTERS
from tuner.orchestrator.artifacts import best_text
from tuner.report.snippets import args
from tuner.text import clean
from tuner.views.json_values import document_json

__all__ = ["best_as"]


def best_as(best: Best, form: str, nearest: bool = False) -> tuple[str, list[str]]:
    """Write a best config in a form of `FORMS` or as code of a framework; returns the text, and warnings about it.

    Raises InexactMapping where the framework cannot make the same steps, unless the nearest will do.
    """
    if form not in EXPORTERS:
        return FORMS[form](best), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        text = best.to_code(form, strict=not nearest)
    return text, [str(one.message) for one in caught]


FORMS: dict[str, Callable[[Best], str]] = {
    "toml": lambda best: clean(best_text(best), lines=True),
    "json": lambda best: document_json(best.document()),
    "args": lambda best: clean(args(best), lines=True),
}
