"""Study file -> validated, frozen `Study`.

    hints, constants, config_files -> problems -> domains, budget -> own_parameters, conditions -> fields, expressions
    -> metric_sources, tables, optimizer_domains, used_hypers, custom
    -> study, custom_checks, program_checks -> changed_keys
    reading -> overrides -> validation -> resampling, checks -> data_checks -> resolve; imported; guess

`reading` guards the text, `overrides` lays settings over it, `tables`, `optimizer_domains` and `custom` read it table
by table and fill in what is not written, `checks` and `data_checks` compare keys with each other. All problems are
collected and reported at once.
"""

from __future__ import annotations

from tuner.study.changed_keys import differences
from tuner.study.checks import task_problem, training_problems
from tuner.study.config_files import CONFIG_FORMS, InvalidConfig, config_text, laid_over, read_config
from tuner.study.constants import constants_in, difference_of, with_constants
from tuner.study.custom import CustomObjective
from tuner.study.domains import MOST_CHOICES, Choices, Domain, Range, highest, is_searched, values_of
from tuner.study.expressions import Expression, expression_of
from tuner.study.hints import suggest
from tuner.study.imported import UNNAMED, imported_text, not_run
from tuner.study.metric_sources import EPOCH, PRINTED, VALUE, MetricSource
from tuner.study.own_parameters import kind_of, text_of
from tuner.study.reading import parse_toml
from tuner.study.resolve import read_study
from tuner.study.study import Imported, Study, in_toml
from tuner.study.tables import (
    GOALS,
    MOST_SEEDS,
    MOST_SPLITS,
    ConfirmTable,
    DataTable,
    LimitsTable,
    ModelTable,
    RunTable,
    SearchTable,
    SplitTable,
    StopTable,
    TrainTable,
    WorkersTable,
)
from tuner.study.used_hypers import used_hypers

__all__ = [
    "CONFIG_FORMS",
    "EPOCH",
    "GOALS",
    "MOST_CHOICES",
    "MOST_SEEDS",
    "MOST_SPLITS",
    "PRINTED",
    "UNNAMED",
    "VALUE",
    "Choices",
    "ConfirmTable",
    "DataTable",
    "Domain",
    "Expression",
    "Imported",
    "LimitsTable",
    "ModelTable",
    "CustomObjective",
    "InvalidConfig",
    "MetricSource",
    "Range",
    "RunTable",
    "SearchTable",
    "SplitTable",
    "StopTable",
    "Study",
    "TrainTable",
    "WorkersTable",
    "config_text",
    "constants_in",
    "difference_of",
    "differences",
    "expression_of",
    "highest",
    "imported_text",
    "in_toml",
    "is_searched",
    "kind_of",
    "laid_over",
    "not_run",
    "parse_toml",
    "read_config",
    "read_study",
    "suggest",
    "task_problem",
    "text_of",
    "training_problems",
    "used_hypers",
    "values_of",
    "with_constants",
]
