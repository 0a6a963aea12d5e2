"""Made-up trials for tests of what is derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tuner.records import Trial


def trial(
    number: int,
    *,
    state: str = "complete",
    value: float | None = 0.5,
    generation: int = 0,
    epochs: int = 4,
    curve: Sequence[float] | None = None,
    latents: dict[str, Any] | None = None,
    stable: bool = True,
    **config: Any,
) -> Trial:
    """A trial whose validation loss is `curve`, the least of which is its value, or falls to `value` at the end."""
    if curve is not None and value is not None:
        value = float(np.min(curve))
    last = np.inf if value is None else value
    losses = np.array([curve if curve is not None else [last + epochs - 1 - e for e in range(epochs)]], dtype=float)
    known = value is not None
    return Trial(
        number=number,
        generation=generation,
        state=state,
        config={"optimizer": "momentum", "lr": 0.1, "momentum": 0.9, "batch_size": 32, "epochs": epochs} | config,
        latents=latents or {},
        rung=0,
        epochs=epochs,
        steps=10 * epochs,
        value=value,
        epoch=epochs if known else None,
        stable=stable and known,
        metrics={"valid_loss": value} if value is not None else {},
        curves={"valid_loss": losses},
        seconds=0.01,
    )
