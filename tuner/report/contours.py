"""Level lines of a surface, as one broken line a level: what a chart without a mark for contours can draw.

Every square of a grid is two triangles; where a triangle's corners lie on both sides of a level, the level crosses two
of its sides, at points that are interpolated linearly. Pieces that share an end are joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.surfaces import Surface

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEVELS", "contours", "crossings", "joined", "window"]

GRID = 65  # points a side
LEVELS = 11


def window(surface: Surface, points: Any, room: float = 0.15) -> tuple[Any, Any]:
    """Return the corners `(2,)` of a rectangle with the minima and the points `(N, 2)`, not far beyond the
    surface's own.
    """
    shown = np.concatenate([surface.minima[:, :2], np.asarray(points, dtype=np.float64).reshape(-1, 2)])
    shown = np.clip(shown[np.isfinite(shown).all(axis=1)], 2 * surface.low, 2 * surface.high)
    low, high = shown.min(axis=0), shown.max(axis=0)
    span = np.maximum(high - low, 0.2 * (surface.high - surface.low))
    middle = (low + high) / 2
    return middle - (0.5 + room) * span, middle + (0.5 + room) * span


def contours(surface: Surface, low: Any, high: Any) -> pd.DataFrame:
    """Compute contour lines within a rectangle: level, x1, x2, with a row of missing values after each line."""
    import pandas as pd

    x, y = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    values = surface.value(np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1))
    rooted = np.sqrt(values - values.min())  # near a minimum this is straight, which the pieces between two points are
    levels = np.unique(np.quantile(values, np.linspace(0.04, 0.93, LEVELS) ** 1.3))
    parts = []
    for number, level in enumerate(levels):
        lines = joined(crossings(x, y, rooted, float(np.sqrt(level - values.min()))).round(4))
        broken = np.concatenate([[*line, (np.nan, np.nan)] for line in lines]).reshape(-1, 2)
        parts.append(pd.DataFrame({"level": number, "value": level, "x1": broken[:, 0], "x2": broken[:, 1]}))
    return pd.concat(parts, ignore_index=True)


def crossings(x: Any, y: Any, values: Any, level: float) -> Any:
    """Compute the segments of a contour line `(S, 2, 2)`, two ends with two coordinates each, on the grid `x
    (N,)`, `y (M,)`.
    """
    corners = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    quads = [(slice(0, -1), slice(0, -1)), (slice(1, None), slice(0, -1)), (slice(0, -1), slice(1, None))]
    quads += [(slice(1, None), slice(1, None))]
    triangles = np.array([[0, 1, 2], [3, 1, 2]])
    place = np.stack([corners[quad] for quad in quads], axis=2).reshape(-1, 4, 2)[:, triangles].reshape(-1, 3, 2)
    height = np.stack([values[quad] for quad in quads], axis=2).reshape(-1, 4)[:, triangles].reshape(-1, 3)
    over = height > level
    crossed = over.any(axis=1) & ~over.all(axis=1)
    place, height, over = place[crossed], height[crossed], over[crossed]
    ends = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        share = (level - height[:, a]) / np.where(height[:, b] == height[:, a], 1.0, height[:, b] - height[:, a])
        point = place[:, a] + share[:, None] * (place[:, b] - place[:, a])
        ends.append(np.where((over[:, a] != over[:, b])[:, None], point, np.nan))
    sides = np.stack(ends, axis=1)  # (S, 3, 2), one of the three missing
    order = np.argsort(np.isnan(sides[:, :, 0]), axis=1, kind="stable")[:, :2]
    return np.take_along_axis(sides, order[:, :, None], axis=1)


def joined(pieces: Any) -> list[list[tuple[float, float]]]:
    """Join segments `(S, 2, 2)` that share ends to lines."""
    at: dict[tuple[float, float], list[int]] = {}
    ends = [((float(a[0]), float(a[1])), (float(b[0]), float(b[1]))) for a, b in pieces]
    for i, piece in enumerate(ends):
        for end in piece:
            at.setdefault(end, []).append(i)
    left, lines = set(range(len(ends))), []
    for i in range(len(ends)):
        if i not in left:
            continue
        left.discard(i)
        line = list(ends[i])
        for _ in range(2):  # on from one end, then from the other
            while (following := next((j for j in at[line[-1]] if j in left), None)) is not None:
                left.discard(following)
                first, second = ends[following]
                line.append(second if first == line[-1] else first)
            line.reverse()
        lines.append(line)
    return lines
