"""What no single key tells: names, goals, and keys that must agree with each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import cast

from objectives.criterion import CLASSES
from objectives.losses import losses_for
from objectives.metrics import METRICS
from objectives.optimizers import OPTIMIZERS
from objectives.schedules import warmup_updates
from objectives.training.early_stopping import MIN_DELTA
from objectives.training.hypers import TRAINING_HYPERS, Entry
from objectives.types import Direction
from tuner.study.budget import UNITS
from tuner.study.custom import goal_problem
from tuner.study.domains import Domain, highest, is_searched, values_of
from tuner.study.hints import guessed, shown, suggest
from tuner.study.problems import ProblemCollector
from tuner.study.tables import GOALS, OF_LAYERS, DataTable, ModelTable, SearchTable, StudyTable, TrainTable
from tuner.study.used_hypers import has_owner, used_hypers

__all__ = [
    "check_budget",
    "check_decay",
    "check_framework",
    "check_generation",
    "check_goal_of_loss",
    "check_model",
    "check_searched",
    "check_task",
    "check_train",
    "check_whole",
    "goal_of",
    "loss_problem",
    "name_of",
    "task_problem",
    "training_problems",
]

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,126}[A-Za-z0-9_-])?")
DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def name_of(table: StudyTable, stem: str, report: ProblemCollector) -> str:
    """Return the study's name, which becomes a directory: by default that of its file."""
    name = stem if table.name is None else table.name
    if not NAME.fullmatch(name):
        hint = "start with a letter or digit; use letters, digits, space . _ - (128 at most), end without space or dot"
        report.add(["study", "name"], f"{shown(name)} cannot be the name of a directory", hint)
    elif DEVICE.fullmatch(name):
        report.add(["study", "name"], f"{shown(name)} is the name of a device on Windows", "choose another name")
    return name


def goal_of(
    table: StudyTable, report: ProblemCollector, own: bool = False, task: str | None = None
) -> tuple[str, Direction]:
    """Return the metric that is followed and its direction; an objective of somebody's own has any.

    Where the file names the `task`, only a metric of it is offered for one that is not known.
    """
    if table.minimize and table.maximize:
        report.add(["study", "maximize"], "there is minimize too", "keep one of them")
    direction = Direction.MAXIMIZE if table.maximize else Direction.MINIMIZE
    metric = table.maximize or table.minimize or "valid_loss"
    if own:
        if problem := goal_problem(metric):
            report.add(["study", direction], *problem)
        return metric, direction
    if metric not in GOALS:
        report.add(["study", direction], f"{shown(metric)} is not known", _goal_hint(metric, task))
        return "valid_loss", Direction.MINIMIZE
    row = METRICS.get(metric.removeprefix("valid_"))
    better = row.direction if row else Direction.MINIMIZE
    if direction != better:
        word = "lower" if better == Direction.MINIMIZE else "higher"
        report.add(["study", direction], f"{metric} is better when {word}", f'write {better} = "{metric}"')
    return metric, direction


def _goal_hint(metric: str, task: str | None) -> str:
    """Offer a goal for one that is not known; of a nearest spelling say for which tasks it is, where that is open."""
    hint = suggest(metric, goals_of(task))
    near = next((row for name, row in METRICS.items() if hint == f"did you mean 'valid_{name}'?"), None)
    if near is None or task is not None or guessed(metric, GOALS):
        return hint
    return f"{hint} It is for {' and '.join(near.tasks)} tasks"


def goals_of(task: str | None) -> list[str]:
    """Return the metrics that a study of a `task` can follow; all of them where the task is not known."""
    return ["valid_loss", *(f"valid_{name}" for name, row in METRICS.items() if task is None or task in row.tasks)]


def task_problem(metric: str, task: str) -> tuple[str, str] | None:
    """Return what is wrong with following `metric` for a `task`, and a hint; None where it fits."""
    fitting = goals_of(task)
    hint = f"choose one of: {', '.join(fitting)}"
    return None if metric in fitting else (f"{metric} does not fit a {task} task", hint)


def loss_problem(loss: Domain | None, task: str) -> tuple[str, str] | None:
    """Return what is wrong with training on `loss` for a `task`, and a hint; None where it fits."""
    known = losses_for(task)
    unfit = [] if loss is None else [name for name in values_of(loss) if name not in known]
    if not unfit:
        return None
    return f"{' and '.join(unfit)} does not fit a {task} task", f"leave it out: {', '.join(known[:1])} is its loss"


