"""The best config as text to copy: one tab a form."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

from tuner.best import Best

__all__ = ["SNIPPETS", "snippets"]


def toml(best: Best) -> str:
    """As best.toml has it."""
    import tomli_w

    return tomli_w.dumps(best.document())


def as_json(best: Best) -> str:
    """The config alone."""
    return json.dumps(best.document()["config"], indent=2) + "\n"


def args(best: Best) -> str:
    """As arguments of a command line."""
    words: list[str] = []
    for name, value in best.params.items():
        values = value if isinstance(value, list | tuple) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words) + "\n"


def python(best: Best) -> str:
    """What training code reads."""
    return f'import tuner\n\nbest = tuner.load_best("runs/{best.study}")\nbest["optimizer"], best["lr"], best.epochs\n'


SNIPPETS: dict[str, Callable[[Best], str]] = {"toml": toml, "json": as_json, "args": args, "python": python}


def snippets(best: Best) -> dict[str, str]:
    """Every form."""
    return {name: write(best) for name, write in SNIPPETS.items()}
