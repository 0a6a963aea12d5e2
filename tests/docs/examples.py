"""Run the examples of a page: its Python, its study files and its commands, in the order of the page.

A fence says what a block is: `python` runs, `toml` is a study or a part of one, `console` holds commands after `$` with
their output below, and a `title="NAME"` makes a file of the block. Other fences are not run: `text`, `sh` (other
programs), and `py` (needs every framework: the tests of exporters run it).
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tuner

__all__ = ["Block", "blocks_of", "check_output", "check_study", "run_page"]

FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?[\d,.]*\d(?:e[-+]?\d+)?")
DATA = {"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}}
CODE = {"parameters": {"x": {"low": 0.0, "high": 1.0}}}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its file's name or "", and its text."""

    language: str
    title: str
    text: str


def blocks_of(page: str) -> list[Block]:
    """Return every fenced block of a page that names its language."""
    return [Block(*found.groups(default="")) for found in FENCE.finditer(page)]


def run_page(page: str, folder: Path, command: Callable[[list[str]], str]) -> dict[str, Any]:
    """Run the examples of a page in `folder`, the working directory; return the names that its Python defines.

    `command` runs the words after `tuner` and returns what they print. Raises AssertionError where an output differs.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = blocks_of(page)
    for block in blocks:
        if block.title and block.language == "python":
            (folder / block.title).write_text(block.text, encoding="utf-8")
    for block in blocks:
        if block.language == "toml":
            check_study(block, folder)
        elif block.language == "python" and not block.title:
            exec(compile(block.text, "an example", "exec"), names)
        elif block.language == "console":
            for line, shown in commands_of(block.text):
                words = shlex.split(line)
                assert words[0] == "tuner", f"{line}: only commands of tuner stand in a console block"
                check_output(line, shown, command(words[1:]))
    return names


def check_study(block: Block, folder: Path) -> None:
    """Read a study file, or a part of one laid over a small study. Raises StudyError.

    A file that a command of the page has written has to be the same.
    """
    if block.title:
        file = folder / block.title
        if file.exists():  # a command above has written it
            assert file.read_text(encoding="utf-8") == block.text
        file.write_text(block.text, encoding="utf-8")
        tuner.read_study(file)
        return
    part = tomllib.loads(block.text)
    study = part.get("study", {})
    code = bool({"command", "objective"} & set(study))
    whole = "data" in part and "source" in part["data"] and "optimizers" in part
    base: Mapping[str, Any] = {} if whole else CODE if code else DATA
    if part.keys() <= {"data"} and not whole:
        (folder / "part.csv").write_text("patient,date,part,x,y\n1,2026-01-01,train,0,a\n", encoding="utf-8")
        base = {**DATA, "data": {"source": "part.csv", "target": "y"}}
    laid = {name: {**base.get(name, {}), **part.get(name, {})} for name in {*base, *part}}
    place = str(study.get("objective", "")).partition(":")[0]
    if place and not (folder / place).exists():
        (folder / place).touch()
    if code and "parameters" in part:
        laid["parameters"] = part["parameters"]
    tuner.read_study({**laid, "study": {"name": "example", **laid.get("study", {})}}, base=folder)


def commands_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command line of a console block with the lines shown below it."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start][2:], lines[start + 1 : end]


def check_output(line: str, shown: list[str], printed: str) -> None:
    """Check that every line shown is printed, whatever its numbers: last digits differ between machines.

    Rows of a ranking or a confirmation may then change places, so they are not compared.
    """
    known = [masked(one) for one in printed.splitlines()]
    for one in shown:
        if one.strip() not in ("", "...") and not re.match(r"#?\d+=? ", one):
            found = any(is_shown(masked(one), other) for other in known)
            assert found, f"$ {line}\ndoes not print: {one}\nbut:\n{printed}"


def is_shown(shown: str, printed: str) -> bool:
    """Return whether two lines are the same; a line that ends in ` ...` or heads a ranking may have been cut."""
    if shown.endswith(" ...") or shown.startswith("RANK "):
        return printed.startswith(shown.removesuffix(" ..."))
    return printed == shown


def masked(line: str) -> str:
    """Return a line without its numbers and the widths of its columns."""
    return " ".join(NUMBER.sub("#", line).split())