def training_problems(model: ModelTable, train: TrainTable, task: str) -> list[tuple[str, str, str]]:
    """List what does not fit a `task` of how a study trains: key, what, hint."""
    wrong = loss_problem(train.loss, task)
    loss = [("train.loss", *wrong)] if wrong else []
    if train.class_weight is not None and task not in CLASSES:
        loss.append(("train.class_weight", f"does not fit a {task} task", "remove it: it weighs classes"))
    return loss + [
        (f"{row.table}.{row.name}", f"does not fit a {task} task", f"remove it: it is for {' and '.join(row.tasks)}")
        for row, _ in used_hypers(model, train).values()
        if not row.fits(task)
    ]


def check_task(
    metric: str, direction: str, model: ModelTable, train: TrainTable, task: str, report: ProblemCollector
) -> None:
    """Check that metric, loss and hyperparameters fit the task, where the file names it."""
    if problem := task_problem(metric, task):
        report.add(["study", direction], *problem)
    for key, what, hint in training_problems(model, train, task):
        report.add(key.split("."), what, hint)


def check_model(model: ModelTable, report: ProblemCollector) -> None:
    """Check that a linear model has no layers."""
    if model.kind == "linear":
        for key in [key for key in OF_LAYERS if key in model.model_fields_set]:
            report.add(["model", key], "does not go with a linear model", 'remove it, or write kind = "mlp"')


def check_train(train: TrainTable, report: ProblemCollector) -> None:
    """Check that schedules have exactly their settings, and that a warmup leaves updates after it with the largest
    batch.
    """
    for row in TRAINING_HYPERS.values():
        if row.name in train.model_fields_set and not has_owner(row, train):
            what = f"belongs to {row.owner} {' or '.join(row.owners)}"
            report.add(["train", row.name], what, f'write {row.owner} = "{row.owners[0]}", or remove it')
    if train.class_weight is not None and train.domain("label_smoothing") != 0:
        report.add(["train", "class_weight"], "does not go with label_smoothing", "keep one of them")
    if MIN_DELTA.name in train.model_fields_set and not train.patience:
        report.add(["train", MIN_DELTA.name], "does nothing without patience", "write patience = 5, or remove it")
    longest = highest(train.domain("warmup"))
    if train.steps is None and train.examples is None and warmup_updates(longest, train.epochs) >= train.epochs:
        what = f"{longest:g} of {train.epochs} epochs leaves nothing after it"
        report.add(["train", "warmup"], what, "0.05 or 0.1 is usual")


def check_goal_of_loss(
    metric: str, direction: str, data: DataTable, train: TrainTable, report: ProblemCollector
) -> None:
    """Check that quantiles and counts are judged by what they are trained on."""
    losses = [] if train.loss is None else [str(name) for name in values_of(train.loss)]
    for loss, goal in (("quantile", "valid_pinball"), ("poisson", "valid_poisson_deviance")):
        if metric == goal and loss not in losses:
            report.add(["study", direction], f"{goal} judges another loss", f'write [train] loss = "{loss}"')
    if "quantile" in losses and metric != "valid_pinball":
        what = f"{metric} does not judge a quantile: other predictions make it better"
        report.add(["study", direction], what, 'write minimize = "valid_pinball"')
    if "quantile" in losses and is_searched(train.domain("quantile")):
        report.add(["train", "quantile"], "is what is asked for, not searched", "write one number, such as 0.9")
    if "poisson" in losses and len(losses) > 1:
        report.add(["train", "loss"], "poisson stands alone: its outputs are logarithms", 'write loss = "poisson"')
    if "poisson" in losses and data.target_transform is not None:
        report.add(["data", "target_transform"], "does not go with poisson, which has a log link", "keep one of them")


