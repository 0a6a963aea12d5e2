"""Axes that suit values: logarithmic or not, which ends cut what is far off, and what is said of what they cut.

What lies beyond an end is drawn at the edge as an arrow, and the axis has its number there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import numpy as np

__all__ = ["DEEP", "LABEL", "Axis", "powers", "reaching", "steps", "value_axis", "whole"]

LOG_FROM = 5.0  # times the smallest value, from which a positive axis is logarithmic
FAR = 0.5  # spans of the inner values, beyond which a value is drawn at the edge
ROUND = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200)  # decades from tick to tick
DEEP = 12.0  # decades below the middle, beyond which good values differ by rounding alone
SQUEEZED = 0.15  # of a plain axis: with half of the values in so little of it, a logarithmic one shows them
LABEL = "replace(format(datum.value, datum.value >= 1e5 || datum.value < 1e-4 ? '.3~e' : '.6~g'), '+', '')"
APART = 0.06  # of an axis, within which a label at its end would cover another


@dataclass(frozen=True)
class Axis:
    """A scale that suits values: logarithmic or not, its ends, and how many values lie above and below them."""

    log: bool
    low: float
    high: float
    above: int = 0
    below: int = 0

    @property
    def beyond(self) -> int:
        """Return how many values lie beyond the ends."""
        return self.above + self.below

    @property
    def length(self) -> float:
        """Return the length of the axis in its own units: decades, or values."""
        return math.log10(self.high / self.low) if self.log else self.high - self.low

    def of(self, values: Any) -> Axis:
        """Return the same axis for a chart that has only these of the values."""
        finite = _finite(values)
        return replace(self, above=int((finite > self.high).sum()), below=int((finite < self.low).sum()))

    def ticks(self, title: str, form: str = ".6~g") -> alt.Axis:
        """Return the ticks of a logarithmic axis: powers of ten, with halves between them where those are few."""
        if not self.log:
            return alt.Axis(title=title, format=form, tickCount=6)
        return alt.Axis(title=title, labelExpr=LABEL, values=powers(self.low, self.high))

    def upright(self, title: str) -> alt.Axis:
        """Return the ticks of a y axis: beside an end that cuts values off stand an arrow and how many."""
        ends = {self.high: f"\u2191 {self.above:,}"} if self.above else {}
        ends |= {self.low: f"\u2193 {self.below:,}"} if self.below else {}
        if not ends:
            return self.ticks(title)
        plain = powers(self.low, self.high) if self.log else steps(self.low, self.high)
        values = [value for value in plain if all(self._apart(value, end) > APART for end in ends)]
        label = LABEL if self.log else "format(datum.value, '.6~g')"
        for end, words in ends.items():
            label = f"datum.value === {json.dumps(end)} ? {json.dumps(words, ensure_ascii=False)} : {label}"
        return alt.Axis(title=title, labelExpr=label, values=sorted([*values, *ends]))

    def _apart(self, a: float, b: float) -> float:
        """Return the distance of two values as a share of the axis."""
        return abs(math.log10(a / b) if self.log else a - b) / self.length

    def scale(self) -> alt.Scale:
        """Build the Vega-Lite scale, which draws values beyond its ends at the edge."""
        return alt.Scale(type="log" if self.log else "linear", domain=[self.low, self.high], clamp=True, nice=False)

    @property
    def words(self) -> str:
        """Describe the axis for the caption of a chart of lines; "" if there is nothing to say."""
        return self._words("drawn at its edge")

    @property
    def point_words(self) -> str:
        """Describe the axis for the caption of a chart of points."""
        return self._words("an arrow at its edge" if self.beyond == 1 else "arrows at its edge")

    def _words(self, how: str) -> str:
        log = "The axis is logarithmic. " if self.log else ""
        if not self.beyond:
            return log
        are = "value beyond the axis is" if self.beyond == 1 else "values beyond the axis are"
        return f"{log}{self.beyond:,} {are} {how}. "


def _finite(values: Any) -> Any:
    return np.asarray([value for value in values if value is not None and math.isfinite(value)], dtype=np.float64)


def value_axis(values: Any, lower_is_better: bool | None = None, far: float = FAR) -> Axis:
    """Choose an axis for values of which few may be far off: those are drawn at its edge.

    `far` is in spans of the middle 80 %. The better end is not cut, except for at most a tenth of the values that lies
    `DEEP`. The axis is logarithmic where a linear one would squeeze or cut positive values.
    """
    finite = np.sort(_finite(values))
    if not len(finite):
        return Axis(False, 0.0, 1.0)
    finite = finite.clip(-1e300, 1e300)  # room for spans of them
    if finite[0] > 0 and _spread(finite, lower_is_better, far):
        powers_of_ten = np.log10(finite)
        low, high = _ends(powers_of_ten, lower_is_better, far)
        if lower_is_better:
            low = max(low, min(_inner(powers_of_ten)[0], float(np.median(powers_of_ten)) - DEEP))
        low, high = _padded(low, high)
        if 10 ** min(high - low, 2.0) >= LOG_FROM:
            return Axis(True, float(10 ** max(low, -307.0)), float(10 ** min(high, 307.0))).of(finite)
    return Axis(False, *_padded(*_ends(finite, lower_is_better, far))).of(finite)


def powers(low: float, high: float, most: int = 7) -> list[float]:
    """Round values of a logarithmic axis: `most` powers of ten, or 1, 2 and 5 times them where those are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 2:
        step = next(step for step in ROUND if (last - first) // step < most)
        return [float(f"1e{k}") for k in range(-(-first // step) * step, last + 1, step)]
    fine = [float(f"{m}e{k}") for k in range(first - 1, last + 1) for m in (1, 2, 5)]
    inside = [value for value in fine if low <= value <= high]
    return inside if len(inside) > 1 else [low, high]


def whole(low: int, high: int, most: int = 12) -> list[int]:
    """Round whole numbers from `low` to `high`, at most `most` of them."""
    step = next(10**k * m for k in range(18) for m in (1, 2, 5) if (high - low) // (10**k * m) < most)
    return list(range(-(-low // step) * step, high + 1, step))


def _spread(values: Any, lower_is_better: bool | None, far: float) -> bool:
    """Return True if positive values need a logarithmic axis: a linear one would cut or squeeze them."""
    middle = float(np.median(values))
    if lower_is_better is False:
        return bool(_inner(values)[1] >= LOG_FROM * middle)
    high = _ends(values, lower_is_better, far)[1]
    lost = values[-1] > high or middle - values[0] < SQUEEZED * (high - values[0])
    return bool((values[-1] if lost else values[int(0.9 * (len(values) - 1))]) >= LOG_FROM * values[0])


def _inner(values: Any) -> tuple[float, float]:
    """Return the ends of the middle 80 % of sorted values."""
    return float(values[int(0.1 * (len(values) - 1))]), float(values[math.ceil(0.9 * (len(values) - 1))])


def _ends(values: Any, lower_is_better: bool | None, far: float) -> tuple[float, float]:
    inner = _inner(values)
    reach = far * (inner[1] - inner[0])
    low, high = max(float(values[0]), inner[0] - reach), min(float(values[-1]), inner[1] + reach)
    if lower_is_better is True:
        low = float(values[0])
    if lower_is_better is False:
        high = float(values[-1])
    return low, high


def _padded(low: float, high: float) -> tuple[float, float]:
    """Widen both ends a little, and more where they coincide."""
    with np.errstate(over="ignore"):
        span = high - low
    room = 0.04 * span if 0 < span < math.inf else abs(low) * 0.05 or 1e-3
    return max(low - room, -1e308), min(high + room, 1e308)


def reaching(axis: Axis, kept: Sequence[float], values: Any) -> Axis:
    """Return the axis of `values`, longer where it has to be for those that are to lie on it."""
    kept = [value for value in kept if math.isfinite(value) and not (axis.log and value <= 0)]
    low, high = min([axis.low, *kept]), max([axis.high, *kept])
    return replace(axis, low=low, high=high).of(values)


def steps(low: float, high: float, most: int = 6) -> list[float]:
    """Return round values of a plain axis, about `most` of them."""
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [float(f"{k * step:.12g}") for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
