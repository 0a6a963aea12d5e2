"""Study file -> study: settings laid over it, every table checked, presets filled in, all problems told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

from objectives.optimizers import OPTIMIZERS
from tuner.study.checks import (
    check_budget,
    check_decay,
    check_framework,
    check_generation,
    check_goal_of_loss,
    check_model,
    check_searched,
    check_task,
    check_train,
    check_whole,
    goal_of,
    name_of,
)
from tuner.study.conditions import check_conditions, conditional
from tuner.study.custom import (
    CustomObjective,
    choices_of,
    is_own,
    own_of,
    own_search,
    own_train,
)
from tuner.study.custom_checks import check_not_own, check_own, check_own_searched
from tuner.study.data_checks import check_data, check_split, check_surface, check_weight
from tuner.study.domains import Choices, Domain
from tuner.study.expressions import CONSTRAINTS, expression_of
from tuner.study.imported import TABLE as IMPORTED
from tuner.study.imported import imported_of, not_run
from tuner.study.metric_sources import METRICS
from tuner.study.optimizer_domains import optimizer_domains
from tuner.study.overrides import apply
from tuner.study.own_parameters import PARAMETERS
from tuner.study.problems import MOST, InvalidValue, ProblemCollector
from tuner.study.program_checks import check_run
from tuner.study.reading import plain_copy, read_toml
from tuner.study.resampling import check_own_resampling, check_replicates
from tuner.study.study import Study
from tuner.study.tables import (
    TABLES,
    ConfirmTable,
    DataTable,
    LimitsTable,
    ModelTable,
    RefitTable,
    RunTable,
    SearchTable,
    StopTable,
    StudyTable,
    TrainTable,
    WorkersTable,
)
from tuner.study.validation import checked, misplaced

__all__ = ["read_study"]

TRIALS, GENERATION = ("study", "trials"), ("search", "generation_size")
StudySource = str | PathLike[str] | Mapping[str, Any] | Study


def read_study(
    source: StudySource,
    *,
    overrides: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    base: Path | None = None,
    needs_data: bool = True,
    ran: bool = False,
) -> Study:
    """Read and check a study: a TOML file, a mapping of the same shape, or another study.

    `overrides` ("optimizers.adam.lr.high=0.3", TOML literals) and `settings` ({"study.trials": 10}, typed values) win
    over what is written. Paths are relative to `base`: by default the file's directory, else the current one.
    `needs_data=False` skips the data source. The trials must fill a generation, unless they alone were set or the study
    `ran` already. Raises StudyError with every problem.

    ```python
    tuner.read_study("studies/digits.toml", overrides=["train.epochs=9"]).train.epochs
    ```
    """
    raw, label, home, stem = _loaded(source)
    if IMPORTED in raw:
        return _imported(raw, label, stem, needs_data)
    planned = _planned(source, raw)
    report = apply(raw, overrides, settings or {}, label)
    given = not (ran or isinstance(source, Study)) and (GENERATION in report.flags or TRIALS not in report.flags)
    study = _resolved(raw, report, base or home, stem, needs_data, given)
    return replace(study, planned=max(planned, study.trials))


def _loaded(source: StudySource) -> tuple[dict[str, Any], str, Path, str]:
    """Return a copy of what is written, its label in messages, its directory, and its name where it gives none."""
    if isinstance(source, Study):
        return plain_copy(source.written), "", source.base, source.name
    if isinstance(source, Mapping):
        return plain_copy(source), "", Path(), "study"
    path = Path(source)
    return read_toml(path), str(path), path.parent, path.stem


def _planned(source: StudySource, raw: Mapping[str, Any]) -> int:
    """Return the trials that a study asks for before anything takes precedence over them; 0 where that is no number."""
    if isinstance(source, Study):
        return source.planned
    table = raw.get("study", {})
    written = table.get("trials", StudyTable().trials) if isinstance(table, Mapping) else 0
    return written if isinstance(written, int) else 0


def _imported(raw: dict[str, Any], label: str, stem: str, needs_data: bool) -> Study:
    """Build the study of another tool, to look at; the tables that say how to run one keep their defaults."""
    metric, direction, imported = imported_of(raw, label)
    known = {key: value for key, value in raw["study"].items() if key not in ("minimize", "maximize")}
    study = _resolved(
        {"study": known, "optimizers": {"sgd": {}}}, ProblemCollector(label), Path(), stem, needs_data=False
    )
    if needs_data:
        raise not_run(study.name, imported)
    optimizers: dict[str, dict[str, Domain]] = {name: {} for name in imported.columns.get("optimizer", ())}
    return replace(study, metric=metric, direction=direction, optimizers=optimizers, written=raw, imported=imported)


def own_data(data: DataTable) -> DataTable:
    """Return [data] of a custom objective: several splits are fresh ones, written out."""
    several = data.resampling == "auto" and (data.splits or 1) > 1
    return data.model_copy(update={"resampling": "fresh"}) if several else data


def _resolved(
    raw: dict[str, Any], report: ProblemCollector, base: Path, stem: str, needs_data: bool, given: bool = False
) -> Study:
    """Build the study, or raise StudyError: each table is checked by itself, then all of them together."""
    for name in [name for name in raw if name not in (*TABLES, "optimizers", PARAMETERS, METRICS, CONSTRAINTS)][
        : MOST + 1
    ]:
        what = "unknown table" if isinstance(raw[name], dict) else "unknown key"
        report.add([name], what, misplaced(name, ""))
    own = is_own(raw)
    bare, conditions = conditional(raw, report)
    tables = {name: checked(model, bare.get(name, {}), name, report) for name, model in TABLES.items()}
    table, train = cast(StudyTable, tables["study"]), cast(TrainTable, tables["train"])
    data, search = cast(DataTable, tables["data"]), cast(SearchTable, tables["search"])
    check_replicates(data, train, report)
    if given:
        check_generation(search, table.trials, report)
    written = bare.get("optimizers", {})
    optimizers = {} if own and not written else optimizer_domains(written, table.trials, train.framework, report)
    name, (metric, direction) = name_of(table, stem, report), goal_of(table, report, own, data.task)
    draft = Study(
        name=name,
        seed=table.seed,
        trials=table.trials,
        metric=metric,
        direction=direction,
        dtype=table.dtype,
        data=data,
        model=cast(ModelTable, tables["model"]),
        train=train,
        optimizers=optimizers,
        search=search,
        stop=cast(StopTable, tables["stop"]),
        confirm=cast(ConfirmTable, tables["confirm"]),
        limits=cast(LimitsTable, tables["limits"]),
        conditions=conditions,
        base=base,
        written=raw,
        workers=cast(WorkersTable, tables["workers"]),
        refit=cast(RefitTable, tables["refit"]),
        run=cast(RunTable, tables["run"]),
        constraints=constraints_of(bare.get(CONSTRAINTS, {}), report),
        description=table.description,
    )
    study = _custom(draft, table, bare, needs_data, report) if own else _builtin(draft, table, needs_data, report)
    report.check()
    return study


def _custom(
    draft: Study, table: StudyTable, bare: Mapping[str, Any], needs_data: bool, report: ProblemCollector
) -> Study:
    """Check a study of somebody's own objective, whose tables without conditions are `bare`, and complete it."""
    train, optimizers = draft.train, draft.optimizers
    custom = own_of(bare, table, train, optimizers, report)
    search = own_search(draft.search, custom, len(draft.workers.devices), report)
    check_own(custom, draft.written, train, search, optimizers, draft.base if needs_data else None, report)
    check_run(custom, draft.run, draft.base if needs_data else None, report)
    check_train(train, report)
    check_own_resampling(draft.data, report)
    if custom.timed:
        check_budget(train, search, report)
    check_conditions(draft.conditions, own_deciders(custom, train, optimizers), report)
    if not report.complaints:
        check_own_searched(custom, draft.trials, [train, *optimizers.values()], report)
    asked = draft.confirm if "confirm" in draft.written else draft.confirm.model_copy(update={"enabled": False})
    return replace(
        draft, data=own_data(draft.data), train=own_train(train), search=search, confirm=asked, custom=custom
    )


