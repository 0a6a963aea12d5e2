"""The tables of a study file, key by key, with their defaults and bounds; the table of optimizers is in `presets`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from objectives.data import TASKS
from objectives.dropout import DROPOUT
from objectives.losses import HUBER_DELTA, losses_for
from objectives.metrics import METRICS
from objectives.models import ACTIVATIONS, INITS, MODELS
from objectives.optimizers import FRAMEWORKS
from objectives.schedules import SCHEDULE_HYPERS, SCHEDULES, WARMUP
from objectives.training.clipping import CLIP
from objectives.training.early_stopping import MIN_DELTA
from objectives.weight_decay import DECAYED
from tuner.algorithms.pruners import PRUNERS
from tuner.algorithms.samplers import SAMPLERS
from tuner.study.domains import Choices, Domain, choice_of, count, layers, numbers_of, values_of
from tuner.study.fields import configs, distinct, names_of, one_of, program, rising, scorers, searched

__all__ = [
    "GOALS",
    "MOST_SEEDS",
    "MOST_SPLITS",
    "OF_LAYERS",
    "OF_ROWS",
    "TABLES",
    "Confirm",
    "Data",
    "Limits",
    "Model",
    "Search",
    "Split",
    "Stop",
    "StudyTable",
    "Train",
    "Workers",
]

OF_ROWS = (
    ("data", "drop"),
    ("data", "resampling"),
    ("data", "splits"),
    ("data", "split"),
    ("model", "init"),
)  # keys that no analytic surface has
OF_LAYERS = ("activation", "dropout", "hidden")  # keys of [model] that a linear one does not have
MOST_SEEDS = 1000  # of a confirmation, which numbers its replicates from 1
RESAMPLINGS = ("auto", "holdout", "fresh", "kfold")  # one split, several drawn afresh, or parts that take turns
FOLDS = 5  # where a study does not say
MOST_SPLITS = 100  # of a trial
ALLOCATIONS = ("best", "equal")  # one model of all optimizers, or the same budget to each
GOALS = ("valid_loss", *(f"valid_{name}" for name in METRICS))
Fraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]


class Table(BaseModel):
    """A table of a study file: no unknown keys, no conversions ("5" is not 5), no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudyTable(Table):
    """[study]: the question."""

    name: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    trials: Annotated[int, Field(ge=1, le=10**6)] = 64
    objective: Text | None = None
    command: Annotated[tuple[str, ...], PlainValidator(program)] = ()
    output: Text | None = None
    batched: Annotated[int, Field(ge=1, le=4096)] = 1
    minimize: Text | None = None
    maximize: Text | None = None
    dtype: Annotated[str, one_of(("float32", "float64"))] = "float32"


class Split(Table):
    """[data.split]: fractions of the rows, or the one column that decides."""

    valid: Fraction = 0.2
    test: Fraction = 0.2
    column: Text | None = None
    group: Text | None = None
    order: Text | None = None


class Data(Table):
    """[data]: what is learned from."""

    source: Text | None = None
    target: Text | int | None = None
    drop: Annotated[tuple[str, ...], PlainValidator(names_of("columns", "customer id"))] = ()
    task: Annotated[str, one_of(TASKS)] | None = None
    split: Split = Split()
    resampling: Annotated[str, one_of(RESAMPLINGS)] = "auto"
    splits: Annotated[int, Field(ge=1, le=MOST_SPLITS)] | None = None
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    condition: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None

    @property
    def folds(self) -> int:
        """Into how many parts that validate in turn the rows are divided; 0 where splits are drawn."""
        return (self.splits or FOLDS) if self.resampling == "kfold" else 0

    @property
    def surface(self) -> bool:
        """Whether an analytic surface takes the place of data."""
        return self.source is not None and self.source.startswith("surface:")


class Model(Table):
    """[model]: what is fitted. A linear model has neither hidden layers nor an activation."""

    kind: Annotated[str, one_of(MODELS)] = "mlp"
    hidden: Annotated[Domain, searched(layers)] = (64,)
    activation: Annotated[Domain, searched(choice_of(ACTIVATIONS))] = "relu"
    init: Annotated[Domain, searched(choice_of(INITS))] = "torch"
    dropout: Annotated[Domain, searched(numbers_of(DROPOUT))] = DROPOUT.default


