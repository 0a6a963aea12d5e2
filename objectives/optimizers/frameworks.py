"""What each framework calls an optimizer, and how its own differs from torch's: `CONVENTIONS[optimizer][framework]`.

The core computes by a convention where a study names the framework; exporters tell from the same entries whether a
config means the same elsewhere, and how it is written there. Read from torch 2.13, Keras 3.15, optax 0.2.8 and
scikit-learn 1.9; the parity tests hold every entry to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from objectives.optimizers.definition import Convention, RuleCall

__all__ = ["CONVENTIONS", "FRAMEWORKS"]

FRAMEWORKS = ("torch", "keras", "optax", "sklearn")
UNLIKE = (
    'scikit-learn\'s alpha is divided by the rows of each batch; with framework = "torch" and decay = "weights", '
    "alpha = weight_decay x batch_size is the same where all batches are full"
)

TORCH = Convention()
KERAS = Convention(decoupled=True)
OPTAX = Convention(also={"coupled": {}, "decoupled": {}})  # a chain, in which decay stands where it is put
SKLEARN = Convention(fixed={"weight_decay": 0.0}, why=UNLIKE)
DECOUPLED = {"decoupled": {"decoupled_weight_decay": True}}
ORDERED = {**OPTAX.also, "buffered": {}, "unbuffered": {}}  # the rate stands before or after the buffer


def _own(base: Convention, name: str, arguments: Mapping[str, Any], /, **constants: Any) -> Convention:
    return replace(base, call=RuleCall(name, arguments, constants))


def _betas(*names: str) -> dict[str, str]:
    return dict(zip(names, ("beta1", "beta2", "eps"), strict=True))


_TORCH_ADAM = {"betas": ("beta1", "beta2"), "eps": "eps"}
_KERAS_ADAM = _betas("beta_1", "beta_2", "epsilon")
_OPTAX_ADAM = _betas("b1", "b2", "eps")
_BALL = {"momentum": "momentum"}
_KERAS_STEPS, _SKLEARN_STEPS = replace(KERAS, buffered=True), replace(SKLEARN, buffered=True)
_KERAS_HAT, _SKLEARN_HAT = replace(KERAS, eps="hat"), replace(SKLEARN, eps="hat")
_OPTAX_BALL = replace(OPTAX, also=ORDERED)
_OPTAX_ROOT = replace(OPTAX, eps="inside", buffered=True, also={**ORDERED, "outside": {"eps_in_sqrt": False}})
_KERAS_NADAM = replace(KERAS, fixed={"momentum_decay": 1.0}, why="Keras has no other")
_OPTAX_NADAM = replace(OPTAX, fixed={"momentum_decay": 1e6}, why="optax's momentum is constant")

CONVENTIONS: dict[str, dict[str, Convention]] = {
    "sgd": {
        "torch": _own(replace(TORCH, also={"decoupled": {}}), "torch.optim.SGD", {}, momentum=0.0),
        "keras": _own(replace(KERAS, also={"coupled": {}}), "keras.optimizers.SGD", {}, momentum=0.0),
        "optax": OPTAX,
        "sklearn": _own(SKLEARN, "sgd", {}, momentum=0.0, nesterovs_momentum=False),
    },
    "momentum": {
        "torch": _own(TORCH, "torch.optim.SGD", _BALL),
        "keras": _own(_KERAS_STEPS, "keras.optimizers.SGD", _BALL),
        "optax": _own(_OPTAX_BALL, "optax.trace", {"decay": "momentum"}),
        "sklearn": _own(_SKLEARN_STEPS, "sgd", _BALL, nesterovs_momentum=False),
    },
    "nesterov": {
        "torch": _own(TORCH, "torch.optim.SGD", _BALL, nesterov=True),
        "keras": _own(_KERAS_STEPS, "keras.optimizers.SGD", _BALL, nesterov=True),
        "optax": _own(_OPTAX_BALL, "optax.trace", {"decay": "momentum"}, nesterov=True),
        "sklearn": _own(_SKLEARN_STEPS, "sgd", _BALL, nesterovs_momentum=True),
    },
    "rmsprop": {
        "torch": _own(
            TORCH,
            "torch.optim.RMSprop",
            {"alpha": "alpha", "eps": "eps", "momentum": "momentum", "centered": "centered"},
        ),
        "keras": _own(
            replace(_KERAS_STEPS, eps="inside"),
            "keras.optimizers.RMSprop",
            {"rho": "alpha", "epsilon": "eps", "momentum": "momentum", "centered": "centered"},
        ),
        "optax": _own(_OPTAX_ROOT, "optax.scale_by_rms", {"decay": "alpha", "eps": "eps"}, eps_in_sqrt=True),
    },
    "adagrad": {
        "torch": _own(
            # a sum that starts at initial + eps, with an eps of 0, is the root with eps inside
            replace(TORCH, also={"inside": {"eps": 0.0}}),
            "torch.optim.Adagrad",
            {"initial_accumulator_value": "initial_accumulator", "eps": "eps"},
        ),
        "keras": _own(
            replace(KERAS, eps="inside"),
            "keras.optimizers.Adagrad",
            {"initial_accumulator_value": "initial_accumulator", "epsilon": "eps"},
        ),
        "optax": _own(
            replace(OPTAX, eps="inside"),
            "optax.scale_by_rss",
            {"initial_accumulator_value": "initial_accumulator", "eps": "eps"},
        ),
    },
    "adadelta": {
        "torch": _own(TORCH, "torch.optim.Adadelta", {"rho": "rho", "eps": "eps"}),
        "keras": _own(KERAS, "keras.optimizers.Adadelta", {"rho": "rho", "epsilon": "eps"}),
        "optax": _own(OPTAX, "optax.scale_by_adadelta", {"rho": "rho", "eps": "eps"}),
    },
    "adam": {
        "torch": _own(replace(TORCH, also=DECOUPLED), "torch.optim.Adam", _TORCH_ADAM),
        "keras": _own(_KERAS_HAT, "keras.optimizers.Adam", _KERAS_ADAM),
        "optax": _own(OPTAX, "optax.scale_by_adam", _OPTAX_ADAM),
        "sklearn": _own(_SKLEARN_HAT, "adam", _KERAS_ADAM),
    },
    "adamw": {
        "torch": _own(replace(TORCH, decoupled=True), "torch.optim.AdamW", _TORCH_ADAM),
        "keras": _own(_KERAS_HAT, "keras.optimizers.AdamW", _KERAS_ADAM),
        "optax": _own(replace(OPTAX, decoupled=True), "optax.scale_by_adam", _OPTAX_ADAM),
    },
    "amsgrad": {
        "torch": _own(replace(TORCH, also=DECOUPLED), "torch.optim.Adam", _TORCH_ADAM, amsgrad=True),
        "keras": _own(_KERAS_HAT, "keras.optimizers.Adam", _KERAS_ADAM, amsgrad=True),
        "optax": _own(replace(OPTAX, eps="corrected"), "optax.scale_by_amsgrad", _OPTAX_ADAM),
    },
    "adamax": {
        "torch": _own(TORCH, "torch.optim.Adamax", _TORCH_ADAM),
        "keras": _own(_KERAS_HAT, "keras.optimizers.Adamax", _KERAS_ADAM),
        "optax": _own(OPTAX, "optax.scale_by_adamax", _OPTAX_ADAM),
    },
    "nadam": {
        "torch": _own(
            replace(TORCH, also=DECOUPLED), "torch.optim.NAdam", {**_TORCH_ADAM, "momentum_decay": "momentum_decay"}
        ),
        "keras": _own(_KERAS_NADAM, "keras.optimizers.Nadam", _KERAS_ADAM),
        "optax": _own(_OPTAX_NADAM, "optax.scale_by_adam", _OPTAX_ADAM, nesterov=True),
    },
}
