"""Sheets: what commands print as rows and columns. One path: filter the columns, then format.

Tables, Markdown and LaTeX are for reading: four digits, and columns that say nothing are hidden. JSON, CSV and Parquet
are for programs: every column, full precision.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tuner.text import cell_text, clean, width
from tuner.views.json_values import json_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FORMATS",
    "FOR_READING",
    "FrameRows",
    "Sheet",
    "as_table",
    "fields",
    "filtered",
    "fitted",
    "formatted",
    "parquet",
    "sheet_of",
]

GAP = "  "
BLOCK = 10_000  # rows of a frame that are plain values at once


@dataclass(frozen=True)
class Sheet:
    """Rows of cells under named columns.

    Of a table: `always` are columns that it never hides, `asides` those that it shows only when asked, `sparse` those
    whose empty cells do not count when it looks for constant ones; `titles` are headings that differ from the column's
    name; `views` are columns as it shows them, some of them in tables alone; it begins with the columns in `order`.
    `frame` is where the rows come from, if from one: the same columns, with their types.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    always: frozenset[str] = frozenset()
    asides: frozenset[str] = frozenset()
    sparse: frozenset[str] = frozenset()
    titles: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    frame: pd.DataFrame | None = None

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column, as a table shows them."""
        if name in self.views:
            return list(self.views[name])
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def only(self, names: Sequence[str]) -> Sheet:
        """Return the sheet reduced to these columns."""
        cells = [self.column(name) for name in names]
        rows = tuple(zip(*cells, strict=True)) if cells else ()
        return replace(self, columns=tuple(names), rows=rows, views={}, order=())

    def title(self, name: str) -> str:
        """Return the heading of a column."""
        return clean(self.titles.get(name, name)).upper()


def sheet_of(frame: pd.DataFrame, **options: Any) -> Sheet:
    """Convert a data frame to a sheet of plain Python values, None where one is missing."""
    return Sheet(tuple(map(str, frame.columns)), tuple(rows_of(frame)), frame=frame, **options)


def rows_of(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a frame as plain Python values, converted block by block."""
    for first in range(0, len(frame), BLOCK):
        block = frame.iloc[first : first + BLOCK]
        cells = [
            [None if missing else _plain(v) for v, missing in zip(c, c.isna(), strict=True)] for _, c in block.items()
        ]
        yield from zip(*cells, strict=True)


