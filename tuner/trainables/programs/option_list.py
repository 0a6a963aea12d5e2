"""Options of a program, as its `--help` and its source tell: names, types, defaults and choices; a range for each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["ProgramOption", "constants_to_tune", "merged_options", "options_of_help", "options_of_source", "range_of"]

ENTRY = re.compile(r"^ {1,8}(?:-\w(?:[ =][^\s,-]\S*)?,? +)?(?P<flag>--[A-Za-z][\w.-]*)(?P<rest>.*)$")
DEFAULT = re.compile(
    r"[\[(](?:type: \w+,)?\s*default[:=]?\s+(?P<value>[^\]),]+?)\s*(?:[;,][^\])]*)?[\])]", re.IGNORECASE
)
CHOICES = re.compile(r"^[ =]+(?:\{(?P<braces>[^{}]+)\}|\[(?P<bars>[^\[\]]+\|[^\[\]]+)\])")
METAVAR = re.compile(r"^[ =](?P<word>[A-Z<][\w<>.-]*|arg\b)")
KINDS = {"FLOAT": "float", "INTEGER": "int", "INT": "int", "BOOLEAN": "flag"}
LOG = re.compile(r"(^|[_.-])(lr|learning_?rate|wd|weight_?decay|decay|eps|epsilon|alpha|lambda|l1|l2|rate)\d?$", re.I)
SHARE = re.compile(r"drop|momentum|beta\d?$|smooth|ratio|prob", re.I)
SIZES = re.compile(r"batch|hidden|dim|width|units|embd|embed|layers?$|depth|heads?$", re.I)
LEFT = re.compile(  # what is set, and not tuned
    r"(^|[_.-])(seed|epochs?|iters?|steps?|workers?|ports?|gpus?|device|rank|log|print|interval|save|out|output|dir|path"
    r"|file|data|dataset|resume|checkpoint|ckpt|help|version|verbose|quiet|debug|test|eval|wandb|project|config|classes"
    r"|threads|jobs|name)([_.-]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ProgramOption:
    """An option: its flag with dashes, its kind ("float", "int", "flag", "text" or ""), default and choices."""

    flag: str
    kind: str = ""
    default: Any = None
    choices: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """Return its name as a parameter."""
        return self.flag.lstrip("-").replace("-", "_")


def options_of_help(text: str) -> list[ProgramOption]:
    """Read the options from what argparse, click, absl and others print for `--help`."""
    found: dict[str, ProgramOption] = {}
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if entry := ENTRY.match(line):
            flags = re.findall(r"--[A-Za-z][\w.-]*", re.split(r" {2,}", line.strip())[0])
            flag = next((one for one in flags if not one.startswith("--no-")), flags[0])
            rest = line[line.index(flags[-1]) + len(flags[-1]) :]
            further = [more for more in _below(lines[i + 1 :])]
            option = _option(flag, rest, " ".join([line, *further]), switch=len(flags) > 1 and "--no-" in line)
            if entry and flag not in ("--help", "--version"):
                found.setdefault(flag, option)
    return list(found.values())


def _below(lines: list[str]) -> Iterator[str]:
    """Yield the lines of an option's description that follow its first line."""
    for line in lines:
        if not line.startswith(" " * 9):
            return
        yield line.strip()


def _option(flag: str, rest: str, text: str, switch: bool) -> ProgramOption:
    choices = CHOICES.match(rest)
    metavar = METAVAR.match(rest)
    default = DEFAULT.search(text)
    value = literal_of(default["value"]) if default else None
    if choices:
        words = re.split(r"[|,]", choices["braces"] or choices["bars"])
        return ProgramOption(flag, "text", value, tuple(literal_of(word.strip()) for word in words))
    if switch or not metavar:
        return ProgramOption(flag, "flag", value if isinstance(value, bool) else False)
    kind = KINDS.get(metavar["word"].strip("<>").upper(), "") or kind_of_value(value)
    return ProgramOption(flag, kind, float(value) if kind == "float" and isinstance(value, int) else value)


