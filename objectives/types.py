"""Types that every module shares; arrays say their shape where they are documented."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Codes", "Config", "Direction", "Floats", "Values"]

Array = NDArray[Any]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Config = Mapping[str, Any]  # hyperparameter -> value, of any type
Values = Mapping[str, float]  # hyperparameter or flag (0 or 1) -> number, of one config


class Direction(StrEnum):
    """Which values of a metric are better: small or large ones."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"
