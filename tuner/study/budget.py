"""How long a trial may train: in epochs, in updates, or in examples seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner.parameter_names import UNITS

__all__ = ["ENDLESS", "RUN", "UNITS", "Budget"]

RUN = "run"  # the unit of what trains as long as it likes
ENDLESS = 10**9


@dataclass(frozen=True)
class Budget:
    """An amount of a unit. `rows` are the train rows, which steps and examples need; 0 where they are not known yet.

    A `plain` one is counted by who trains, in its own unit: there are no epochs behind it.
    """

    unit: str
    amount: int
    rows: int = 0
    plain: bool = False

    def __str__(self) -> str:
        return f"{self.amount:,} {self.unit[:-1] if self.amount == 1 else self.unit}"

    def per_epoch(self, config: Mapping[str, Any]) -> int:
        """Return the units in one epoch of a config. Raises ValueError where that needs the unknown number of
        train rows.
        """
        if self.unit == "epochs" or self.plain:
            return 1
        if not self.rows:
            raise ValueError(f"epochs in {self.unit} depend on the train rows, which are not known yet")
        batch = int(config.get("batch_size", self.rows))
        return self.rows if self.unit == "examples" else -(-self.rows // batch)

    def epochs(self, config: Mapping[str, Any], amount: int | None = None) -> int:
        """Return the whole epochs of a config nearest to `amount` (by default all of it), at least one.

        Models are evaluated after an epoch, so part of one would leave nothing to compare.
        """
        if self.unit == RUN:
            return ENDLESS
        return max(1, round((self.amount if amount is None else amount) / self.per_epoch(config)))
