"""The space of a study: what it declares <-> coordinates in [0, 1], which are what a sampler sees.

    parameter -> space -> build

`parameter` is one hyperparameter and its scale, `build` reads all of a study's.
"""

from __future__ import annotations

from tuner.space.build import space_of
from tuner.space.space import Space

__all__ = ["Space", "space_of"]
