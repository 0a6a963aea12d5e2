"""Study file -> validated, frozen `Study`.

    reading -> overrides -> schema, presets -> resampling, checks -> Study

`reading` guards the text, `overrides` lays settings over it, `schema` and `presets` check it table by table and fill in
what is not written, `checks` looks at what keys say together. All problems are collected and told at once.
"""

from __future__ import annotations

from tuner.spec.checks import loss_problem, task_problem
from tuner.spec.domains import Choices, Domain, Range, highest, is_searched, values_of
from tuner.spec.imported import UNNAMED, imported_text, not_run
from tuner.spec.own import OWN_NAMES, Own, parameter_name
from tuner.spec.parameters import kind_of, text_of
from tuner.spec.resolve import read_study
from tuner.spec.schema import (
    GOALS,
    MOST_SEEDS,
    MOST_SPLITS,
    Confirm,
    Data,
    Limits,
    Model,
    Search,
    Split,
    Stop,
    Train,
    Workers,
)
from tuner.spec.stored import stored_study, stored_text
from tuner.spec.study import Imported, Study, differences, in_toml
from tuner.spec.words import suggest

__all__ = [
    "GOALS",
    "MOST_SEEDS",
    "MOST_SPLITS",
    "OWN_NAMES",
    "UNNAMED",
    "Choices",
    "Confirm",
    "Data",
    "Domain",
    "Imported",
    "Limits",
    "Model",
    "Own",
    "Range",
    "Search",
    "Split",
    "Stop",
    "Study",
    "Train",
    "Workers",
    "differences",
    "highest",
    "imported_text",
    "in_toml",
    "is_searched",
    "kind_of",
    "loss_problem",
    "not_run",
    "parameter_name",
    "read_study",
    "stored_study",
    "stored_text",
    "suggest",
    "task_problem",
    "text_of",
    "values_of",
]
