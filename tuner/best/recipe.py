"""A recipe: all that an exporter needs to know of a best config, in plain values, checked where it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from objectives.class_weights import CLASS_WEIGHT, UNWEIGHTED
from objectives.criterion import HUBER_DELTA, LABEL_SMOOTHING, QUANTILE, criterion_of
from objectives.dropout import dropout_of
from objectives.errors import Complaint, InvalidInput
from objectives.hyperparameter import Hyper
from objectives.models import ACTIVATIONS, INITS, MODELS
from objectives.optimizers import OPTIMIZERS, RULES, Convention, RuleCall, hyperparameters, row_of
from objectives.schedules import plan_of
from objectives.training.clipping import clip_of
from objectives.training.hypers import TRAINING_HYPERS, Entry, hypers_of
from objectives.weight_decay import decayed_of
from tuner.best.whole_batch import STANDS_FOR, refuse

__all__ = ["OWN", "Recipe", "optimizer_part"]

OWN = "own"  # the task of a config that was tuned for somebody's own training code
SHARED = ("framework", "decay", "schedule", *(row.name for row in hypers_of(Entry.STEP)), "batch_size")
MANY = 10**6  # updates: what a share of a horizon is checked against, where it does not depend on their number


@dataclass(frozen=True)
class Recipe:
    """A full config with the conventions it was tuned under; `notes` are sentences on where it comes from.

    `model` holds "task", "inputs", "outputs", "parameters" and "rows" (of training) as far as they are known, and
    "weight", the column that says how much rows count, and "target_transform", where there are. Raises
    InvalidInput for values that the core would not train with.
    """

    config: Mapping[str, Any]
    conventions: Mapping[str, Any]
    training: Mapping[str, Any]
    model: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self.config, self.task)

    @property
    def optimizer(self) -> str:
        """Return the rule's name in other frameworks: momentum of 0 is sgd, as torch refuses it for nesterov."""
        name = str(self.config["optimizer"])
        still = name in ("momentum", "nesterov") and not self.config.get("momentum", 0.9)
        return "sgd" if still else STANDS_FOR.get(name, name)

    @property
    def h(self) -> dict[str, float]:
        """Return every hyperparameter of the rule."""
        return hyperparameters(self.config)

    @property
    def flags(self) -> dict[str, bool]:
        """Return every flag of the rule."""
        row = OPTIMIZERS[str(self.config["optimizer"])]
        return {flag.name: bool(self.config.get(flag.name, False)) for flag in row.flags}

    @property
    def lr(self) -> float:
        """Return the base learning rate."""
        return self.h["lr"]

    @property
    def decay(self) -> float:
        """Weight decay."""
        return self.h.get("weight_decay", 0.0)

    @property
    def decoupled(self) -> bool:
        """Return True if decay shrinks the weights instead of being added to the gradient."""
        return bool(self.conventions["decay_mode"] == "decoupled")

    @property
    def weights_only(self) -> bool:
        """Return True if biases do not decay."""
        return bool(self.conventions["decay_scope"] == "weights")

    @property
    def clip(self) -> float:
        """Return the global norm that gradients are clipped to, 0 for none."""
        return clip_of(self.config)

    @property
    def guard(self) -> float:
        """Return the constant added to a norm before dividing by it."""
        return float(self.conventions["clip_guard"])

    @property
    def schedule(self) -> str:
        """Return the schedule's name."""
        return str(self.config.get("schedule", "constant"))

    @property
    def warmup(self) -> float:
        """Return the warmup's share of all updates."""
        return float(self.config.get("warmup", 0.0))

    @property
    def values(self) -> dict[str, float]:
        """Return the schedule's settings."""
        return dict(plan_of(self.config, MANY).values)

    @property
    def moves(self) -> bool:
        """Return True if the learning rate changes from update to update."""
        return self.schedule != "constant" or self.warmup > 0

    @property
    def epochs(self) -> int:
        """Return the epochs to train: up to the best epoch."""
        return int(self.training["epochs"])

    @property
    def horizon(self) -> int:
        """Return the epochs that the schedule spans."""
        return int(self.training["horizon"])

    @property
    def whole(self) -> bool:
        """Return True if every step uses all rows."""
        return "batch_size" not in self.config

    @property
    def batch_size(self) -> int:
        """Return the rows of a minibatch, 0 for all rows."""
        return int(self.config.get("batch_size", 0))

    @property
    def batch(self) -> str:
        """Return the expression of a minibatch's rows, in code that trains on rows `x`."""
        return "len(x)" if self.whole else "BATCH_SIZE"

    @property
    def hidden(self) -> tuple[int, ...]:
        """Return the sizes of the hidden layers."""
        if self.config.get("model", "mlp") == "linear":
            return ()
        return tuple(int(size) for size in self.config.get("hidden", (64,)))

    @property
    def activation(self) -> str:
        """Return the hidden layers' activation."""
        return str(self.config.get("activation", "relu"))

    @property
    def init(self) -> str:
        """Return the initialisation of the weights."""
        return str(self.config.get("init", "torch"))

    @property
    def task(self) -> str:
        """Return the task: "binary", "multiclass" or "regression"."""
        return str(self.model.get("task", "multiclass"))

    @property
    def dropout(self) -> float:
        """Return the share of hidden units that training drops."""
        return dropout_of(self.config) if self.hidden else 0.0

    @property
    def loss(self) -> str:
        """Return the loss that training minimises, by its name in `objectives.losses.LOSSES`."""
        return criterion_of(self.config, self.task).name

    @property
    def quantile(self) -> float:
        """Return which quantile is predicted, of a loss of one."""
        return float(self.config.get(QUANTILE.name, QUANTILE.default))

    @property
    def huber_delta(self) -> float:
        """Return the difference at which the Huber loss becomes linear."""
        return float(self.config.get(HUBER_DELTA.name, HUBER_DELTA.default))

    @property
    def label_smoothing(self) -> float:
        """Return the share of each target that training spreads over all classes."""
        return float(self.config.get(LABEL_SMOOTHING.name, LABEL_SMOOTHING.default))

    @property
    def class_weight(self) -> str:
        """Return the class weights of training: "none", "balanced", or weights by class as JSON."""
        return str(self.config.get(CLASS_WEIGHT, UNWEIGHTED))

    def convention(self, framework: str) -> Convention:
        """Return how `framework` computes this rule. Raises InvalidInput where it does not have it."""
        refuse(self.optimizer, framework)
        found = OPTIMIZERS[self.optimizer].frameworks
        if framework not in found:
            own = sorted(name for name, row in RULES.items() if framework in row.frameworks)
            hint = f"take the best of one that it has (--optimizer, optimizer=), or tune one: {', '.join(own)}"
            raise InvalidInput(Complaint("optimizer", f"{framework} has no {self.optimizer}", hint))
        return found[framework]

    def call(self, framework: str) -> RuleCall:
        """Return how `framework` names and calls this rule. Raises InvalidInput where it does not have it."""
        found = self.convention(framework).call
        if found is None:
            raise InvalidInput(Complaint("optimizer", f"{framework} has no name for {self.optimizer}"))
        return found

    def total_steps(self, total_steps: int | None, steps_per_epoch: int | None) -> int:
        """Return the schedule's updates from either argument, 0 for a constant rate. Raises InvalidInput."""
        if total_steps is not None and steps_per_epoch is not None:
            raise InvalidInput(Complaint("total_steps", "is given together with steps_per_epoch", "give one of them"))
        given = total_steps if steps_per_epoch is None else steps_per_epoch
        name = "total_steps" if steps_per_epoch is None else "steps_per_epoch"
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
            raise InvalidInput(Complaint(name, f"must be a whole number of at least 1, but got {given!r}"))
        if not self.moves:
            return 0
        if given is None:
            hint = f"steps_per_epoch=len(loader), or total_steps= the updates of {self.horizon} epochs"
            what = f"the {self.schedule} schedule needs its length: the study's was {self.training['horizon_steps']}"
            raise InvalidInput(Complaint("total_steps", what, hint))
        steps = given if steps_per_epoch is None else given * self.horizon
        plan_of(self.config, steps)
        return steps


