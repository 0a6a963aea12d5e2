"""Rolling-origin windows of rows in time order: a stretch that trains, and the stretch right after it that validates.

All windows have as many rows, so that they can be stacked; the newest ends where the test rows begin, the others end
earlier. scikit-learn's TimeSeriesSplit(max_train_size=..., test_size=...) makes windows of one size too, but lets its
first ones be shorter and its validation stretches never overlap, so that it has no more of them than fit side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["GIVEN_UP", "Windows", "windows_of"]

# One of so many rows that would train before the newest validation rows, so that windows can end earlier: measured in
# tuner/search/defaults.md.
GIVEN_UP = 3
GOLDEN = (math.sqrt(5) - 1) / 2  # multiples modulo 1 fill [0, 1) evenly, however many there are (Weyl 1916)


@dataclass(frozen=True)
class Windows:
    """Sizes of every window, and by how many rows the oldest ends before the newest."""

    train: int
    valid: int
    room: int

    def start(self, number: int) -> int:
        """Return the first row of a window; 0 is the newest, and every run of numbers is spread over all places."""
        return self.room - math.floor(number * GOLDEN % 1.0 * (self.room + 1))

    def different(self, most: int) -> int:
        """Return how many of the first `most` windows there are before one comes twice."""
        starts: set[int] = set()
        for number in range(most):
            if self.start(number) in starts:
                return number
            starts.add(self.start(number))
        return most


def windows_of(train: int, valid: int) -> Windows:
    """Return the windows of rows of which, in one division, `train` would train and the `valid` after them validate."""
    room = train // GIVEN_UP
    return Windows(train - room, valid, room)
