"""Keras: optimizer with its schedule, clipping and decay, and a model that is fitted with it.

A schedule is a table of rates: Keras computes cosines and roots in float32, its own schedules' too, whatever the
weights are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuner.best.differences import same_steps, unweighted
from tuner.best.recipe import Recipe
from tuner.best.schedule_code import PYTHON, schedule_lines
from tuner.best.source import (
    Verbatim,
    arguments,
    call_text,
    constants,
    executed,
    function,
    head,
    installed,
    module,
    sizes,
    targets_of,
    widths,
)

__all__ = ["code", "optimizer", "optimizer_parts"]

LOSSES = {
    "binary_cross_entropy": "BinaryCrossentropy(from_logits=True{smoothing})",
    "softmax_cross_entropy": "SparseCategoricalCrossentropy(from_logits=True)",
    "smoothed_cross_entropy": "CategoricalCrossentropy(from_logits=True{smoothing})",
    "squared_error": "MeanSquaredError()",
    "absolute_error": "MeanAbsoluteError()",
    "poisson": "lambda y, z: keras.ops.mean(keras.ops.exp(z) - y * z, axis=-1)",
    "quantile": "lambda y, z: keras.ops.mean((y - z) * ({level!r} - keras.ops.cast(y < z, z.dtype)), axis=-1)",
    "huber": "Huber(delta={delta!r})",
}
MOVING = "import math\n\nimport keras\nimport numpy as np"
SCHEDULES = "keras.optimizers.schedules"
RATE = f'''\
@keras.saving.register_keras_serializable("tuned")
class Rate({SCHEDULES}.LearningRateSchedule):
    """The tuned learning rate over `total_steps` updates."""

    def __init__(self, total_steps):
        {{setup}}

        def rate(n):
            {{body}}

        self.total_steps = total_steps
        self.rates = np.array([rate(n) for n in range(total_steps)])

    def __call__(self, step):
        rates = keras.ops.convert_to_tensor(self.rates, keras.config.floatx())
        return keras.ops.take(rates, keras.ops.minimum(step, self.total_steps - 1))

    def get_config(self):
        return {{{{"total_steps": self.total_steps}}}}'''


def optimizer(recipe: Recipe, total_steps: int | None, steps_per_epoch: int | None, strict: bool = True) -> Any:
    """Build a Keras optimizer that makes the config's steps. Raises InexactMapping, NotInstalled, InvalidInput."""
    same_steps(recipe, "keras", strict)
    steps = recipe.total_steps(total_steps, steps_per_epoch)
    installed("keras")
    names = executed(module(MOVING, *optimizer_text(recipe)), "keras optimizer")
    return names["make_optimizer"](*([steps] if recipe.moves else []))


def code(recipe: Recipe, strict: bool = True) -> str:
    """Write a module that builds and trains the tuned model. Raises InexactMapping.

    Keras' optimizers have no coupled decay: the layers get a regulariser instead.
    """
    layered = recipe.decay > 0 and not recipe.decoupled and recipe.optimizer != "sgd" and not recipe.clip
    inner = replace(recipe, config={**recipe.config, "weight_decay": 0.0}) if layered else recipe
    found = same_steps(inner, "keras", strict, unweighted(inner, "keras"))
    imports = MOVING if recipe.moves else "import keras"
    first = f"{head(recipe, found, 'train(make_model(), x, y)')}\n{imports}\n\n{constants(recipe)}"
    return module(first, _model(recipe, layered), *optimizer_text(inner), _train(recipe))


def optimizer_text(recipe: Recipe) -> list[str]:
    """Write the schedule's class, if the rate changes, and the function that builds the optimizer."""
    name = recipe.call("keras").name
    rate = Verbatim("Rate(total_steps)") if recipe.moves else recipe.lr
    values = {"learning_rate": rate, **arguments(recipe, "keras")}
    if recipe.decay and (recipe.decoupled or recipe.optimizer == "sgd"):
        values["weight_decay"] = recipe.decay
    elif name.endswith("AdamW"):
        values["weight_decay"] = 0.0
    if recipe.clip:
        values["global_clipnorm"] = recipe.clip
    body = [f"optimizer = {call_text(name, values)}"]
    if values.get("weight_decay") and recipe.weights_only:
        body.append('optimizer.exclude_from_weight_decay(var_names=["bias"])')
    made = function(
        f"make_optimizer({'total_steps' if recipe.moves else ''})", "The tuned optimizer.", *body, "return optimizer"
    )
    return [_rate(recipe), made] if recipe.moves else [made]


def optimizer_parts(recipe: Recipe) -> list[str]:
    """Write the imports and the optimizer."""
    return [MOVING if recipe.moves else "import keras", *optimizer_text(recipe)]


def _rate(recipe: Recipe) -> str:
    lines = schedule_lines(recipe, PYTHON, recipe.lr)
    return RATE.format(setup="\n        ".join(lines.setup), body="\n            ".join(lines.body))


def _model(recipe: Recipe, layered: bool) -> str:
    l2 = Verbatim(f"keras.regularizers.L2({recipe.decay / 2!r})")
    pairs = widths(recipe)
    layers = []
    for i, (below, units) in enumerate(pairs):
        values: dict[str, Any] = {"activation": recipe.activation} if i < len(pairs) - 1 else {}
        if recipe.init == "torch":
            uniform = Verbatim(f"keras.initializers.RandomUniform(-({below} ** -0.5), {below} ** -0.5)")
            values |= {"kernel_initializer": uniform, "bias_initializer": uniform}
        if layered:
            values |= {"kernel_regularizer": l2} | ({} if recipe.weights_only else {"bias_regularizer": l2})
        layers.append(call_text("keras.layers.Dense", values, units).replace("\n", "\n    ") + ",")
        if recipe.dropout and i < len(pairs) - 1:
            layers.append(f"keras.layers.Dropout({recipe.dropout!r}),")
    stack = "\n    ".join(["keras.Input((inputs,)),", *layers])
    body = f"return keras.Sequential([\n    {stack}\n])"
    return function(f"make_model({sizes(recipe)})", "The tuned model.", body)


def _train(recipe: Recipe) -> str:
    steps = f"HORIZON * -(-len(x) // {recipe.batch})" if recipe.moves else ""
    smooth = f", label_smoothing={recipe.label_smoothing!r}" if recipe.label_smoothing else ""
    classes = bool(smooth) and recipe.task == "multiclass"  # the sparse loss has no label smoothing
    loss = LOSSES["smoothed_cross_entropy" if classes else recipe.loss]
    loss = loss.format(delta=recipe.huber_delta, smoothing=smooth, level=recipe.quantile)
    own = loss.startswith("lambda")
    body = [
        *(["y = keras.ops.one_hot(y, model.output_shape[-1])"] if classes else []),
        f"optimizer = make_optimizer({steps})",
        *([f"loss = {loss}"] if own else []),
        f"model.compile(optimizer=optimizer, loss={'loss' if own else f'keras.losses.{loss}'})",
        f"model.fit(x, y, batch_size={recipe.batch}, epochs=EPOCHS, verbose=0)",
        "return model",
    ]
    return function(
        "train(model, x, y)", f"Train on inputs `x`, prepared as said above, and {targets_of(recipe)} `y`.", *body
    )
