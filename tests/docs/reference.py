"""Generate the reference of the manual from the code: study files from their tables, commands from click, Python from
docstrings.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

import annotated_types
import click
from pydantic import AfterValidator, BaseModel, PlainValidator
from pydantic.fields import FieldInfo

import objectives
import tuner
from objectives.data.builtin import BUILTIN, PREFIX
from objectives.data.columns.kinds import KINDS as KINDS_OF_COLUMNS
from objectives.hyperparameter import ASKED, Hyper
from objectives.metrics import METRICS
from objectives.optimizers import OPTIMIZERS, Optimizer
from objectives.schedules import SCHEDULES
from objectives.surfaces import SURFACES
from tuner.algorithms.pruners import PRUNERS
from tuner.algorithms.samplers import SAMPLERS
from tuner.cli.program import program
from tuner.ranking.confirmation_table import confirmation_table
from tuner.ranking.frames import curves_table, trials_table
from tuner.study.domains import Choices, plain
from tuner.study.tables import TABLES

__all__ = ["command_reference", "described_keys", "frame_reference", "key_reference", "python_reference"]

LISTS = {
    "count": "whole number from 1, or a list of them to search",
    "layers": "list of sizes, or a list of such lists to search",
    "class_weights": '`"none"`, `"balanced"` or a table of weights by class; or a list of them to search',
    "program": "list of words",
    "scorers": "list of scorers of scikit-learn",
    "rising": "list of rising whole numbers",
    "configs": "list of configs",
    "distinct": "list of devices",
    "mark_of": "one letter, or the name of one",
    "header_lines": "number of a line, a list of adjacent ones, or false",
    "variables": "table of texts",
    "settings_of": "table of values",
    "kinds_of_columns": "table of names, each with one of: " + ", ".join(KINDS_OF_COLUMNS),
}
KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def key_reference() -> str:
    """Return every table and key of a study file, as Markdown."""
    parts = [f"### [{name}]\n\n{key_list(name, model)}" for name, model in with_subtables()]
    return "\n\n".join([*parts, optimizer_reference(), name_reference()])


def with_subtables() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every table of a study file by its dotted name."""
    for name, model in TABLES.items():
        yield name, model
        for key, field in model.model_fields.items():
            if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
                yield f"{name}.{key}", field.annotation


