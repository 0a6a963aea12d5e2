"""What a model that is shipped is worth on the test rows: single, as an ensemble, and how sure that is.

The test rows chose nothing and trained nothing, so that the rows alone make the interval. That of an accuracy is
Wilson's, and so is that of other metrics between two bounds. Of a loss it is a studentised bootstrap (Efron 1982; Hall
1988): losses of rows are skewed, and where a t interval at 95 % covers in 81 to 90 % at 30 rows, this one covers in 93
to 97 % (`python -m tests.benchmarks.shipped_model intervals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.data.transforms import losses_in_units
from objectives.metrics import RowFacts, WholeMetric, metrics_of
from objectives.rng import Stream, stream
from objectives.types import Array
from tuner.ranking.statistics import bounded_interval, mean_interval, share_interval

__all__ = ["LEVEL", "Judged", "bootstrap_interval", "documents", "judged", "row_losses"]

LEVEL = 0.95
RESAMPLES = 999
FEW = 25  # rows: with so many, tails are half as large as they should be, as few rows seldom hold the largest losses
MOST_RESAMPLED = 2000  # rows: of more, the mean is as good as normal, and resampling would take long
LEAST = 1e-15  # probability that a loss sees, as in scikit-learn's log_loss


@dataclass(frozen=True)
class Judged:
    """A metric on the test rows with its 95 % interval; nan ends where the rows do not tell."""

    value: float
    low: float
    high: float

    def document(self) -> dict[str, float | None]:
        """Return it as JSON can hold it."""
        return {key: value if math.isfinite(value) else None for key, value in vars(self).items()}


def judged(  # noqa: PLR0913
    task: str,
    members: Array,
    truth: Array,
    scale: Array,
    asked: Sequence[str] = (),
    threshold: float | None = None,
    weights: Array | None = None,
    transform: str = "",
) -> dict[str, dict[str, Judged]]:
    """Return each metric of the ensemble and of a single network, as `{"test_loss": {"ensemble": ..., "single": ...}}`.

    `members (R, n, C)` are predictions of each network: probabilities (binary: of the second class), or values in the
    target's units; `truth` are class codes `(n,)` or values `(n, C)`; `scale (C,)` is the unit in which losses count.
    That of a single network is the mean over all of them. `asked` are metrics beside those that are always there.
    Above `threshold`, 0.5 where there is none, the second of two classes is said. `weights (n,)` say how much rows
    count, `transform` how the target was learned.
    """
    whole = members.mean(axis=0, keepdims=True)
    kinds = {"ensemble": whole, "single": members}
    each = None if weights is None else weights / weights.mean()
    found = {
        "test_loss": {kind: _mean(row_losses(task, own, truth, scale, transform), each) for kind, own in kinds.items()}
    }
    least = 0.5 if threshold is None else threshold
    if task == "regression":
        found |= _of_numbers(kinds, truth, scale, each)
    else:
        hits = {kind: _hits(task, own, truth, least) for kind, own in kinds.items()}
        found |= {"test_accuracy": {kind: _share(own, each) for kind, own in hits.items()}}
    rows = [row for row in metrics_of(task, asked) if isinstance(row, WholeMetric)]
    return found | {
        f"test_{row.name}": {kind: _of_all(row, own, truth, least, each) for kind, own in kinds.items()} for row in rows
    }


def _of_numbers(
    kinds: Mapping[str, Array], truth: Array, scale: Array, weights: Array | None
) -> dict[str, dict[str, Judged]]:
    """Return the metrics of a regression that are always there, beside its loss."""
    ones = np.ones_like(scale)
    squares = {kind: row_losses("regression", own, truth, ones) for kind, own in kinds.items()}
    shares = {kind: _unexplained(own, truth, weights) for kind, own in kinds.items()}
    return {
        "test_rmse": {kind: _root(_mean(own, weights)) for kind, own in squares.items()},
        "test_r2": {kind: _one_less(_mean(own, None)) for kind, own in shares.items()},
    }


def _of_all(row: WholeMetric, members: Array, truth: Array, least: float, weights: Array | None) -> Judged:
    """Return a metric of all rows together, the mean over members."""
    values = truth.ndim > 1
    with np.errstate(divide="ignore"):  # a share of 0 has a logarithm of -inf, which ranks as it should
        outputs = members if values else np.log(members) - (np.log1p(-members) if members.shape[2] == 1 else 0.0)
    if members.shape[2] == 1 and not values:
        outputs = outputs - math.log(least / (1 - least))
    z, y = np.moveaxis(outputs, 1, 2)[None], np.atleast_2d(truth.T)[None, None]
    width = np.ones((1, 1, z.shape[2]))
    facts = RowFacts(len(truth), width, width, 0 * width, None if weights is None else weights[None, None])
    value, parts = float(row.score(z, y, facts).mean()), row.parts(z, y, facts)[0].mean(axis=0)
    if not all(map(math.isfinite, row.bounds)):
        return bootstrap_interval(parts)
    return _bounded(value, parts, row.bounds)


def _bounded(value: float, parts: Array, bounds: tuple[float, float]) -> Judged:
    """Return a metric between two bounds, with the interval that the spread of its rows' parts gives."""
    variance = float(parts.var(ddof=1)) / len(parts) if len(parts) > 1 else 0.0
    found = bounded_interval([value, value], LEVEL, bounds, variance)
    return Judged(value, found.low, found.high)


