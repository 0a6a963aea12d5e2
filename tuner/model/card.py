"""The model card: what a shipped model is, for people, in Markdown. The same model has the same card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives.data.preparation import DATE, TEXT, InputColumn
from tuner.model.trained import TrainedModel

__all__ = ["card_of"]

MOST_COLUMNS = 200  # that the table shows
MOST_CATEGORIES = 12
NAMES = {"ensemble": "ensemble", "single": "a single network"}


def card_of(model: TrainedModel) -> str:
    """Return the card of a model."""
    parts = [_what(model), _use(model), _worth(model), _beware(model), _columns(model), _config(model)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(model: TrainedModel) -> str:
    facts, training, data = model.facts, model.facts["training"], model.facts["data"]
    members, target = model.network.members, model.preparation.target
    kind = "an ensemble of " + f"{members} networks" if members > 1 else "one network"
    hidden = " x ".join(map(str, model.network.hidden))
    shape = f"hidden layers {hidden}, {model.network.activation}" if hidden else "linear"
    lines = [
        f"# Model of study {facts['study']}",
        "",
        f"A {model.task} model{f' of {_cell(target)}' if target else ''}: {kind} ({shape}).",
        f"Trained on {training['rows']:,} rows ({training['rows_of']}) of `{data['source']}`, data digest "
        f"`{data['digest'][:12]}`; its config, trial {facts['trial']}, was chosen on {training['searched_on']:,} rows "
        f"and trained for as many {training['carried']} here.",
    ]
    if column := facts.get("weight"):
        lines.append(f"Rows count by the column {_cell(column)}, in training and in the metrics below.")
    if model.threshold is not None:
        second, goal = _cell(model.classes[1]), facts["goal"]
        lines.append(f"{second} is said above a probability of {model.threshold:.4g}, where {goal} was best.")
    if model.classes:
        lines.append(f"Classes: {', '.join(_cell(name) for name in model.classes)}.")
    if training["diverged"]:
        lines.append(f"{training['diverged']} of the seeds diverged and were left out.")
    return "\n".join(lines)


def _use(model: TrainedModel) -> str:
    return f"""## Use

```python
import tuner

model = tuner.load_model("runs/{model.facts["study"]}")  # needs NumPy alone
model.predict(rows)  # a frame, a mapping of columns, a list of mappings, or an array
```"""


def _worth(model: TrainedModel) -> str:
    if not model.metrics:
        return "## Worth\n\nTrained on the test rows too: nothing is left to judge it by."
    rows = [
        f"| {name} | {NAMES[kind]} | {_number(one['value'])} | {_range(one)} |"
        for name, kinds in model.metrics.items()
        for kind, one in kinds.items()
    ]
    for label, metrics in model.facts.get("baselines", {}).items():
        for name, one in metrics.items():
            rows.append(f"| {name} | {label}, at its defaults | {_number(one['value'])} | {_range(one)} |")
    head = "| metric | of | value | 95 % interval for new rows |\n| --- | --- | ---: | ---: |"
    said = f"On {model.facts['test_rows']:,} test rows, which neither trained nor chose anything."
    return "\n".join(["## Worth", "", said, "", head, *rows])


def _beware(model: TrainedModel) -> str:
    lines = [f"- {note}" for note in model.facts["notes"]]
    lines.append("- rows that lie outside of the ranges below by a tenth of their width are counted and warned of")
    return "\n".join(["## What to beware of", "", *lines])


def _columns(model: TrainedModel) -> str:
    columns = model.preparation.columns
    rows = [_row(column) for column in columns[:MOST_COLUMNS]]
    more = [f"\nand {len(columns) - MOST_COLUMNS} more."] if len(columns) > MOST_COLUMNS else []
    aside = model.preparation.aside
    more += [f"\nNot used: {', '.join(_cell(name) for name in aside)}."] if aside else []
    head = "| column | type | values in training | missing |\n| --- | --- | --- | ---: |"
    return "\n".join(["## Columns", "", head, *rows, *more])


def _row(column: InputColumn) -> str:
    return f"| {_cell(column.name)} | {column.kind} | {_values(column)} | {column.gaps or ''} |"


def _values(column: InputColumn) -> str:
    if column.kind == TEXT:
        shown: Sequence[str] = column.categories[:MOST_CATEGORIES]
        more = len(column.categories) - len(shown)
        return ", ".join(map(_cell, shown)) + (f" and {more} more" if more else "")
    ends = [column.low, column.high]
    words = [str(np.datetime64(0, "D") + int(end)) if column.kind == DATE else f"{end:.6g}" for end in ends]
    return f"{words[0]} to {words[1]}" + (", taken as constant" if column.constant else "")


def _config(model: TrainedModel) -> str:
    rows = [f"| {key} | {_cell(value)} |" for key, value in model.facts["config"].items()]
    return "\n".join(["## Config", "", "| setting | value |", "| --- | --- |", *rows])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _range(one: Mapping[str, Any]) -> str:
    return f"[{_number(one['low'])}, {_number(one['high'])}]" if one["low"] is not None else "not known"


def _cell(value: Any) -> str:
    """Return a value as text that cannot end a cell of a table or begin markup."""
    plain = " ".join(str(value).split())
    return "".join(f"\\{letter}" if letter in "\\|`*_[]<>" else letter for letter in plain)
