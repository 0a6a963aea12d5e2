"""A study: one tuning question, complete. It writes itself as TOML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from objectives.data import GIVEN_UP
from objectives.metrics import goal_metrics
from objectives.optimizers import OPTIMIZERS
from objectives.types import Direction
from tuner.study.budget import RUN, UNITS, Budget
from tuner.study.conditions import Conditions, restored
from tuner.study.custom import CustomObjective
from tuner.study.domains import Domain, plain
from tuner.study.expressions import CONSTRAINTS
from tuner.study.metric_sources import METRICS
from tuner.study.own_parameters import PARAMETERS
from tuner.study.problems import BARE
from tuner.study.reading import readable
from tuner.study.tables import (
    OF_FILES,
    OF_LAYERS,
    OF_ROWS,
    ConfirmTable,
    DataTable,
    LimitsTable,
    ModelTable,
    RefitTable,
    RunTable,
    SearchTable,
    StopTable,
    TrainTable,
    WorkersTable,
)
from tuner.study.used_hypers import idle_hypers

__all__ = ["Imported", "Study", "in_toml"]

WINDOW = 5  # epochs


@dataclass(frozen=True)
class Imported:
    """Where a study comes from that another tool ran; `columns` are its parameters: "float64", "Int64" or choices."""

    source: str
    study: str
    columns: Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Study:
    """A checked study. Every hyperparameter of every optimizer has its domain, presets included.

    `rows` is the number of train rows, 0 until the data are known. `planned` is the number of trials that its file
    asks for, where a call asks for fewer. Relative paths are relative to `base`. `written` holds the keys that the user
    wrote, as a nested table; `description` is the question in the user's words. These five do not count when studies
    are compared.

    ```python
    study = tuner.read_study("studies/digits.toml")
    study.trials, list(study.optimizers)
    ```
    """

    name: str
    seed: int
    trials: int
    metric: str  # "valid_loss", "valid_accuracy", ...
    direction: Direction
    dtype: str
    data: DataTable
    model: ModelTable
    train: TrainTable
    optimizers: Mapping[str, Mapping[str, Domain]]
    search: SearchTable
    stop: StopTable
    confirm: ConfirmTable
    limits: LimitsTable
    conditions: Conditions = field(default_factory=dict)
    rows: int = field(default=0, compare=False)
    planned: int = field(default=0, compare=False)
    base: Path = field(default=Path(), compare=False)
    written: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    imported: Imported | None = None
    custom: CustomObjective | None = None
    workers: WorkersTable = field(default_factory=WorkersTable)
    refit: RefitTable = field(default_factory=RefitTable)
    run: RunTable = field(default_factory=RunTable)
    constraints: Mapping[str, str] = field(default_factory=dict)  # conditions that every config has to meet
    description: str = field(default="", compare=False)

    @property
    def followed(self) -> tuple[str, ...]:
        """Return the names of metrics that are followed only because they are the goal."""
        level = self.train.domain("quantile")
        return goal_metrics(self.metric, float(level) if isinstance(level, int | float) else None)

    @property
    def budget(self) -> Budget:
        """Return how long a trial trains at most."""
        if self.custom and not self.custom.timed:
            return Budget(RUN, 1, plain=True)
        unit = next((unit for unit in UNITS[1:] if getattr(self.train, unit) is not None), UNITS[0])
        if self.custom:
            return Budget(unit, getattr(self.train, unit), plain=True)
        return Budget(unit, getattr(self.train, unit), self.rows)

    @property
    def splits(self) -> int:
        """Return the train / validation splits that a trial which trains to its end is judged on."""
        return self.data.splits or 1

    @property
    def window(self) -> int:
        """Return the epochs that a learning curve is averaged over before its best epoch is chosen.

        One where curves are exact (a surface, a whole-batch method), for custom objectives, and in studies from before
        trials had several splits.
        """
        whole = any(OPTIMIZERS[name].whole for name in self.optimizers if name in OPTIMIZERS)
        exact = self.custom is not None or self.data.surface or whole
        return 1 if exact or self.data.splits is None else WINDOW

    @property
    def overlap(self) -> float:
        """Return the validation rows for each train row: how strongly scores on splits of the same rows are
        correlated.
        """
        split, folds = self.data.split, self.data.folds
        if not self.fresh_splits or self.custom:
            return 0.0  # nobody knows how an objective of somebody's own divides its rows
        if folds:
            return 1 / (folds - 1)
        shorter = 1 - 1 / GIVEN_UP if self.data.resampling == "rolling" else 1.0
        return split.valid / (1 - split.valid - split.test) / shorter

    @property
    def question(self) -> str:
        """Describe the study in a line: "minimize valid_loss of an mlp on sklearn:digits in 27 epochs, seed 0".

        Names files without their directories.
        """
        if self.imported:
            return f"{self.direction} {self.metric} of {self.imported.study!r}, imported from {self.imported.source}"
        if self.custom:
            long = f" in {self.budget}" if self.custom.timed else ""
            return f"{self.direction} {self.metric} of {_named(self.custom.words)}{long}, seed {self.seed}"
        if self.data.surface:
            return f"{self.direction} {self.data.source} in {self.budget}, seed {self.seed}"
        model = "an mlp" if self.model.kind == "mlp" else f"a {self.model.kind} model"
        source = _named(self.data.source or "data of your own")
        return f"{self.direction} {self.metric} of {model} on {source} in {self.budget}, seed {self.seed}"

    def uneven(self, sizes: Iterable[Any]) -> str:
        """Say that trials with these batch sizes differ in steps, where they do; "" otherwise."""
        unit = self.budget.unit
        if self.imported or unit not in ("epochs", "examples"):
            return ""
        batches = sorted({int(size) for size in sizes if size is not None})
        if len(batches) < 2:
            return ""
        said = f"equal {unit} give small batches more steps"
        if self.custom or not self.rows:
            return said
        least, most = (f"{-(-self.rows // size):,} an epoch at {size}" for size in (batches[0], batches[-1]))
        return f"{said}: {least}, {most}; with --set train.steps=N all make as many"

    @property
    def fresh_splits(self) -> bool:
        """Return True if each confirmation seed has its own train / validation split: not where a column decides.

        Rows in time order have windows, unless they are divided once. What a custom objective does with its seed is
        unknown; one with several splits is passed the split.
        """
        told = not self.custom or self.splits > 1
        if self.data.split.order is not None:
            return self.data.resampling == "rolling"
        return told and self.data.split.column is None

    def to_table(self) -> dict[str, Any]:
        """Return every key explicitly, in plain types, in the order of a study file; for an imported study, its
        file's keys.
        """
        if self.imported:
            return dict(self.written)
        described = {"description": self.description} if self.description else {}
        study = {"name": self.name, **described, "seed": self.seed, "trials": self.trials}
        if self.custom:
            return self._own_tables(self.custom, study)
        tables: dict[str, Any] = {"study": {**study, str(self.direction): self.metric, "dtype": self.dtype}}
        for name in ("data", "model", "train"):
            tables[name] = _fields(getattr(self, name))
        for row in idle_hypers(self.model, self.train):
            del tables[row.table][row.name]
        if not self.train.patience:
            del tables["train"]["min_delta"]
        if self.budget.unit != "epochs":
            del tables["train"]["epochs"]
        if self.model.kind != "mlp":
            for name in OF_LAYERS:
                del tables["model"][name]
        for table, name in OF_ROWS if self.data.surface else (("data", "noise"),):
            tables[table].pop(name, None)
        for name in OF_FILES:
            if getattr(self.data, name) == type(self.data).model_fields[name].default:
                tables["data"].pop(name, None)
        if self.data.splits is None:  # of a study that is not settled, or was begun before trials had splits
            tables["data"].pop("resampling", None)
        for name in ("model", "train"):
            tables[name] = {
                key: restored(f"{name}.{key}", value, self.conditions) for key, value in tables[name].items()
            }
        return {**tables, **self._shared_tables()}

    def _shared_tables(self) -> dict[str, Any]:
        """Return the tables that mean the same whatever is trained."""
        optimizers = {
            name: {
                hyper: restored(f"optimizers.{name}.{hyper}", plain(domain), self.conditions)
                for hyper, domain in domains.items()
            }
            for name, domains in self.optimizers.items()
        }
        skipped = ("generation_size", "lag") if self.search.parallel else ()
        search = {name: at for name, at in _fields(self.search).items() if at != [] and name not in skipped}
        given = {name: keys for name in ("stop", "limits") if (keys := _fields(getattr(self, name)))}
        return {"optimizers": optimizers, "search": search, "confirm": _fields(self.confirm), **given}

    def _own_tables(self, own: CustomObjective, study: Mapping[str, Any]) -> dict[str, Any]:
        """Return the tables of a custom objective."""
        tables: dict[str, Any] = {"study": {**study, **own.table(), str(self.direction): self.metric}}
        budget, train = self.budget, _fields(self.train)
        known = [*([budget.unit] if own.timed else []), *own.trained, "replicates"]
        known += ["framework", "decay"] if self.optimizers else []
        keys = {name: restored(f"train.{name}", train[name], self.conditions) for name in known if name in train}
        space = {name: restored(f"parameters.{name}", at, self.conditions) for name, at in own.space().items()}
        shared = self._shared_tables()
        confirm = {name: value for name, value in shared["confirm"].items() if name != "metrics"}
        if self.splits > 1:
            tables["data"] = {"resampling": "fresh", "splits": self.splits}
        tables |= {METRICS: own.metric_table(), "train": keys, PARAMETERS: space, **shared, "confirm": confirm}
        workers = {name: value for name, value in _fields(self.workers).items() if value != []}
        refit = _fields(self.refit) if self.refit.model_fields_set else {}
        run = {name: value for name, value in _fields(self.run).items() if name in self.run.model_fields_set}
        more = {"workers": workers, "refit": refit, "run": run, CONSTRAINTS: dict(self.constraints)}
        return {name: keys for name, keys in (tables | more).items() if keys}

    def to_toml(self) -> str:
        """Write the resolved study as TOML text, which reads back to an equal study. Raises StudyError for one too
        long.
        """
        tables: dict[str, Any] = {}
        for name, table in self.to_table().items():
            optimizers = name == "optimizers"
            tables |= {f"{name}.{inner}": keys for inner, keys in table.items()} if optimizers else {name: table}
        blocks = []
        for name, table in tables.items():
            lines = [f"{_key(key)} = {in_toml(value)}" for key, value in table.items()]
            blocks.append("\n".join([f"[{name}]", *lines]))
        return readable("\n\n".join(blocks) + "\n")


def _named(source: str) -> str:
    return Path(source).name if Path(source).is_absolute() else source


def _key(name: str) -> str:
    """Quote a key where TOML needs it."""
    return name if BARE.fullmatch(name) else in_toml(name)


def _fields(table: Any) -> dict[str, Any]:
    """Return the keys of a table that have a value."""
    values = {name: getattr(table, name) for name in type(table).model_fields}
    return {
        name: _fields(value) if hasattr(value, "model_fields_set") else plain(value)
        for name, value in values.items()
        if value is not None
    }


def in_toml(value: Any) -> str:
    """Write one value as TOML on one line, lists and tables inline; "nothing" for None."""
    import tomli_w

    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {in_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_toml, value)) + "]"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip("\n")
