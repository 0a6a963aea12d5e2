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
from tuner.best.schema import FRAMEWORKS, VERSION, complaints_of

if TYPE_CHECKING:
    from tuner.best.recipe import Recipe

__all__ = ["VERSION", "Best", "load_best"]


@dataclass(frozen=True, repr=False)
class Best(Mapping[str, Any]):
    """A read-only mapping of a full config: tuned, fixed and default values, as plain Python values.

    `value` is what the search measured, `interval` a 95 % interval around the confirmed mean (None when not confirmed)
    and `interval_of` what it is of, such as "the value on new rows"; `epochs` how long to train, `provenance` where it
    comes from. A schedule runs over `best["horizon"]` epochs.
    `conventions` say how the values are meant: whose rules, where eps stands, what decay does; `model` what was tuned.
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
        """The config as a table, for a notebook."""
        said = f"{self.metric} {self.value:.4g}"
        if self.interval and math.isfinite(self.confirmation["mean"]):
            said += " in the search, {:.4g} [{:.4g}, {:.4g}] confirmed".format(
                self.confirmation["mean"], *self.interval
            )
        rows = (f"<tr><th>{escape(str(k))}</th><td>{escape(str(v))}</td></tr>" for k, v in self.params.items())
        head = f"<div><b>{escape(self.study)}</b>, trial {self.trial}: {escape(said)}</div>"
        return f"{head}<table>{''.join(rows)}</table>"

    @property
    def metric(self) -> str:
        """The goal's name."""
        return str(self.result["metric"])

    @property
    def value(self) -> float:
        """The goal at the best epoch of the search."""
        return float(self.result["value"])

    @property
    def confirmed(self) -> bool:
        """Whether fresh seeds stand behind it."""
        return bool(self.confirmation)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval for the goal on new rows, from fresh seeds and splits that chose nothing; None when not
        confirmed.

        It allows for the rows that the splits share (Nadeau and Bengio 2003), and is Wilson's for an accuracy. What it
        is of stands in `interval_of`: of an objective of somebody's own it holds the noise of seeds alone. Both ends
        are nan where it diverged or failed on one of the seeds.
        For another rank or optimizer than the best, the seeds are those that ranked it: `confirmation["reported_on"]`
        says which. The intervals of test metrics in `confirmation` hold the noise of retraining and of the test rows;
        `interval_of` beside each says where the rows' is not known.
        """
        if not self.confirmation:
            return None
        return float(self.confirmation["low"]), float(self.confirmation["high"])

    @property
    def interval_of(self) -> str:
        """What `interval` is of, in words; empty when not confirmed, and in files of before that was kept."""
        return str(self.confirmation.get("interval_of", ""))

    @property
    def epochs(self) -> int:
        """Epochs to train: the best epoch of the search."""
        return int(self.training["epochs"])

    def to_torch(self, params: Iterable[Any], *, strict: bool = True) -> Any:
        """The torch optimizer over `params` that makes the tuned steps, clipping included.

        Warns where `params` are of another number than the tuned model's. Raises InexactMapping where torch has no such
        steps (`strict=False`: warns, and gives the nearest), NotInstalled with the install line.
        """
        from tuner.best import pytorch

        return pytorch.optimizer(self.recipe(), params, strict)

    def to_torch_scheduler(
        self, optimizer: Any, total_steps: int | None = None, *, steps_per_epoch: int | None = None
    ) -> Any:
        """The torch scheduler, to be stepped after every update; None where the rate stays.

        `total_steps` are the updates of the schedule's horizon, `best["horizon"]` epochs; or give steps_per_epoch.
        """
        from tuner.best import pytorch

        return pytorch.scheduler(self.recipe(), optimizer, total_steps, steps_per_epoch)

    def to_keras(
        self, total_steps: int | None = None, *, steps_per_epoch: int | None = None, strict: bool = True
    ) -> Any:
        """The Keras optimizer that makes the tuned steps, with schedule, clipping and decay in it; as `to_torch`."""
        from tuner.best import keras

        return keras.optimizer(self.recipe(), total_steps, steps_per_epoch, strict)

    def to_optax(
        self, total_steps: int | None = None, *, steps_per_epoch: int | None = None, strict: bool = True
    ) -> Any:
        """The optax transformation that makes the tuned steps, with schedule, clipping and decay; as `to_torch`."""
        from tuner.best import optax

        return optax.transformation(self.recipe(), total_steps, steps_per_epoch, strict)

    def to_sklearn(self, estimator: str, *, n_samples: int | None = None, strict: bool = True) -> dict[str, Any]:
        """Keyword arguments of an estimator of scikit-learn ("MLPClassifier", ...), fitted on `n_samples` rows."""
        from tuner.best import sklearn

        return sklearn.settings(self.recipe(), estimator, n_samples, strict)

    def to_code(self, framework: str, *, strict: bool = True) -> str:
        """A module for "torch", "keras", "optax" or "sklearn" that builds and trains the tuned model without tuner."""
        from tuner.best.code import code_of

        if framework not in FRAMEWORKS:
            raise InvalidInput(Complaint("framework", f"{framework!r} is not known", nearest(framework, FRAMEWORKS)))
        return code_of(self.recipe(), framework, strict)

    def recipe(self) -> Recipe:
        """What exporters read. Raises InvalidInput for an imported config, and for values edited into nonsense."""
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
        """The content of best.toml."""
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
    """The values that TOML can hold: None left out, tuples as lists."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items() if v is not None}


def load_best(path: str | Path) -> Best:
    """The best config from a study directory or a best.toml.

    Raises InvalidInput naming file and key where it is not one, FileNotFoundError where there is none yet.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "best.toml"
    if not file.exists():
        raise FileNotFoundError(f"{file}: there is no best config; {_elsewhere(Path(path))}")
    return parse_best(file.read_text(encoding="utf-8"), str(file))


def _elsewhere(path: Path) -> str:
    """A hint at the study directory that is meant by its name alone, or by another spelling."""
    for parent in () if path.is_dir() else (path.parent, path.parent / "runs"):
        names = [found.parent.name for found in sorted(parent.glob("*/best.toml"))]
        if near := get_close_matches(path.name, names, n=1):
            return f"did you mean {str(parent / near[0])!r}?"
    return "`tuner run` writes one when a trial is complete"


def parse_best(text: str, where: str) -> Best:
    """A Best from the text of a best.toml. Raises InvalidInput naming `where` and the key."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
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