def described_keys(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field of a table, or the description of a field made from a registry."""
    (body,) = (node for node in ast.parse(inspect.getsource(model)).body if isinstance(node, ast.ClassDef))
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(field.target)] = str(text.value.value)
    texts = {key: found.pop(key, field.description) for key, field in model.model_fields.items()}
    return {**found, **{key: text for key, text in texts.items() if text}}


def key_list(name: str, model: type[BaseModel]) -> str:
    """Return a line for each key: its values, its default, and what it does."""
    described = described_keys(model)
    lines = []
    for key, field in model.model_fields.items():
        default = shown_default(field)
        values = capital(kind_of(field)) + (f"; default `{default}`" if default else "")
        lines.append(f"- `{key}`: {described[key]}\n  {values}.")
    return "\n".join(lines)


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def shown_default(field: FieldInfo) -> str:
    """Return a default as TOML writes it; nothing where there is none."""
    value = plain(field.default) if isinstance(field.default, Choices | tuple) else field.default
    if value is None or value == [] or value == {} or isinstance(value, BaseModel):
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def kind_of(field: FieldInfo) -> str:
    """Return the values that a key may have, in words."""
    annotation, metadata = unwrapped(field.annotation, list(field.metadata))
    for one in metadata:
        if isinstance(one, PlainValidator | AfterValidator):
            return read_by(one.func)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "table"
    kinds = [unwrapped(one, [])[0] for one in get_args(annotation) or (annotation,)]
    return " or ".join(KINDS[kind] for kind in kinds if kind in KINDS) + bounds_of(metadata)


def unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """Take a type out of its `Annotated` and its `| None`, and gather what is annotated."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return unwrapped(inner, [*metadata, *more])
    options = [one for one in get_args(annotation) if one is not types.NoneType]
    if len(options) == 1 and get_origin(annotation) is not tuple:
        return unwrapped(options[0], metadata)
    return annotation, [part for one in metadata for part in (one.metadata if isinstance(one, FieldInfo) else [one])]


def bounds_of(metadata: list[Any]) -> str:
    """Return the bounds of a number, in words."""
    words = []
    for one in metadata:
        for kind, word in (("Ge", "from"), ("Gt", "above"), ("Le", "to"), ("Lt", "below")):
            if isinstance(one, getattr(annotated_types, kind)):
                words.append(f"{word} {number(getattr(one, kind.lower()))}")
    return f" {' '.join(words)}" if words else ""


def number(value: float) -> str:
    """Return a bound as people write it."""
    return "2^63" if value == 2**63 else f"{value:,}" if value == int(value) else f"{value:g}"


def read_by(read: Callable[..., Any]) -> str:
    """Return the values that a reader of the schema accepts, from what it closes over."""
    inside = inspect.getclosurevars(read).nonlocals
    if isinstance(inside.get("one"), types.FunctionType):
        names = inspect.getclosurevars(inside["one"]).nonlocals["options"]
        return f"{listed(names)}; or a list of them to search"
    if isinstance(inside.get("hyper"), Hyper):
        return f"number in {inside['hyper'].valid}; or a list or a range to search"
    if "options" in inside:
        return listed(inside["options"])
    return f"list of {inside['what']}" if "what" in inside else LISTS[read.__name__]


def listed(names: Any) -> str:
    """Return names as a list in words."""
    return ", ".join(f'`"{name}"`' for name in names)


def optimizer_reference() -> str:
    """Return every optimizer with its hyperparameters."""
    head = "### [optimizers.NAME]\n\nEvery optimizer, its default values, and the range that an empty table searches."
    return "\n\n".join([head, "\n".join(f"- `{row.name}`: {optimizer_line(row)}" for row in OPTIMIZERS.values())])


def optimizer_line(row: Optimizer) -> str:
    """Return the keys of an optimizer's table."""
    keys = [f"`{hyper.name}` {hyper_words(hyper)}" for hyper in row.hypers]
    keys += [f"`{flag.name}` false" for flag in row.flags]
    return f"{row.summary}.\n  {'; '.join(keys) or 'No keys'}."


def hyper_words(hyper: Hyper) -> str:
    """Return a hyperparameter's default and preset range."""
    if hyper.tier >= ASKED:
        return f"{hyper.default:g}"
    from_ = "" if hyper.tier <= 1 else f" from {hyper.tier} trials on"
    return f"{hyper.default:g} (searched {hyper.low:g} to {hyper.high:g}{from_})"


def name_reference() -> str:
    """Return the names that keys take: data sets, schedules, samplers, pruners, metrics."""
    data = {PREFIX + name: f"{row.rows:,} rows, {len(row.features)} columns" for name, row in BUILTIN.items()}
    surfaces = {f"surface:{row.name}": f"begins at {[float(x) for x in row.start]}" for row in SURFACES.values()}
    metrics = {
        f"valid_{row.name}": f"{row.summary}; of {' and '.join(row.tasks)} tasks; {row.direction}"
        for row in METRICS.values()
    }
    parts = [name_list("Data sets", data), name_list("Analytic surfaces", surfaces), name_list("Metrics", metrics)]
    parts.append(name_list("Schedules", {row.name: row.summary for row in SCHEDULES.values()}))
    parts.append(name_list("Samplers", {row.name: row.summary for row in SAMPLERS.values()}))
    parts.append(name_list("Pruners", {row.name: row.summary for row in PRUNERS.values()}))
    return "\n\n".join(parts)


def name_list(head: str, names: Mapping[str, str]) -> str:
    """Return a section with a line a name."""
    return "\n".join([f"### {head}\n", *(f"- `{name}`: {text}." for name, text in names.items())])


def command_reference() -> str:
    """Return every command with its help, as Markdown."""
    return "\n\n".join(command_page(command) for command in program.commands.values())


def command_page(command: click.Command) -> str:
    """Return a command: how it is called, what it does, its options."""
    # In the program's context: click keeps the help option that it makes first.
    parent = program.make_context("tuner", [], resilient_parsing=True)
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join([f"tuner {command.name}", *command.collect_usage_pieces(context)])
    records = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    options = [f"- `{names}`: {' '.join(text.split())}" for names, text in filter(None, records)]
    parts = [f"```text\n{usage}\n```", as_markdown(command.help or ""), "\n".join(options)]
    return "\n\n".join([f"### tuner {command.name}", *parts, as_markdown(command.epilog or "")])


def as_markdown(text: str) -> str:
    """Return a part of a command's help; a paragraph that click leaves as it is becomes a block."""
    blocks = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(f"```text\n{block[2:].strip()}\n```" if block.startswith("\b\n") else block for block in blocks)


def python_reference() -> str:
    """Return the public functions and classes of both packages, with their docstrings."""
    parts = []
    for package in (tuner, objectives):
        parts.append(f"## {package.__name__}")
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value):
                parts.append(class_page(f"{package.__name__}.{name}", value))
            elif callable(value):
                parts.append(function_page(f"{package.__name__}.{name}", value, "###"))
            else:
                parts.append(f"### {package.__name__}.{name}\n\nA table of {', '.join(f'`{key}`' for key in value)}.")
    return "\n\n".join(parts)