def _builtin(draft: Study, table: StudyTable, needs_data: bool, report: ProblemCollector) -> Study:
    """Check a study of the builtin models, on data or on a surface, and complete it."""
    data, model, train, confirm = draft.data, draft.model, draft.train, draft.confirm
    check_not_own(draft.written, table, draft.search, report)
    if data.task:
        check_task(draft.metric, draft.direction, model, train, data.task, report)
    check_split(data, report)
    check_weight(data, train, report)
    check_surface(data, model, train, report)
    if data.surface:  # it takes the place of the model too, and has no rows to confirm on
        model, confirm = model.model_copy(update={"kind": "surface"}), confirm.model_copy(update={"enabled": False})
    check_model(model, report)
    check_train(train, report)
    check_goal_of_loss(draft.metric, draft.direction, data, train, report)
    check_framework(model, train, report)
    check_decay(train, draft.optimizers, report)
    check_budget(train, draft.search, report)
    check_whole(model, train, draft.optimizers, report)
    check_conditions(draft.conditions, deciders(model, train, draft.optimizers), report)
    if needs_data and (data.source or not _wrote(draft.written, "data", "source")):
        check_data(data, draft.base, report)
    if not report.complaints:
        check_searched(draft.trials, model, train, draft.optimizers, report)
    return replace(draft, model=model, confirm=confirm, workers=WorkersTable())


def deciders(model: ModelTable, train: TrainTable, optimizers: Mapping[str, Mapping[str, Domain]]) -> dict[str, Domain]:
    """Return what a condition may name: parameters that every config has, and flags of optimizers."""
    names = sorted(optimizers)
    found: dict[str, Domain] = {"optimizer": Choices(tuple(names)) if len(names) > 1 else "".join(names)}
    found |= {"batch_size": train.batch_size, "schedule": train.schedule, "init": model.init}
    if model.kind != "linear":
        found |= {"hidden": model.hidden, "activation": model.activation}
    flags = {flag.name for row in OPTIMIZERS.values() for flag in row.flags}
    return found | {key: domain for own in optimizers.values() for key, domain in own.items() if key in flags}


def constraints_of(raw: Any, report: ProblemCollector) -> dict[str, str]:
    """Read the table [constraints]: conditions by name."""
    if not isinstance(raw, dict):
        report.add([CONSTRAINTS], "must be a table", 'write heads = "d_model % heads == 0" in it')
        return {}
    found = {}
    for name, text in raw.items():
        try:
            found[name] = expression_of(text).text
        except InvalidValue as bad:
            report.add([CONSTRAINTS, name], bad.what, bad.hint)
    return found


def own_deciders(
    own: CustomObjective, train: TrainTable, optimizers: Mapping[str, Mapping[str, Domain]]
) -> dict[str, Domain]:
    """Return what a condition of a custom objective's study may name."""
    names = sorted(optimizers)
    several: dict[str, Domain] = {"optimizer": Choices(tuple(names))} if len(names) > 1 else {}
    trained = {name: getattr(train, name) for name in ("batch_size", "schedule") if name in own.trained}
    return several | trained | choices_of(own)


def _wrote(raw: Mapping[str, Any], table: str, key: str) -> bool:
    keys = raw.get(table, {})
    return not isinstance(keys, dict) or keys.get(key) is not None