class Train(Table):
    """[train]: how long and in what steps."""

    epochs: Annotated[int, Field(ge=1, le=10**6)] = 27
    steps: Annotated[int, Field(ge=1, le=10**9)] | None = None
    examples: Annotated[int, Field(ge=1, le=10**12)] | None = None
    batch_size: Annotated[Domain, searched(count)] = Choices((16, 32, 64, 128, 256))
    schedule: Annotated[Domain, searched(choice_of(SCHEDULES))] = "constant"
    warmup: Annotated[Domain, searched(numbers_of(WARMUP))] = WARMUP.default
    final: Annotated[Domain, searched(numbers_of(SCHEDULE_HYPERS["final"]))] = SCHEDULE_HYPERS["final"].default
    gamma: Annotated[Domain, searched(numbers_of(SCHEDULE_HYPERS["gamma"]))] = SCHEDULE_HYPERS["gamma"].default
    step_size: Annotated[Domain, searched(numbers_of(SCHEDULE_HYPERS["step_size"]))] = SCHEDULE_HYPERS[
        "step_size"
    ].default
    power: Annotated[Domain, searched(numbers_of(SCHEDULE_HYPERS["power"]))] = SCHEDULE_HYPERS["power"].default
    framework: Annotated[str, one_of(FRAMEWORKS)] = "torch"
    clip_norm: Annotated[Domain, searched(numbers_of(CLIP))] = CLIP.default
    decay: Annotated[str, one_of(DECAYED)] = "all"
    loss: Annotated[Domain | None, searched(choice_of(losses_for("regression")))] = None
    huber_delta: Annotated[Domain, searched(numbers_of(HUBER_DELTA))] = HUBER_DELTA.default
    patience: Annotated[int, Field(ge=0, le=10**6)] = 0
    min_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = MIN_DELTA.default
    replicates: Annotated[int, Field(ge=1, le=100)] = 1

    @property
    def on_huber(self) -> bool:
        """Whether any trial trains on Huber's loss."""
        return self.loss is not None and "huber" in values_of(self.loss)

    def schedule_hypers(self) -> tuple[str, ...]:
        """Names of what the schedules have to be told, besides the warmup."""
        used = {hyper.name for name in values_of(self.schedule) for hyper in SCHEDULES[name].hypers}
        return tuple(name for name in SCHEDULE_HYPERS if name in used)


class Search(Table):
    """[search]: what to try next, and who goes on. The defaults are measured: see `tuner/search/defaults.md`."""

    sampler: Annotated[str, one_of(SAMPLERS)] = "tpe"
    pruner: Annotated[str, one_of(PRUNERS)] = "halving"
    allocation: Annotated[str, one_of(ALLOCATIONS)] = "best"
    generation_size: Annotated[int, Field(ge=1, le=10_000)] = 32
    reduction: Annotated[int, Field(ge=2, le=100)] = 4
    rungs: Annotated[tuple[int, ...], PlainValidator(rising)] = ()
    random_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1 / 3
    grid_points: Annotated[int, Field(ge=1, le=1000)] = 5
    enqueue: Annotated[tuple[dict[str, Any], ...], PlainValidator(configs)] = ()
    warm_start: Annotated[tuple[str, ...], PlainValidator(names_of("studies", "another-study"))] = ()
    lag: Annotated[int, Field(ge=1, le=64)] | None = None


class Confirm(Table):
    """[confirm]: how many of the best are trained again, on how many fresh seeds and splits."""

    enabled: bool = True
    top: Annotated[int, Field(ge=1, le=100)] = 5
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 5
    metrics: Annotated[tuple[str, ...], PlainValidator(scorers)] = ()


class Stop(Table):
    """[stop]: when to end before all trials have run; whichever comes first."""

    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    epochs: Annotated[int, Field(ge=1, le=10**12)] | None = None
    target: Annotated[float, Field(allow_inf_nan=False)] | None = None
    no_gain: Annotated[int, Field(ge=1, le=10**6)] | None = None


class Limits(Table):
    """[limits]: what ends a trial or a worker whatever it does; without them, nothing does."""

    seconds_per_trial: Annotated[float, Field(gt=0, le=10**7, allow_inf_nan=False)] | None = None
    worker_gb: Annotated[float, Field(ge=0.25, le=10**6, allow_inf_nan=False)] | None = None


class Workers(Table):
    """[workers]: what each worker has for an objective of somebody's own."""

    devices: Annotated[tuple[str, ...], PlainValidator(distinct)] = ()
    threads: Annotated[int, Field(ge=1, le=4096)] = 1


TABLES: dict[str, type[Table]] = {
    "study": StudyTable,
    "data": Data,
    "model": Model,
    "train": Train,
    "search": Search,
    "stop": Stop,
    "confirm": Confirm,
    "limits": Limits,
    "workers": Workers,
}
