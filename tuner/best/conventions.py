"""The conventions of a config: how its values are meant, as they stand in best.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from objectives.optimizers import convention_of
from objectives.training.clipping import guard_of
from objectives.weight_decay import decayed_of

__all__ = ["conventions_of"]


def conventions_of(config: Mapping[str, Any], dtype: str = "float32") -> dict[str, Any]:
    """Describe the framework that a config follows, where frameworks compute the rule differently.

    `eps_mode` is "outside" (`sqrt(v_hat) + eps`), "hat" (`sqrt(v) + eps`), "inside" (`sqrt(v + eps)`), or "corrected"
    (amsgrad's largest corrected average). `lr_in_buffer` means that the momentum buffer holds steps. `decay_mode` is
    "coupled" for decay added to the gradient, "decoupled" for weights shrunk by `lr decay`. `clip_guard` is the
    constant added to a norm.
    """
    convention = convention_of(config)
    return {
        "framework": config.get("framework", "torch"),
        "eps_mode": convention.eps,
        "lr_in_buffer": convention.buffered,
        "decay_mode": "decoupled" if convention.decoupled else "coupled",
        "decay_scope": decayed_of(config),
        "clip_guard": guard_of(config),
        "loss_reduction": "mean",
        "last_batch": "kept",
        "dtype": dtype,
    }
