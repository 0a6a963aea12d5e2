"""Data: a name, a file, a function or arrays -> a checked table -> three standardised parts.

    load_table / table_from  ->  Table  ->  prepare  ->  Prepared  ->  save_prepared / open_prepared

    matrix, files, raw -> builtin, arrays, csv_blocks, blocks -> sources; columns, reading -> features, target, targets
    -> weights, transforms; groups, folds, windows -> splits -> split_rows
    remarks, suspicions, overview, reach -> table
    preparation, mixed -> fit -> prepare -> store, surface; incoming_values -> incoming

Rows in messages count from 1, without the header.
"""

from __future__ import annotations

from objectives.data.builtin import BUILTIN
from objectives.data.preparation import Preparation
from objectives.data.prepare import Part, Prepared, preparation_of, prepare, prepare_whole
from objectives.data.splits import SplitSpec, windows
from objectives.data.store import move_prepared, open_prepared, place_in, prepare_on_disk, save_prepared
from objectives.data.surface import SurfaceTable, load_surface, named_surface, prepare_surface
from objectives.data.table import Table, load_table, table_from
from objectives.data.target import TASKS
from objectives.data.windows import GIVEN_UP

__all__ = [
    "BUILTIN",
    "GIVEN_UP",
    "TASKS",
    "Part",
    "Preparation",
    "Prepared",
    "SplitSpec",
    "SurfaceTable",
    "Table",
    "load_surface",
    "load_table",
    "move_prepared",
    "named_surface",
    "open_prepared",
    "place_in",
    "preparation_of",
    "prepare",
    "prepare_on_disk",
    "prepare_surface",
    "prepare_whole",
    "save_prepared",
    "table_from",
    "windows",
]
