"""The tables of a study file, key by key, with their defaults and bounds; the table of optimizers is in `presets`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, create_model

from objectives.data import TASKS
from objectives.data.files.dialect import Dialect
from objectives.data.reading import FIRST_RULES, RULES, UNLABELLED, Reading
from objectives.losses import losses_for
from objectives.metrics import METRICS
from objectives.models import ACTIVATIONS, INITS, MODELS
from objectives.optimizers import FRAMEWORKS
from objectives.schedules import SCHEDULES
from objectives.training.early_stopping import MIN_DELTA
from objectives.training.hypers import TRAINING_HYPERS, Entry, hypers_of
from objectives.weight_decay import DECAYED
from tuner.algorithms.pruners import PRUNERS
from tuner.algorithms.samplers import SAMPLERS
from tuner.study.domains import Choices, Domain, choice_of, class_weights, count, layers, numbers_of
from tuner.study.fields import (
    configs,
    distinct,
    header_lines,
    kinds_of_columns,
    mark_of,
    names_of,
    one_of,
    program,
    rising,
    scorers,
    searched,
    settings_of,
    variables,
)

__all__ = [
    "GOALS",
    "MOST_SEEDS",
    "MOST_SPLITS",
    "OF_FILES",
    "OF_LAYERS",
    "OF_ROWS",
    "TABLES",
    "ConfirmTable",
    "DataTable",
    "LimitsTable",
    "ModelTable",
    "RefitTable",
    "RunTable",
    "SearchTable",
    "SplitTable",
    "StopTable",
    "StudyTable",
    "TrainTable",
    "WorkersTable",
]

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
# Keys of [model] that a linear one does not have.
OF_LAYERS = ("activation", *(row.name for row in hypers_of(Entry.LAYERS)), "hidden")
MOST_SEEDS = 1000  # of a confirmation, which numbers its replicates from 1
RESAMPLINGS = ("auto", "holdout", "fresh", "kfold", "rolling")  # one split, several drawn, folds, windows in time
FOLDS = 5  # where a study does not say
MOST_SPLITS = 100  # of a trial
ALLOCATIONS = ("best", "equal")  # one model of all optimizers, or the same budget to each
GOALS = ("valid_loss", *(f"valid_{name}" for name in METRICS))
Fraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]


class FileTable(BaseModel):
    """A table of a study file: no unknown keys, no conversions ("5" is not 5), no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def domain(self, key: str) -> Domain:
        """Return the value or values of a key that a study may search."""
        return cast(Domain, getattr(self, key))


T = TypeVar("T", bound=FileTable)


def with_hypers(name: str) -> Callable[[type[T]], type[T]]:
    """Add the hyperparameters of training that table `name` holds, each where its row says; `domain` reads them."""
    rows = [row for row in TRAINING_HYPERS.values() if row.table == name]

    def extended(table: type[T]) -> type[T]:
        types, fields = get_type_hints(table, include_extras=True), dict[str, Any]()
        for key, field in table.model_fields.items():
            fields[key] = (types[key], field.default)
            for row in [row for row in rows if row.after == key]:
                meaning = f"{row.hyper.meaning[:1].upper()}{row.hyper.meaning[1:]}."
                kind = Annotated[Domain, searched(numbers_of(row.hyper))]
                fields[row.name] = (kind, Field(row.hyper.default, description=meaning))
        place, words = table.__module__, table.__doc__
        made = create_model(table.__name__, __base__=FileTable, __doc__=words, __module__=place, **fields)
        return cast(type[T], made)

    return extended