def check_framework(model: ModelTable, train: TrainTable, report: ProblemCollector) -> None:
    """Check that nothing is on that the framework does not have."""
    hint = "remove it, or choose another framework"
    used = used_hypers(model, train)
    if train.framework == "sklearn" and train.class_weight is not None:
        report.add(["train", "class_weight"], "sklearn's networks weigh no classes", hint)
    for row in [row for row, _ in used.values() if train.framework in row.lacking]:
        report.add([row.table, row.name], f"{train.framework} {row.lacking[train.framework]}", hint)
    own = losses_for("regression")[0]
    others = [] if train.loss is None else [name for name in values_of(train.loss) if name != own]
    if train.framework == "sklearn" and others:
        report.add(["train", "loss"], "sklearn's networks train on the squared error alone", hint)


def check_decay(train: TrainTable, optimizers: Mapping[str, Mapping[str, Domain]], report: ProblemCollector) -> None:
    """Check that a scope of the weight decay comes with some decay."""
    if train.decay != "all" and all(own.get("weight_decay", 0) == 0 for own in optimizers.values()):
        hint = "give an optimizer weight_decay, or remove it"
        report.add(["train", "decay"], f"there is no decay of {train.decay}: every weight_decay is 0", hint)


def check_budget(train: TrainTable, search: SearchTable, report: ProblemCollector) -> None:
    """Check that one unit says how long a trial trains, and that rungs lie within it."""
    given = [unit for unit in UNITS if unit in train.model_fields_set and getattr(train, unit) is not None]
    for other in given[1:]:
        report.add(["train", other], f"there is {given[0]} too", "keep one of them")
    unit = next((unit for unit in UNITS[1:] if getattr(train, unit) is not None), UNITS[0])
    amount = getattr(train, unit)
    if search.rungs and search.rungs[-1] > amount and len(given) < 2:
        what = f"{search.rungs[-1]:,} is beyond the {amount:,} {unit} that a trial trains"
        report.add(["search", "rungs"], what, f"keep them below {amount:,}, or give more {unit}")
    if search.rungs and search.pruner == "none":
        report.add(["search", "rungs"], 'does not go with pruner = "none"', 'remove it, or write pruner = "halving"')


def check_generation(search: SearchTable, trials: int, report: ProblemCollector) -> None:
    """Check that the trials fill a generation size that was set; the default shrinks to the trials."""
    size = search.generation_size
    if size > trials and "generation_size" in search.model_fields_set:
        what = f"{size:,} is more than the {trials:,} trials"
        report.add(["search", "generation_size"], what, f"ask for {trials:,} at most, or for more trials")


def check_whole(model: ModelTable, train: TrainTable, optimizers: Collection[str], report: ProblemCollector) -> None:
    """Check that Newton-Raphson has a loss with an exact Hessian."""
    flat = {"absolute_error": "the absolute error", "quantile": "that of a quantile"}
    for name in flat if "newton" in optimizers and train.loss is not None else ():
        if name not in values_of(cast(Domain, train.loss)):
            continue
        what = f"needs a loss with a curvature, which {flat[name]} has not"
        report.add(["optimizers", "newton"], what, 'use lbfgs, or [train] loss = "huber"')
    if "newton" in optimizers and model.kind == "mlp":
        what = "needs a convex loss with an exact Hessian, which a network with hidden layers does not have"
        report.add(["optimizers", "newton"], what, 'use lbfgs, or [model] kind = "linear"')


def check_searched(
    trials: int,
    model: ModelTable,
    train: TrainTable,
    optimizers: Mapping[str, Mapping[str, Domain]],
    report: ProblemCollector,
) -> None:
    """Check that several trials have something to search."""
    layers = (model.hidden, model.activation) if model.kind == "mlp" else ()
    steps = (train.batch_size, train.schedule, *domains_used(model, train, Entry.STEP, Entry.LAYERS))
    loss = (train.loss, train.class_weight, *domains_used(model, train, Entry.LOSS))
    whole = all(OPTIMIZERS[name].whole for name in optimizers)
    shared = (*layers, model.init, *loss, *(() if whole else steps))
    own = [domain for domains in optimizers.values() for domain in domains.values()]
    if trials > 1 and len(optimizers) == 1 and not any(map(is_searched, (*shared, *own))):
        hint = "give a list or a range, or write trials = 1"
        report.add(["optimizers"], f"nothing is searched: all {trials} trials would be the same", hint)


def domains_used(model: ModelTable, train: TrainTable, *entries: Entry) -> list[Domain]:
    """Return the domains of the hyperparameters of training that are in use."""
    return [domain for _, domain in used_hypers(model, train, *entries).values()]