class FrameRows(Sequence[tuple[Any, ...]]):
    """The rows of a large frame, which are not kept: each look at them makes them anew."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return rows_of(self.frame)

    def __getitem__(self, place: Any) -> Any:
        part = place if isinstance(place, slice) else slice(place, place + 1 or None)
        found = tuple(rows_of(self.frame.iloc[part]))
        return found if isinstance(place, slice) else found[0]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def fields(document: Mapping[str, Any]) -> Sheet:
    """Flatten a nested document to a sheet: one row for each value, with a dotted key."""
    always = frozenset(("key", "value"))
    return Sheet(("key", "value"), tuple(_leaves(document)), always=always)


def _leaves(document: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            yield from _leaves(dict(enumerate(value)), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def filtered(sheet: Sheet, all_columns: bool = False) -> tuple[Sheet, list[str]]:
    """Return the sheet with its informative columns, and what was hidden: names, and last the number of side notes.

    Hidden are side notes, empty columns, and, where there are rows to compare, columns with one value.
    """
    ordered = [*sheet.order, *(name for name in sheet.columns if name not in sheet.order)]
    if all_columns:
        return sheet.only(ordered), []
    idle = [name for name in ordered if name not in sheet.always | sheet.asides and _idle(sheet, name)]
    kept = [name for name in ordered if name not in idle and name not in sheet.asides]
    rest = len(ordered) - len(kept) - len(idle)
    return sheet.only(kept), [*idle, *([f"{rest} more"] if rest else [])]


def _idle(sheet: Sheet, name: str) -> bool:
    cells = [cell_text(cell) for cell in sheet.column(name)]
    values = {cell for cell in cells if cell or name not in sheet.sparse}
    return not any(cells) or (len(cells) > 1 and len(values) == 1)


def fitted(sheet: Sheet, room: int) -> tuple[Sheet, list[str]]:
    """Return the sheet without the last columns that do not fit `room`, and their names; `always` stays."""
    names, dropped = list(sheet.columns), list[str]()
    widths = {name: _width(sheet, name) for name in names}
    for name in reversed(sheet.columns):
        if sum(widths[kept] + len(GAP) for kept in names) - len(GAP) <= room:
            break
        if name not in sheet.always:
            names.remove(name)
            dropped.insert(0, name)
    return sheet.only(names), dropped


def _width(sheet: Sheet, name: str) -> int:
    return max(map(width, (sheet.title(name), *map(cell_text, sheet.column(name)))))


def as_table(sheet: Sheet) -> str:
    """Pad columns to their widest cell."""
    lines = [[sheet.title(name) for name in sheet.columns], *([cell_text(cell) for cell in row] for row in sheet.rows)]
    widths = [max(width(line[i]) for line in lines) for i in range(len(sheet.columns))]
    return "".join(GAP.join(_padded(c, w) for c, w in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines)


def _padded(cell: str, to: int) -> str:
    return cell + " " * (to - width(cell))


# What would end a cell, or be more than text: code, emphasis, HTML, entities, strikes, links, and escapes themselves.
MARKDOWN = re.compile(r"[\\`*<&|~]|(?<=\])(?=[(\[:])|(?<!\w)_|_(?!\w)")


def as_markdown(sheet: Sheet) -> str:
    """Write a Markdown table, in which every cell is shown as it is."""
    heads = [MARKDOWN.sub(r"\\\g<0>", sheet.title(name).lower()) for name in sheet.columns]
    lines = [heads, ["---"] * len(sheet.columns)]
    lines += [[MARKDOWN.sub(r"\\\g<0>", cell_text(cell)) for cell in row] for row in sheet.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\^{}"}
)


def as_latex(sheet: Sheet) -> str:
    r"""Write a LaTeX tabular that needs no package, with numbers right-aligned; `\input` puts it into a paper."""
    numeric = [all(isinstance(c, int | float | None) for c in sheet.column(name)) for name in sheet.columns]
    lines = [
        [sheet.title(name).lower() for name in sheet.columns],
        *([cell_text(c) for c in row] for row in sheet.rows),
    ]
    head, *body = (" & ".join(cell.translate(LATEX) for cell in line) + r" \\" for line in lines)
    columns = "".join("r" if number else "l" for number in numeric)
    rows = [rf"\begin{{tabular}}{{{columns}}}", r"\hline", head, r"\hline", *body, r"\hline", r"\end{tabular}"]
    return "".join(f"{row}\n" for row in rows)


def as_json(sheet: Sheet) -> str:
    """Write a JSON list with one object for each row."""
    rows = _records(sheet)
    return "[\n" + ",\n".join(f"  {row}" for row in rows) + "\n]\n" if rows else "[]\n"


def as_json_lines(sheet: Sheet) -> str:
    """Write one JSON object a line."""
    return "".join(f"{row}\n" for row in _records(sheet))


def _records(sheet: Sheet) -> list[str]:
    return [
        json.dumps({name: json_value(cell) for name, cell in zip(sheet.columns, row, strict=True)})
        for row in sheet.rows
    ]


def as_csv(sheet: Sheet) -> str:
    """Write CSV at full precision; texts that a spreadsheet would run as a formula get an apostrophe first."""
    return csv_of(sheet.columns, sheet.rows)


def csv_of(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Write CSV from rows that are made as they are written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_cell(name) for name in columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    from tuner.ranking.table import FORMULA

    if value is None or isinstance(value, bool | int | float):
        return "" if value is None or value != value else str(value)
    if isinstance(value, list | tuple):
        return "x".join(map(str, value))
    text = clean(value)
    return f"'{text}" if text.startswith(FORMULA) else text


FORMATS: dict[str, Callable[[Sheet], str]] = {
    "table": as_table,
    "json": as_json,
    "jsonl": as_json_lines,
    "csv": as_csv,
    "md": as_markdown,
    "latex": as_latex,
}
FOR_READING = ("table", "md", "latex")


def formatted(sheet: Sheet, form: str) -> str:
    """Write a filtered sheet in a format."""
    return FORMATS[form](sheet)


def parquet(sheet: Sheet) -> bytes:
    """Write a Parquet file with every column, typed as in its frame, and return its bytes. Raises TunerError
    without pyarrow.
    """
    from tuner.errors import TunerError

    if not _has_pyarrow():
        raise TunerError("Parquet needs pyarrow: pip install 'tuner[parquet]'")
    stream = io.BytesIO()
    frame = _typed(sheet) if sheet.frame is None else sheet.frame
    frame.to_parquet(stream, index=False, engine="pyarrow")
    return stream.getvalue()


def _has_pyarrow() -> bool:
    return find_spec("pyarrow") is not None


def _typed(sheet: Sheet) -> pd.DataFrame:
    """Build a frame of the rows; a column of several types becomes text."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name, cells in zip(sheet.columns, zip(*sheet.rows, strict=True), strict=False):
        kinds = {type(cell) for cell in cells if cell is not None}
        mixed = len(kinds) > 1 and not kinds <= {int, float}
        columns[name] = [None if c is None else _cell(c) for c in cells] if mixed or list in kinds else list(cells)
    return pd.DataFrame(columns, columns=list(sheet.columns))
