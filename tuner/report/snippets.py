"""The best config as text to copy: code for each framework, and the config in three forms. One row each."""

from __future__ import annotations

import json
import shlex
import warnings
from collections.abc import Callable, Sequence

from objectives.errors import InvalidInput
from tuner.best import Best
from tuner.best.exporters import EXPORTERS
from tuner.errors import TunerError
from tuner.placeholders import words_of

__all__ = ["SNIPPETS", "args", "snippets"]


def code(framework: str) -> Callable[[Best], str]:
    """Build the function that writes code for a framework, or says why there is none; the code names all
    differences.
    """

    def write(best: Best) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return best.to_code(framework, strict=False)
            except (TunerError, InvalidInput) as error:
                return "".join(f"# {line}\n" for line in str(error).splitlines())

    return write


def toml(best: Best) -> str:
    """Write the config as in best.toml."""
    import tomli_w

    return tomli_w.dumps(best.document())


def as_json(best: Best) -> str:
    """Write the config alone as JSON."""
    return json.dumps(best.document()["config"], indent=2) + "\n"


def args(best: Best) -> str:
    """Write `--optimizer nesterov --lr 0.04 --batch-size 32`, quoted for a shell; of a command, its own line.

    What only a run has is there as in a training from the start: seed, no device but the processor, this folder.
    """
    if command := best.model.get("command"):
        return shlex.join(own_line(command, best)) + "\n"
    words: list[str] = []
    moves = best.get("schedule", "constant") != "constant" or best.get("warmup")  # only then does the horizon matter
    for name, value in best.params.items():
        if name == "horizon" and not moves:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words) + "\n"


def own_line(command: Sequence[str], best: Best) -> list[str]:
    """The words of a command for the best config."""
    run = {"trial": best.trial, "seed": best.provenance.get("seed", 0), "split": 0, "start": 0, "stop": best.epochs}
    run |= {"device": "cpu", "phase": "confirm", "directory": ".", "config": "config.json", "python": "python"}
    known = {**run, **best.params}
    return [filled for word in command for filled in words_of(word, known)]


SNIPPETS: dict[str, Callable[[Best], str]] = {
    **{framework: code(framework) for framework in EXPORTERS},
    "toml": toml,
    "json": as_json,
    "args": args,
}


def snippets(best: Best) -> dict[str, str]:
    """Write every form; no framework's if the values' meaning to frameworks is unknown."""
    return {name: write(best) for name, write in SNIPPETS.items() if best.conventions or name not in EXPORTERS}