def optimizer_part(config: Mapping[str, Any]) -> dict[str, Any]:
    """Extract the optimizer's part of a config, without the user's own parameters. Raises InvalidInput."""
    row = row_of(config)
    keys = ("optimizer", *(hyper.name for hyper in row.hypers), *(flag.name for flag in row.flags), *SHARED)
    return {key: config[key] for key in keys if key in config}


def _check(config: Mapping[str, Any], task: str) -> None:
    """Raise InvalidInput for what was edited into a config that cannot be trained."""
    wrong = []
    for key, known in (("model", MODELS), ("activation", ACTIVATIONS), ("init", INITS)):
        if key in config and config[key] not in known:
            wrong.append(Complaint(f"config.{key}", f"{config[key]!r} is not known"))
    row = OPTIMIZERS.get(str(config.get("optimizer")))
    hypers: tuple[Hyper, ...] = row.hypers if row else ()
    for key in (*(hyper.name for hyper in hypers), *TRAINING_HYPERS):
        if key in config and (isinstance(config[key], bool) or not isinstance(config[key], int | float)):
            wrong.append(Complaint(f"config.{key}", f"must be a number, but got {config[key]!r}"))
    sizes = config.get("hidden", [])
    if not isinstance(sizes, list | tuple) or any(type(size) is not int or size < 1 for size in sizes):
        wrong.append(Complaint("config.hidden", f"must be a list of sizes, but got {sizes!r}"))
    if wrong:
        raise InvalidInput(*wrong)
    hyperparameters(config)
    plan_of(config, MANY)
    clip_of(config)
    dropout_of(config)
    decayed_of(config)
    if task != OWN:
        criterion_of(config, task)
