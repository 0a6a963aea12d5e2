"""The best config, as the file that training code reads: `best.toml` and what it says.

Reading needs the standard library alone, so that `load_best` costs a training script nothing; what makes optimizers of
it is imported when it is asked for.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from objectives.errors import Complaint, InvalidInput, nearest
from tuner.best.exporters import EXPORTERS
from tuner.best.file_schema import VERSION, complaints_of

if TYPE_CHECKING:
    from tuner.best.recipe import Recipe

__all__ = ["VERSION", "Best", "load_best"]


@dataclass(frozen=True, repr=False)
class Best(Mapping[str, Any]):
    """A best config: a read-only mapping from names to tuned, fixed and default values, as plain Python values.

    A schedule runs over `best["horizon"]` epochs. `conventions` says what the values mean: whose rules, where eps
    stands, what decay acts on. `model` says what was tuned, and `provenance` where the config comes from.

    ```python
    best = tuner.load_best("runs/digits")
    best["lr"], best.value, best.interval, best.epochs
    ```
    """

    study: str
    trial: int
    params: Mapping[str, Any]
    training: Mapping[str, Any]
    result: Mapping[str, Any]
    conventions: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    confirmation: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        if key not in self.params:
            raise KeyError(f"{key!r}: {nearest(key, self.params)}")
        return self.params[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"Best({self.study!r}, trial={self.trial}, {self.metric}={self.value:.4g}: {values})"

    def _repr_html_(self) -> str:
        """Show the config as a table, for a notebook."""
        said = f"{self.metric} {self.value:.4g} in the search"
        if self.interval and math.isfinite(self.confirmation["mean"]):
            word = "check" if self.confirmation.get("reported_on") == "the seeds that rank" else "final"
            said += ", {} {:.4g} [{:.4g}, {:.4g}]".format(word, self.confirmation["mean"], *self.interval)
        rows = (f"<tr><th>{escape(str(k))}</th><td>{escape(str(v))}</td></tr>" for k, v in self.params.items())
        head = f"<div><b>{escape(self.study)}</b>, trial {self.trial}: {escape(said)}</div>"
        return f"{head}<table>{''.join(rows)}</table>"

    @property
    def metric(self) -> str:
        """Name of the goal."""
        return str(self.result["metric"])

    @property
    def value(self) -> float:
        """Return the goal at the best epoch of the search."""
        return float(self.result["value"])

    @property
    def confirmed(self) -> bool:
        """Return True if the config was confirmed on fresh seeds."""
        return bool(self.confirmation)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval of the goal on new rows; None for a config that was not confirmed.

        It comes from fresh seeds and splits that had no part in the choice, and allows for the rows that splits share
        (Nadeau and Bengio 2003); an accuracy has Wilson's interval. `interval_of` says what it covers: for your own
        objective it covers the noise of seeds alone. Both ends are nan if the config diverged or failed on a seed.

        A config of another rank or optimizer has the interval of the seeds that ranked it; see
        `confirmation["reported_on"]`. The intervals of test metrics in `confirmation` cover retraining and test rows.
        """
        if not self.confirmation:
            return None
        return float(self.confirmation["low"]), float(self.confirmation["high"])

    @property
    def interval_of(self) -> str:
        """Say what `interval` covers; "" without a confirmation and in older files."""
        return str(self.confirmation.get("interval_of", ""))

    @property
    def epochs(self) -> int:
        """Return how many epochs to train: up to the best epoch."""
        return int(self.training["epochs"])

    def to_torch(self, params: Iterable[Any], *, strict: bool = True) -> Any:
        """Return the torch optimizer over `params` that makes the tuned steps, clipping included.

        Warns if the number of `params` differs from that of the tuned model. Raises InexactMapping if torch cannot make
        the same steps (`strict=False` warns and returns the nearest), and NotInstalled with the install line.
        """
        from tuner.best import pytorch

        return pytorch.optimizer(self.recipe(), params, strict)

    def to_torch_scheduler(
        self, optimizer: Any, total_steps: int | None = None, *, steps_per_epoch: int | None = None
    ) -> Any:
        """Return the torch scheduler, to be stepped after each update; None if the learning rate stays.

        Give `total_steps`, the updates of `best["horizon"]` epochs, or `steps_per_epoch`.
        """
        from tuner.best import pytorch

        return pytorch.scheduler(self.recipe(), optimizer, total_steps, steps_per_epoch)

    def to_keras(
        self, total_steps: int | None = None, *, steps_per_epoch: int | None = None, strict: bool = True
    ) -> Any:
        """Return the Keras optimizer that makes the tuned steps, schedule included. Raises as `to_torch`."""
        from tuner.best import keras

        return keras.optimizer(self.recipe(), total_steps, steps_per_epoch, strict)

    def to_optax(
        self, total_steps: int | None = None, *, steps_per_epoch: int | None = None, strict: bool = True
    ) -> Any:
        """Return the optax transformation of the tuned steps, schedule included. Raises as `to_torch`."""
        from tuner.best import optax

        return optax.transformation(self.recipe(), total_steps, steps_per_epoch, strict)

    def to_sklearn(self, estimator: str, *, n_samples: int | None = None, strict: bool = True) -> dict[str, Any]:
        """Return keyword arguments of a scikit-learn estimator ("MLPClassifier", ...), fitted on `n_samples` rows."""
        from tuner.best import sklearn

        return sklearn.settings(self.recipe(), estimator, n_samples, strict)

    def to_code(self, framework: str, *, strict: bool = True) -> str:
        """Return a module for "torch", "keras", "optax" or "sklearn" that builds and trains the tuned model.

        A config of your own training code gets its optimizer alone. Raises as `to_torch`.
        """
        from tuner.best.code import code_of

        if framework not in EXPORTERS:
            raise InvalidInput(Complaint("framework", f"{framework!r} is not known", nearest(framework, EXPORTERS)))
        return code_of(self.recipe(), framework, strict)

    def recipe(self) -> Recipe:
        """Return what exporters read. Raises InvalidInput for an imported config and for values that cannot be."""
        from tuner.best.recipe import OWN, Recipe, optimizer_part

        if not self.conventions and self.provenance.get("task") == "own":
            what = f"study {self.study!r} tunes an objective of its own, without an optimizer of [optimizers]"
            raise InvalidInput(Complaint("conventions", what, "its values are yours to read: --to json has them"))
        if not self.conventions:
            what = f"study {self.study!r} was imported, so nobody knows what the values mean"
            raise InvalidInput(Complaint("conventions", what, "write the optimizer by hand: --to json has the values"))

        sure = "not confirmed"
        if self.interval:
            low, high = self.interval
            sure = f"confirmed {self.confirmation['mean']:.4g} [{low:.4g}, {high:.4g}] on fresh seeds"
            sure += f" (95 % interval for {self.interval_of})" if self.interval_of else ""
        if self.interval and not math.isfinite(self.confirmation["mean"]):
            sure = "lost on a fresh seed (diverged, or failed)"
        origin = f"Trial {self.trial} of study {self.study!r}: {self.metric} {self.value:.4g} in the search, {sure}."
        params = optimizer_part(self.params) if self.model.get("task") == OWN else self.params
        return Recipe(params, self.conventions, self.training, self.model, (origin,))

    def document(self) -> dict[str, Any]:
        """Return the content of best.toml."""
        return {
            "version": VERSION,
            "study": self.study,
            "trial": self.trial,
            "config": plain(self.params),
            "conventions": plain(self.conventions),
            "training": plain(self.training),
            "model": plain(self.model),
            "result": plain(self.result),
            "confirmation": plain(self.confirmation),
            "provenance": plain(self.provenance),
        }


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert values to what TOML can hold: None left out, tuples as lists."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items() if v is not None}