class StudyTable(FileTable):
    """[study]: the question."""

    name: str | None = None
    """Name of the study and of its directory; by default that of the file."""
    description: Annotated[str, Field(max_length=1000)] = ""
    """The question in your words; it stands at the top of the report."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of everything random."""
    trials: Annotated[int, Field(ge=1, le=10**6)] = 64
    """How many configs to try."""
    objective: Text | None = None
    """Your own training code: "train.py:train" or "package.module:train"."""
    command: Annotated[tuple[str, ...], PlainValidator(program)] = ()
    """Your own program and its arguments; {names} in braces are replaced by values."""
    output: Text | None = None
    """File in {directory} that the command writes metrics to; by default standard output."""
    batched: Annotated[int, Field(ge=1, le=4096)] = 1
    """How many configs the objective takes in one call."""
    keep: Annotated[int, Field(ge=0, le=100)] = 1
    """Of how many of the best trials the directories are kept."""
    minimize: Text | None = None
    """Metric to minimise; valid_loss if neither this nor maximize is given."""
    maximize: Text | None = None
    """Metric to maximise, like valid_accuracy, valid_auc or valid_r2."""
    dtype: Annotated[str, one_of(("float32", "float64"))] = "float32"
    """Precision of the training."""


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
    columns: Annotated[dict[str, str], PlainValidator(kinds_of_columns)] = {}
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


@with_hypers("model")
class ModelTable(FileTable):
    """[model]: what is fitted. A linear model has neither hidden layers nor an activation."""

    kind: Annotated[str, one_of(MODELS)] = "mlp"
    """Network, or linear, logistic or softmax regression as the target asks."""
    hidden: Annotated[Domain, searched(layers)] = (64,)
    """Sizes of the hidden layers; a list of lists is searched."""
    activation: Annotated[Domain, searched(choice_of(ACTIVATIONS))] = "relu"
    """Activation of the hidden layers."""
    init: Annotated[Domain, searched(choice_of(INITS))] = "torch"
    """Distribution of the initial weights."""


@with_hypers("train")
class TrainTable(FileTable):
    """[train]: how long and in what steps."""

    epochs: Annotated[int, Field(ge=1, le=10**6)] = 27
    """Length of a trial in epochs."""
    steps: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Length of a trial in updates, instead of epochs."""
    examples: Annotated[int, Field(ge=1, le=10**12)] | None = None
    """Length of a trial in training rows seen, instead of epochs."""
    batch_size: Annotated[Domain, searched(count)] = Choices((16, 32, 64, 128, 256))
    """Rows of a minibatch."""
    schedule: Annotated[Domain, searched(choice_of(SCHEDULES))] = "constant"
    """How the learning rate changes over a trial."""
    framework: Annotated[str, one_of(FRAMEWORKS)] = "torch"
    """Framework whose update rules are followed."""
    decay: Annotated[str, one_of(DECAYED)] = "all"
    """What weight decay acts on: all parameters, or all but the biases."""
    loss: Annotated[Domain | None, searched(choice_of(losses_for("regression")))] = None
    """What a regression trains on."""
    class_weight: Annotated[Domain | None, searched(class_weights)] = None
    """What rows of a class count in training: "balanced", or a table of weights by class; a list is searched."""
    patience: Annotated[int, Field(ge=0, le=10**6)] = 0
    """Epochs without improvement after which a trial stops; 0 is off."""
    min_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = MIN_DELTA.default
    """Least decrease of the validation loss that counts as an improvement."""
    replicates: Annotated[int, Field(ge=1, le=100)] = 1
    """Seeds that each trial is trained on; their mean ranks."""


class SearchTable(FileTable):
    """[search]: what to try next, and who goes on. The defaults are measured: see `tuner/search/defaults.md`."""

    sampler: Annotated[str, one_of(SAMPLERS)] = "tpe"
    """What proposes configs; `auto` by default for your own code."""
    pruner: Annotated[str, one_of(PRUNERS)] = "halving"
    """What decides who goes on at a rung."""
    allocation: Annotated[str, one_of(ALLOCATIONS)] = "best"
    """One model of all optimizers, or the same budget for each."""
    generation_size: Annotated[int, Field(ge=1, le=10_000)] = 32
    """Trials that are proposed together."""
    reduction: Annotated[int, Field(ge=2, le=100)] = 4
    """Of how many trials one goes on at a rung."""
    rungs: Annotated[tuple[int, ...], PlainValidator(rising)] = ()
    """Where trials are compared, in the unit of the budget; by default from the length and the schedules."""
    random_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1 / 3
    """Share of a generation that is drawn at random beside the model."""
    grid_points: Annotated[int, Field(ge=1, le=1000)] = 5
    """Values that a grid takes from each range."""
    enqueue: Annotated[tuple[dict[str, Any], ...], PlainValidator(configs)] = ()
    """Configs to try first."""
    warm_start: Annotated[tuple[str, ...], PlainValidator(names_of("studies", "another-study"))] = ()
    """Studies whose trials the search begins with."""
    lag: Annotated[int, Field(ge=1, le=64)] | None = None
    """Generations that may be in training while the next one is proposed; by default 1."""
    parallel: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Trials of your own code that may be open at once, proposed one by one; by default 4, more with devices."""


