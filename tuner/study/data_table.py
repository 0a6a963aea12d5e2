"""The tables [data] and [data.split] of a study file: what is learned from, and how its rows are divided."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator

from objectives.data import TASKS
from objectives.data.files.dialect import Dialect
from objectives.data.reading import FIRST_RULES, RULES, UNLABELLED, Reading
from tuner.study.fields import header_lines, kinds_of_columns, mark_of, names_of, one_of
from tuner.study.file_table import FileTable, Fraction, Text

__all__ = ["MOST_SPLITS", "OF_FILES", "OF_ROWS", "DataTable", "SplitTable"]

OF_ROWS = (
    ("data", "drop"),
    ("data", "weight"),
    ("data", "target_transform"),
    ("data", "resampling"),
    ("data", "splits"),
    ("data", "split"),
    ("model", "init"),
)  # keys that no analytic surface has
OF_FILES = (
    "separator",
    "decimal",
    "thousands",
    "encoding",
    "header",
    "comment",
    "missing",
    "sheet",
    "columns",
    "unlabelled",
)  # keys of [data] that say what a guess has wrong
RESAMPLINGS = ("auto", "holdout", "fresh", "kfold", "rolling")  # one split, several drawn, folds, windows in time
FOLDS = 5  # where a study does not say
MOST_SPLITS = 100  # of a trial


class SplitTable(FileTable):
    """[data.split]: fractions of the rows, or the one column that decides."""

    valid: Fraction = 0.2
    """Share of the rows for validation."""
    test: Fraction = 0.2
    """Share of the rows for the test, set aside before everything else."""
    column: Text | None = None
    """Column that says train, valid or test for each row."""
    group: Text | None = None
    """Column whose equal values stay on one side of a split."""
    order: Text | None = None
    """Column to sort by: validation and test rows come last."""


class DataTable(FileTable):
    """[data]: what is learned from."""

    source: Text | None = None
    """Data set, file, "module:function" or "surface:NAME"."""
    target: Text | int | None = None
    """Column to predict; an npz file holds X and y."""
    drop: Annotated[tuple[str, ...], PlainValidator(names_of("columns", "customer id"))] = ()
    """Columns that must not be learned from."""
    weight: Text | None = None
    """Column that says how much each row counts, in training and in metrics."""
    target_transform: Annotated[str, one_of(("log",))] | None = None
    """How the target of a regression is learned: as its logarithm, or that of one more where some are 0."""
    task: Annotated[str, one_of(TASKS)] | None = None
    """Task, where the guess from the target is wrong."""
    separator: Annotated[str | None, PlainValidator(mark_of)] = None
    """What stands between columns of a text file: a letter, or comma, semicolon, tab, bar, blanks."""
    decimal: Annotated[str, one_of((".", ","))] | None = None
    """Decimal mark of a text file."""
    thousands: Annotated[str, one_of((",", ".", " ", "'"))] | None = None
    """Mark between thousands in a text file."""
    encoding: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Encoding of a text file, such as "cp1252"."""
    header: Annotated[tuple[int, ...], PlainValidator(header_lines)] = ()
    """Line with the names of columns, several lines as a list, or false where there is none."""
    comment: Annotated[str, Field(max_length=8)] | None = None
    """What lines that are comments begin with; "" for none."""
    missing: Annotated[tuple[str, ...], PlainValidator(names_of("texts", "-999"))] = ()
    """Further texts that stand for a missing value."""
    sheet: Text | int | None = None
    """Sheet of a workbook: its name, or its number from 1."""
    columns: Annotated[dict[str, str], PlainValidator(kinds_of_columns)] = Field(default={})
    """What columns are, where the guess is wrong."""
    unlabelled: Annotated[str, one_of(UNLABELLED)] = "refuse"
    """What becomes of rows without a target."""
    rules: Annotated[int, Field(ge=FIRST_RULES, le=RULES)] | None = None
    """Version of the rules by which columns are understood; a study keeps the one that it began with."""
    split: SplitTable = SplitTable()
    """How rows are divided; see [data.split]."""
    resampling: Annotated[str, one_of(RESAMPLINGS)] = "auto"
    """New splits drawn at random, parts that validate in turn, or one split for all."""
    splits: Annotated[int, Field(ge=1, le=MOST_SPLITS)] | None = None
    """Splits that the last trials are judged on; by default from the numbers of rows and trials."""
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Noise of a row's gradient; for analytic surfaces."""
    condition: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    """Condition number of the quadratic surface."""

    @property
    def reading(self) -> Reading:
        """Return how the table is understood."""
        names = ("separator", "decimal", "thousands", "encoding", "header", "comment", "missing", "sheet")
        dialect = Dialect(**{name: getattr(self, name) for name in names})
        return Reading(dialect, self.columns, self.rules or RULES, self.unlabelled)

    @property
    def folds(self) -> int:
        """Return the number of parts that validate in turn; 0 where splits are drawn."""
        return (self.splits or FOLDS) if self.resampling == "kfold" else 0

    @property
    def surface(self) -> bool:
        """Return True if an analytic surface replaces data."""
        return self.source is not None and self.source.startswith("surface:")
