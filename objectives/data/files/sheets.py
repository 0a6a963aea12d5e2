"""Sheets of Excel and LibreOffice, through python-calamine; titles, names and notes are found as a text's are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from objectives.data.files.content import Content
from objectives.data.files.dialect import Dialect
from objectives.data.files.layout import layout_of
from objectives.data.raw import Raw, column_complaints, first_lines
from objectives.errors import Complaint, DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_sheet"]

MOST_ROWS = 1000


def read_sheet(content: Content, where: str, asked: Dialect) -> Raw:
    """Read a sheet of a workbook as a frame (n, D): the one asked for, or the first that has rows.

    Raises DataError for a damaged file, a sheet that is not there, or without python-calamine.
    """
    import io

    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        hint = "pip install 'tuner[excel]', or save the sheet as csv"
        raise DataError(Complaint(where, "reading workbooks needs python-calamine", hint)) from error
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content.whole()))
        names = list(book.sheet_names)
        if asked.sheet is not None:
            names = [_named(asked.sheet, names, where)]
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=True) for name in names}
    except DataError:
        raise
    # calamine has an exception for each kind of workbook
    except Exception as error:
        what = f"is damaged or no workbook ({error})"
        raise DataError(Complaint(where, what, "save it again, or as csv")) from error
    full = {name: rows for name, rows in sheets.items() if len(rows) > 1}
    if not full:
        raise DataError(Complaint(where, "has no rows", "add data, or name another one: [data] sheet"))
    chosen, *others = full
    more = f"; others are {first_lines(map(repr, others))}: [data] sheet" if others else ""
    return _read(full[chosen], f"{where}, sheet {chosen!r}", (f"file: sheet {chosen!r}{more}",), asked)


def _named(asked: str | int, names: list[str], where: str) -> str:
    if isinstance(asked, int) and 1 <= asked <= len(names):
        return names[asked - 1]
    if isinstance(asked, str) and asked in names:
        return asked
    hint = f"sheets count from 1 to {len(names)}" if isinstance(asked, int) else nearest(asked, names)
    raise DataError(Complaint(f"{where}, data.sheet", f"there is no sheet {asked!r}", hint))


def _read(rows: list[list[Any]], where: str, notes: tuple[str, ...], asked: Dialect) -> Raw:
    rows = [row for row in rows if any(str(cell).strip() for cell in row)]
    texts = [[_text(cell) for cell in row] for row in rows]
    fixed = (
        None if not asked.header else (None, 0) if asked.header == (0,) else (asked.header[0] - 1, len(asked.header))
    )
    layout = layout_of(texts[:MOST_ROWS], texts[-30:], fixed, asked.names)
    names = [name or f"unnamed {i}" for i, name in enumerate(layout.names)]
    if found := column_complaints(names, where):
        raise DataError(*found)
    body = rows[layout.titles + layout.header : len(rows) - layout.footer]
    if not body:
        raise DataError(Complaint(where, "has a header but no rows", "add data"))
    said = list(notes)
    if layout.titles or layout.footer:
        said.append(f"file: {layout.titles} rows above the names and {layout.footer} below the table: left out")
    if not layout.header:
        said.append(f"file: no row of names: columns are {first_lines(names, 3)}")
    return Raw(where, _frame(body, names), tuple(names), notes=tuple(said))


def _text(cell: Any) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _frame(body: list[list[Any]], names: list[str]) -> pd.DataFrame:
    """Return rows as a frame: empty cells are gaps, whole numbers stay whole."""
    import pandas as pd

    columns = {}
    for i, name in enumerate(names):
        cells = [None if row[i] == "" else row[i] for row in body]
        columns[name] = pd.Series(cells, dtype=object).infer_objects()
    return pd.DataFrame(columns)
