"""What the keys of [data] do not tell one by one: that the source exists, and that splits, weights and surfaces fit."""

from __future__ import annotations

from pathlib import Path

from objectives.data import BUILTIN
from objectives.data.files.content import STANDARD
from objectives.data.sources import SUFFIXES, is_function
from objectives.surfaces import SURFACES
from objectives.training.hypers import Entry, hypers_of
from tuner.study.hints import shown, suggest
from tuner.study.problems import ProblemCollector
from tuner.study.reading import near_file
from tuner.study.resampling import check_resampling
from tuner.study.tables import OF_FILES, DataTable, ModelTable, TrainTable

__all__ = ["check_data", "check_split", "check_surface", "check_weight"]

SKLEARN = "sklearn:"
SURFACE = "surface:"
SHAPES = tuple(SURFACE + name for name in SURFACES)
SETS = tuple(SKLEARN + name for name in BUILTIN)


def check_data(data: DataTable, base: Path, report: ProblemCollector) -> None:
    """Check that the source exists, or looks like one."""
    if data.source is None:
        report.add(["data", "source"], "is missing", 'name a file, like "table.csv", or "sklearn:digits"')
    elif data.source.startswith(SKLEARN):
        if data.source.removeprefix(SKLEARN) not in BUILTIN:
            report.add(["data", "source"], f"{shown(data.source)} is not known", suggest(data.source, SETS))
    elif data.surface:
        if data.source.removeprefix(SURFACE) not in SURFACES:
            report.add(["data", "source"], f"{shown(data.source)} is not known", suggest(data.source, SHAPES))
    elif not is_function(data.source) and data.source != STANDARD:
        _check_file(data.source, base, report)


def check_split(data: DataTable, report: ProblemCollector) -> None:
    """Check that at most one column decides the split."""
    given = [kind for kind in ("column", "group", "order") if getattr(data.split, kind) is not None]
    if len(given) > 1:
        report.add(["data", "split"], f"has {' and '.join(given)}", "choose one of them")
    if not given and data.split.valid + data.split.test >= 1:
        what = f"valid = {data.split.valid:g} and test = {data.split.test:g} leave no rows to train on"
        report.add(["data", "split"], what, "let them add up to less than 1")
    check_resampling(data, given, report)


def check_weight(data: DataTable, train: TrainTable, report: ProblemCollector) -> None:
    """Check that a column of weights is one of its own, and that nothing else weighs rows."""
    if data.weight is None:
        return
    others = {name for name in (data.target, data.split.column, data.split.group, data.split.order, *data.drop) if name}
    if data.weight in others:
        what = f"{shown(data.weight)} is a column with another task already"
        report.add(["data", "weight"], what, "name a column that is neither target, split nor dropped")
    if train.class_weight is not None:
        report.add(["train", "class_weight"], "does not go with data.weight, which weighs rows", "keep one of them")
    if train.framework == "sklearn":
        what = "does not go with sklearn's networks, which weigh no rows in most versions"
        report.add(["data", "weight"], what, "remove it, or choose another framework")


def check_surface(data: DataTable, model: ModelTable, train: TrainTable, report: ProblemCollector) -> None:
    """Check that a surface has noise and no settings of rows, and that data have no noise."""
    named = ("noise", "condition")
    if not data.surface:
        for key in [key for key in named if key in data.model_fields_set and getattr(data, key)]:
            report.add(
                ["data", key], "belongs to an analytic surface", 'remove it, or write source = "surface:rosenbrock"'
            )
        if model.kind == "surface":
            report.add(["model", "kind"], "needs a surface for its data", 'write source = "surface:rosenbrock"')
        return
    if data.condition is not None and data.source != f"{SURFACE}quadratic":
        report.add(["data", "condition"], f"does not go with {data.source}", "it is the quadratic's")
    for table, there, keys in (
        ("data", data, ("target", "drop", "weight", "target_transform", "task", "split", *OF_FILES)),
        ("model", model, ("hidden", "activation", "init", *(row.name for row in hypers_of(Entry.LAYERS)))),
        ("train", train, ("loss", "class_weight", *(row.name for row in hypers_of(Entry.LOSS)))),
    ):
        for key in [key for key in keys if key in there.model_fields_set]:
            report.add([table, key], "does not go with an analytic surface", "remove it")
    if "kind" in model.model_fields_set and model.kind != "surface":
        report.add(["model", "kind"], "does not go with an analytic surface", "remove [model]")


def _check_file(source: str, base: Path, report: ProblemCollector) -> None:
    key = ["data", "source"]
    try:
        path = base / Path(source).expanduser()
        if path.exists():
            return
    except (OSError, RuntimeError, ValueError) as error:
        report.add(key, f"{shown(source)} cannot be read ({error})"[:200], "check the path")
        return
    meant = suggest(source, BUILTIN)
    named = not path.suffix and meant.startswith("did")
    near = meant.replace("mean '", f"mean '{SKLEARN}") if named else near_file(path, SUFFIXES)
    report.add(key, f"{shown(source)}: there is no such file", near or f"no data files are in {str(path.parent)!r}")