class ConfirmTable(FileTable):
    """[confirm]: how many of the best are trained again, on how many fresh seeds and splits."""

    enabled: bool = True
    """Whether a run ends with a confirmation; off for your own code unless this table is there."""
    top: Annotated[int, Field(ge=1, le=100)] = 5
    """How many of the best trials are trained again."""
    seeds: Annotated[int, Field(ge=2, le=MOST_SEEDS)] = 5
    """Fresh seeds and splits of the first round."""
    share: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    """Share of the search's training that later rounds may bring the confirmation to; by default from the rows."""
    metrics: Annotated[tuple[str, ...], PlainValidator(scorers)] = ()
    """Further scikit-learn scorers to report on the test rows."""


class StopTable(FileTable):
    """[stop]: when to end before all trials have run; whichever comes first."""

    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Stop after this time in one run."""
    epochs: Annotated[int, Field(ge=1, le=10**12)] | None = None
    """Stop after this many epochs of all trials together."""
    target: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Stop at a value that is good enough."""
    no_gain: Annotated[int, Field(ge=1, le=10**6)] | None = None
    """Stop after this many trials without a new best."""


class LimitsTable(FileTable):
    """[limits]: what ends a trial or a worker whatever it does; without them, nothing does."""

    seconds_per_trial: Annotated[float, Field(gt=0, le=10**7, allow_inf_nan=False)] | None = None
    """A trial that takes longer fails."""
    worker_gb: Annotated[float, Field(ge=0.25, le=10**6, allow_inf_nan=False)] | None = None
    """Memory in GB that a worker may allocate (on Linux)."""


class WorkersTable(FileTable):
    """[workers]: what each worker has for an objective of somebody's own."""

    devices: Annotated[tuple[str, ...], PlainValidator(distinct)] = ()
    """A worker for each of these devices."""
    threads: Annotated[int, Field(ge=1, le=4096)] = 1
    """Threads of BLAS and OpenMP for each worker."""
    reuse: bool = True
    """Keep a worker for the next trial; false gives each trial and rung a process of its own, for code that leaks."""


class RunTable(FileTable):
    """[run]: how a command is started."""

    folder: Annotated[str, one_of(("study", "own"))] = "study"
    """Where it runs: in the folder of the study, or in the trial's own folder, {directory}."""
    env: Annotated[dict[str, str], PlainValidator(variables)] = {}
    """Environment variables; {names} in braces are replaced by values."""
    config: Text | None = None
    """File of settings that {config:yaml}, {config:json} and {config:toml} begin with."""
    constants: Text | None = None
    """Python script of the command whose constants the parameters are; a copy of it runs."""
    values: Annotated[dict[str, Any], PlainValidator(settings_of)] = {}
    """Further settings of that file or that script, by dotted names; {names} are replaced."""


class RefitTable(FileTable):
    """[refit]: the last training of your own code, with all rows."""

    keep: Text | None = None
    """File in run.directory ({directory}) that is the model, like model.pt; with it a run ends with a refit."""
    seeds: Annotated[int, Field(ge=1, le=100)] = 5
    """How many seeds are trained."""


TABLES: dict[str, type[FileTable]] = {
    "study": StudyTable,
    "data": DataTable,
    "model": ModelTable,
    "train": TrainTable,
    "search": SearchTable,
    "stop": StopTable,
    "confirm": ConfirmTable,
    "limits": LimitsTable,
    "workers": WorkersTable,
    "refit": RefitTable,
    "run": RunTable,
}