def row_losses(task: str, members: Array, truth: Array, scale: Array, transform: str = "") -> Array:
    """Return the loss of each row `(n,)`, the mean over members: `-log p` of the truth, or that of a regression."""
    if task == "regression":
        return np.asarray(losses_in_units(transform, members, truth, scale).mean(axis=(0, 2)))
    if task == "binary":
        right = np.where(truth == 1, members[..., 0], 1 - members[..., 0])
    else:
        right = members[:, np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.clip(right, LEAST, 1.0)).mean(axis=0))


def _hits(task: str, members: Array, truth: Array, least: float) -> Array:
    """Return which share of the members is right about each row, `(n,)`."""
    said = members[..., 0] > least if task == "binary" else members.argmax(axis=2)
    return np.asarray((said == truth).mean(axis=0))


def _unexplained(members: Array, truth: Array, weights: Array | None) -> Array:
    """Return each row's part `(n,)` in the share of variance that is left, `1 - r2`, the mean over members and targets.

    The share is a ratio of means `a / b`, and so the parts are those of its linearisation, `(a_i - r b_i) / b + r`.
    """
    w = 1.0 if weights is None else weights[:, None]
    squares, away = w * (members - truth) ** 2, w * (truth - (w * truth).mean(axis=0)) ** 2
    around = away.mean(axis=0)
    ratio = squares.mean(axis=1, keepdims=True) / around
    parts = (squares - ratio * away) / around + ratio
    return np.asarray(parts.mean(axis=(0, 2)))


def bootstrap_interval(values: Array, level: float = LEVEL) -> Judged:
    """Return the mean of values `(n,)` that are at least 0 with its studentised bootstrap interval, the same each time.

    Of many values it is the t interval, and of two, whose resamples have no other mean. The ends are nan for fewer
    than two, or where all are the same.
    """
    n, mean = len(values), float(values.mean())
    if n > MOST_RESAMPLED or n <= 2 or np.ptp(values) == 0:
        found = mean_interval([mean], level) if n < 2 or np.ptp(values) == 0 else mean_interval(values.tolist(), level)
        return Judged(mean, max(found.low, 0.0) if math.isfinite(found.low) else found.low, found.high)
    drawn = values[stream(0, Stream.BOOTSTRAP, n).integers(0, n, (RESAMPLES, n))]
    means, errors = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / math.sqrt(n)
    tilts = np.divide(means - mean, errors, out=np.full(RESAMPLES, np.nan), where=errors > 0)
    tail = (1 - level) / 2 * n / (n + FEW)
    low, high = np.nanquantile(tilts, [tail, 1 - tail])
    error = float(values.std(ddof=1)) / math.sqrt(n)
    return Judged(mean, max(mean - float(high) * error, 0.0), mean - float(low) * error)


def _mean(values: Array, weights: Array | None) -> Judged:
    return bootstrap_interval(_linear(values, weights))


def _linear(values: Array, weights: Array | None) -> Array:
    """Return values of rows `(n,)` whose plain mean is that by weight, and whose spread makes its error."""
    if weights is None:
        return values
    mean = (weights * values).mean()
    return np.asarray(mean + weights * (values - mean))


def _share(hits: Array, weights: Array | None) -> Judged:
    if weights is not None:
        parts = _linear(hits, weights)
        return _bounded(min(float(parts.mean()), 1.0), parts, (0.0, 1.0))
    share = float(hits.mean())
    found = share_interval([share, share], LEVEL, 0.0, len(hits), shared=True)
    return Judged(share, found.low, found.high)


def _root(squares: Judged) -> Judged:
    return Judged(*(math.sqrt(value) for value in (squares.value, squares.low, squares.high)))


def _one_less(share: Judged) -> Judged:
    return Judged(1 - share.value, 1 - share.high, 1 - share.low)


def documents(metrics: Mapping[str, Mapping[str, Judged]]) -> dict[str, Any]:
    """Return metrics as JSON can hold them."""
    return {name: {kind: one.document() for kind, one in own.items()} for name, own in metrics.items()}