def frame_reference() -> str:
    """Return the columns of the tables beside the ranking."""
    tables = {"confirmation": confirmation_table, "curves": curves_table, "trials": trials_table}
    return "\n\n".join(f"### result.{name}()\n\n{doc_text(table)}" for name, table in tables.items())


def class_page(name: str, value: type) -> str:
    """Return a class with its public methods and properties."""
    parts = [f"### {name}", doc_text(value)]
    if issubclass(value, Exception | Enum):
        return "\n\n".join(parts)
    for key, member in vars(value).items():
        if key.startswith("_") or not getattr(member, "__doc__", None):
            continue
        if isinstance(member, property):
            parts.append(f"#### .{key}\n\n{doc_text(member)}")
        elif inspect.isfunction(member):
            parts.append(function_page(f".{key}", member, "####"))
    return "\n\n".join(parts)


def function_page(name: str, value: Callable[..., Any], head: str) -> str:
    """Return a function with its signature and its docstring."""
    return f"{head} {name}\n\n```text\n{name}{signature(value)}\n```\n\n{doc_text(value)}"


def signature(value: Callable[..., Any]) -> str:
    """Return the parameters of a function as they are written, with their defaults; of a long one a line each."""
    parameters = [p for p in inspect.signature(value).parameters.values() if p.name != "self"]
    words: list[str] = []
    for place, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and (
            place == 0 or parameters[place - 1].kind is not parameter.KEYWORD_ONLY
        ):
            words.append("*")
        words.append(re.sub(r"<function (\w+) at \w+>", r"\1", str(parameter.replace(annotation=parameter.empty))))
    line = f"({', '.join(words)})"
    return line if len(line) <= 70 else "(\n" + "".join(f"    {word},\n" for word in words) + ")"


def doc_text(value: Any) -> str:
    """Return a docstring as Markdown: tables of columns and lines of code stay as they are."""
    blocks = re.split(r"\n\n+", inspect.getdoc(value) or "")
    return "\n\n".join(f"```text\n{block}\n```" if is_table(block) else block for block in blocks)


def is_table(block: str) -> bool:
    """Return whether a paragraph is laid out in columns."""
    return not block.startswith("```") and any(re.search(r"\S {2,}\S", line) for line in block.splitlines())