def literal_of(text: str) -> Any:
    """Return the value that a text stands for: a number, a flag, a list; or the text."""
    with suppress(ValueError, SyntaxError):
        return ast.literal_eval(text.strip())
    return {"true": True, "false": False, "none": None}.get(text.strip().lower(), text.strip())


def kind_of_value(value: Any) -> str:
    """Return the kind of an option with such a default."""
    kinds = {bool: "flag", int: "int", float: "float", str: "text"}
    return kinds.get(type(value), "")


def options_of_source(text: str) -> list[ProgramOption]:
    """Read the options that a script declares by `add_argument`, or by decorators of click."""
    found = []
    with suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(text)):
            called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            if isinstance(node, ast.Call) and called in ("add_argument", "option"):
                flags = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                long = [flag.partition("/")[0] for flag in flags if flag.startswith("--")]
                if long:
                    found.append(_declared(long[0], {word.arg: word.value for word in node.keywords if word.arg}))
    return found


def _declared(flag: str, words: dict[str, ast.expr]) -> ProgramOption:
    def value(name: str) -> Any:
        with suppress(ValueError, KeyError):
            return ast.literal_eval(words[name])
        return None

    if value("action") in ("store_true", "store_false") or value("is_flag"):
        return ProgramOption(flag, "flag", value("action") == "store_false")
    typed = words.get("type")
    kind = {"float": "float", "int": "int", "str": "text"}.get(typed.id, "") if isinstance(typed, ast.Name) else ""
    choices = value("choices") or ()
    default = value("default")
    kind = kind or kind_of_value(default)
    default = float(default) if kind == "float" and isinstance(default, int) else default
    return ProgramOption(flag, kind, default, tuple(choices))


def merged_options(shown: list[ProgramOption], declared: list[ProgramOption]) -> list[ProgramOption]:
    """Complete what `--help` shows with what the source declares."""
    known = {option.flag: option for option in declared}
    found = []
    for option in shown:
        other = known.get(option.flag)
        if other is not None:
            default = option.default if option.default is not None else other.default
            kind = other.kind or option.kind
            option = replace(option, kind=kind, default=default, choices=option.choices or other.choices)
        found.append(option)
    return found or declared


def range_of(option: ProgramOption) -> tuple[Any, bool] | None:
    """Return values to search for an option, and whether it is one that is usually tuned; None where it is not.

    A learning rate is searched on a log scale around its default, sizes from half to twice, shares up to one half.
    """
    value, name = option.default, option.name
    if LEFT.search(name):
        return None
    if option.choices:
        return (list(option.choices), False) if len(option.choices) > 1 else None
    if option.kind == "flag":
        return [False, True], False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if LOG.search(name) and value > 0:
        return {"low": float(f"{value / 10:.3g}"), "high": float(f"{value * 10:.3g}"), "log": True}, True
    if SHARE.search(name) and 0 <= value < 1:
        return {"low": 0.0, "high": 0.5 if value <= 0.5 else 0.99}, True
    if isinstance(value, int) and value > 1:
        if "batch" in name.lower():
            return [max(1, value // 2), value, value * 2], True
        return {"low": max(1, value // 2), "high": value * 2}, bool(SIZES.search(name))
    if isinstance(value, float) and value > 0:
        return {"low": float(f"{value / 3:.3g}"), "high": float(f"{value * 3:.3g}"), "log": True}, False
    return None


def constants_to_tune(text: str) -> list[ProgramOption]:
    """Return the constants of a script with a number, a flag or a text for a value, as options."""
    from tuner.study import constants_in

    found = []
    with suppress(SyntaxError, ValueError):
        for name, nodes in constants_in(text).items():
            value = getattr(nodes[0], "value", None) if isinstance(nodes[0], ast.Constant) else None
            if len(nodes) == 1 and isinstance(value, int | float) and not isinstance(value, bool):
                found.append(ProgramOption(name, kind_of_value(value), value))
    return found