def load_best(path: str | Path) -> Best:
    """Load the best config from a study directory or a best.toml, with the standard library alone.

    Raises FileNotFoundError if there is none yet, and InvalidInput with file and key if it cannot be read.

    ```python
    optimizer = tuner.load_best("runs/digits")["optimizer"]
    ```
    """
    file = Path(path)
    if file.is_dir():
        file = file / "best.toml"
    if not file.exists():
        raise FileNotFoundError(f"{file}: there is no best config; {_elsewhere(Path(path))}")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(Complaint(str(file), "is not UTF-8 text", "the next `tuner run` writes it anew")) from error
    return parse_best(text, str(file))


def _elsewhere(path: Path) -> str:
    """Suggest the study directory that is meant by its name alone, or by another spelling."""
    for parent in () if path.is_dir() else (path.parent, path.parent / "runs"):
        names = [found.parent.name for found in sorted(parent.glob("*/best.toml"))]
        if near := get_close_matches(path.name, names, n=1):
            return f"did you mean {str(parent / near[0])!r}?"
    return "`tuner run` writes one when a trial is complete"


def parse_best(text: str, where: str) -> Best:
    """Parse the text of a best.toml to a Best. Raises InvalidInput naming `where` and the key."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of too many digits is a ValueError
        raise InvalidInput(Complaint(where, f"is not TOML: {error}")) from error
    if wrong := complaints_of(document, where):
        raise InvalidInput(*wrong)
    return Best(
        study=document["study"],
        trial=document["trial"],
        params=MappingProxyType(document["config"]),
        training=MappingProxyType(document["training"]),
        result=MappingProxyType(document["result"]),
        conventions=MappingProxyType(document["conventions"]),
        model=MappingProxyType(document["model"]),
        confirmation=MappingProxyType(document.get("confirmation", {})),
        provenance=MappingProxyType(document.get("provenance", {})),
    )
