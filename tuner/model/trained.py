"""A trained model: raw rows in, predictions out.

It is an ensemble of networks that were trained alike on other seeds: probabilities are their mean, and so are values.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from objectives.data.incoming import incoming
from objectives.data.preparation import DATE, NUMBER, Preparation, Seen
from objectives.data.raw import first_lines
from objectives.errors import Complaint, InvalidInput
from objectives.types import Array
from tuner.errors import RowsWarning
from tuner.model.network import Network

__all__ = ["ConfirmationNoise", "TrainedModel", "sentences"]

SHOWN = 5  # sentences on rows that a warning holds


@dataclass(frozen=True, eq=False)
class ConfirmationNoise:
    """What intervals around predictions are made of, in the target's own units.

    `residuals (m, C)` are sorted distances of validation rows' targets from what models said that had not seen them,
    `spread (C,)` is the variance between the networks on their train rows.
    """

    residuals: Array
    spread: Array

    def reach(self, level: float) -> Array:
        """Return the distance `(C,)` within which a share `level` of new rows lies: a conformal quantile.

        The smallest residual with a share of `level (1 + 1 / m)` of them at or below it (Vovk et al. 2005); infinite
        where there are too few for the level.
        """
        m = len(self.residuals)
        rank = math.ceil((m + 1) * level - 1e-9)
        found: Array = self.residuals[rank - 1] if rank <= m else np.full(self.residuals.shape[1], np.inf)
        return found


@dataclass(frozen=True, eq=False, repr=False)
class TrainedModel:
    """A model with its preparation. `facts` say what it is: study, config, training, metrics with intervals.

    `tuner.load_model` reads one. `predict`, `predict_proba` and `predict_interval` take rows as a frame, a mapping of
    columns, a list of mappings or an array whose columns are those of training in its order. Columns are found by name,
    gaps and unknown categories treated as in training; what lies outside of what training had seen is warned of.
    """

    preparation: Preparation
    network: Network
    noise: ConfirmationNoise | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        many = f"{self.network.members} networks" if self.network.members > 1 else "one network"
        return f"TrainedModel({self.facts.get('study', '')!r}, {self.task}, {many}, {len(self.features)} columns)"

    @property
    def task(self) -> str:
        """Return binary, multiclass or regression."""
        return self.preparation.task

    @property
    def features(self) -> tuple[str, ...]:
        """Return names of the columns that it needs."""
        return self.preparation.names

    @property
    def classes(self) -> tuple[str | int | float | bool, ...]:
        """Return the classes, in the order of the columns of `predict_proba`; none for regression."""
        return self.preparation.labels

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Return test metrics of the ensemble and of a single network, each with its interval."""
        found: Mapping[str, Any] = self.facts.get("metrics", {})
        return found

    @property
    def threshold(self) -> float | None:
        """Return the probability above which the second of two classes is said; None where the likelier one is."""
        found: float | None = self.facts.get("threshold")
        return found

    def predict(self, rows: Any) -> Array:
        """Return the class of each row `(n,)`, or its value, `(n,)`, of several targets `(n, C)`.

        Raises DataError for rows that cannot be read. Warns with RowsWarning of what training had not seen.
        """
        return self.answers(self.of_members(self.prepared(rows)))

    def predict_proba(self, rows: Any) -> Array:
        """Return the probability of each class, `(n, classes)`. Raises InvalidInput for regression."""
        if self.task == "regression":
            raise InvalidInput(Complaint("predict_proba", "a regression has no classes", "use predict"))
        return self.shares(self.of_members(self.prepared(rows)))

    def predict_interval(self, rows: Any, level: float = 0.9) -> tuple[Array, Array]:
        """Return the ends between which the target of a new row lies with probability `level`, each as `predict`'s.

        Half of it is the distance that so many validation rows kept from models that had not seen them; where the
        networks differ more than on their train rows, as far outside of these, it grows by that. Raises InvalidInput
        for classes and for a level outside of (0, 1).
        """
        if self.task != "regression":
            raise InvalidInput(Complaint("predict_interval", "classes have no interval", "use predict_proba"))
        return self.interval(self.of_members(self.prepared(rows)), level)

    def prepared(self, rows: Any) -> Array:
        """Return the inputs `(n, D + 1)` of raw rows, and warn of what training had not seen. Raises DataError."""
        found = incoming(rows, self.preparation)
        said = [f"column {name!r} is not known to the model: ignored" for name in found.extra]
        said += sentences(self.preparation.seen(found.columns), self.preparation)
        if said:
            warnings.warn(f"of {len(found)} rows: {first_lines(said, SHOWN)}", RowsWarning, stacklevel=3)
        return self.preparation.transform(found.columns)

    def of_members(self, x: Array) -> Array:
        """Return what each network says of inputs `(n, D + 1)`: `(R, n, C)`, values in the target's own units."""
        found = self.network.of_members(x)
        if self.task != "regression":
            return found
        return self.preparation.predicted(found)

    def shares(self, members: Array) -> Array:
        """Return the ensemble's probabilities `(n, classes)` from those of its networks."""
        mean = members.mean(axis=0)
        return np.hstack([1 - mean, mean]) if self.task == "binary" else mean

    def interval(self, members: Array, level: float) -> tuple[Array, Array]:
        """Return the ends of the ensemble's interval from the values of its networks. Raises InvalidInput."""
        if not 0 < level < 1:
            raise InvalidInput(Complaint("level", f"must lie between 0 and 1, but got {level!r}"))
        if self.noise is None:
            raise InvalidInput(Complaint("interval", "this model has no residuals", "tuner refit may find some"))
        middle, more = members.mean(axis=0), np.maximum(members.var(axis=0) - self.noise.spread, 0.0)
        half = np.sqrt(self.noise.reach(level) ** 2 + normal_quantile(level) ** 2 * more)
        low = np.maximum(middle - half, 0.0) if self.preparation.target_transform else middle - half
        return _squeezed(low), _squeezed(middle + half)

    def answers(self, members: Array) -> Array:
        """Return the ensemble's predictions from those of its networks."""
        if self.task == "regression":
            return _squeezed(members.mean(axis=0))
        found: Array = np.array(self.classes)[self.places(members)]
        return found

    def places(self, members: Array) -> Array:
        """Return the place among the classes of each row's `(n,)`: the likeliest, or the second above a threshold."""
        shares = self.shares(members)
        return shares.argmax(axis=1) if self.threshold is None else (shares[:, 1] > self.threshold).astype(np.intp)


def sentences(every: Sequence[Seen], preparation: Preparation) -> list[str]:
    """Return a sentence for each thing that training had not seen."""
    columns = {column.name: column for column in preparation.columns}
    return [_sentence(one, columns[one.column]) for one in every]


def _sentence(one: Seen, column: Any) -> str:
    rows = f"{one.rows} row{'s' if one.rows > 1 else ''}"
    if one.kind == "gaps":
        filled = "filled with the median" if column.kind in (NUMBER, DATE) else "counted as unknown"
        return f"column {one.column!r} is missing in {rows} but never in training: {filled}"
    if one.kind == "unknown":
        return f"column {one.column!r} has texts that training had not in {rows}, like {one.example!r}"
    ends = [column.low, column.high]
    shown = [str(np.datetime64(0, "D") + int(end)) if column.kind == DATE else f"{end:.6g}" for end in ends]
    where = f"lies far outside of training's {shown[0]} to {shown[1]} in {rows}"
    return f"column {one.column!r} {where}, as far as {one.example}"


def normal_quantile(level: float) -> float:
    """Return how many standard deviations from the mean hold a share `level` of a normal distribution."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + level / 2)


def _squeezed(values: Array) -> Array:
    return values[:, 0] if values.shape[1] == 1 else values
