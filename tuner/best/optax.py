"""optax: the rule as a chain in which clipping, decay and rate stand where the config has them, and a JAX model."""

from __future__ import annotations

from typing import Any

from objectives.class_weights import BALANCED
from tuner.best.differences import same_steps, unweighted
from tuner.best.recipe import Recipe
from tuner.best.schedule_code import Ops, schedule_lines
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
)

__all__ = ["code", "optimizer_parts", "transformation"]

OPS = Ops("jnp.cos", "jnp.sqrt", "jnp.minimum", "jnp.maximum", "jnp.where({c}, {a}, {b})")
IMPORTS = "import jax\nimport jax.numpy as jnp\nimport optax"
MASK = function(
    "is_weight(params)", "What decay acts on: not biases.", "return jax.tree.map(lambda p: p.ndim > 1, params)"
)
SHORTEN = function(
    "shorten(gradients, params)",
    "Shorten all gradients together to a norm of {norm!r}, as torch does.",
    "norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradients)))",
    "scale = jnp.minimum(1.0, {norm!r} / (norm + {guard!r}))",
    "return jax.tree.map(lambda g: g * scale, gradients)",
)
INITS = {
    "torch": (
        "kernel = jax.random.uniform(key, (a + 1, b), minval=-(a**-0.5), maxval=a**-0.5)\n"
        "    params.append((kernel[:-1], kernel[-1]))"
    ),
    "glorot": "params.append((jax.nn.initializers.glorot_uniform()(key, (a, b)), jnp.zeros(b)))",
}
LOSSES = {
    "binary_cross_entropy": "optax.sigmoid_binary_cross_entropy({z}, y.reshape(len(y), -1))",
    "softmax_cross_entropy": "optax.softmax_cross_entropy_with_integer_labels({z}, y)",
    "squared_error": "optax.squared_error({z}, y.reshape(len(y), -1))",
    "absolute_error": "jnp.abs({z} - y.reshape(len(y), -1))",
    "poisson": "(lambda z: jnp.exp(z) - y.reshape(len(y), -1) * z)({z})",
    "quantile": "(lambda d: d * ({level!r} - (d < 0)))(y.reshape(len(y), -1) - {z})",
    "huber": "optax.huber_loss({z}, y.reshape(len(y), -1), delta={delta!r})",
}
WEIGHT = """\
counts = jnp.bincount(y.ravel().astype(int), length={classes})
weight = len(y) / (counts > 0).sum() / jnp.maximum(counts, 1)"""
WEIGHTED = "own = weight[y.ravel().astype(int)]\n    "
STEP = """\

@jax.jit
def step(params, state, x, y{more}):
    gradients = jax.grad(loss)(params, x, y{more})
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), state

state = optimizer.init(params)
for _ in range(EPOCHS):
    key, draw = jax.random.split(key)
    order = jax.random.permutation(draw, len(x))
    for start in range(0, len(x), {batch}):
        rows = order[start : start + {batch}]
        {fresh}params, state = step(params, state, x[rows], y[rows]{drawn})
return params"""
FRESH = "key, draw = jax.random.split(key)\n        "
DROP = """
    if key is not None:
        key, draw = jax.random.split(key)
        x = jnp.where(jax.random.uniform(draw, x.shape) < {rate!r}, 0, x / (1 - {rate!r}))"""


def transformation(recipe: Recipe, total_steps: int | None, steps_per_epoch: int | None, strict: bool = True) -> Any:
    """Build an optax transformation that makes the config's steps. Raises InexactMapping, NotInstalled,
    InvalidInput.
    """
    same_steps(recipe, "optax", strict)
    steps = recipe.total_steps(total_steps, steps_per_epoch)
    installed("optax")
    names = executed(module(f"import math\n\n{IMPORTS}", *optimizer_text(recipe)), "optax optimizer")
    return names["make_optimizer"](*([steps] if recipe.moves else []))


def code(recipe: Recipe, strict: bool = True) -> str:
    """Write a module that builds and trains the tuned model. Raises InexactMapping."""
    found = same_steps(recipe, "optax", strict, unweighted(recipe, "optax"))
    imports = f"import math\n\n{IMPORTS}" if recipe.moves else IMPORTS
    first = f"{head(recipe, found, 'train(make_model(key), x, y, key)')}\n{imports}\n\n{constants(recipe)}"
    return module(first, *_model(recipe), *optimizer_text(recipe), _train(recipe))


def optimizer_text(recipe: Recipe) -> list[str]:
    """Write the schedule and the mask, where they are needed, and the function that builds the chain."""
    masked = recipe.decay > 0 and recipe.weights_only
    chain = function(
        f"make_optimizer({'total_steps' if recipe.moves else ''})",
        "The tuned optimizer.",
        *(["rate = make_rate(total_steps)"] if recipe.moves else []),
        "return optax.chain(\n" + "".join(f"    {link},\n" for link in _links(recipe)) + ")",
    )
    parts = [_rate(recipe)] if recipe.moves else []
    parts += [MASK] if masked else []
    if recipe.clip and recipe.guard:
        parts.append(SHORTEN.format(norm=recipe.clip, guard=recipe.guard))
    return [*parts, chain]


def optimizer_parts(recipe: Recipe) -> list[str]:
    """Write the imports and the optimizer."""
    return [f"import math\n\n{IMPORTS}" if recipe.moves else IMPORTS, *optimizer_text(recipe)]


def _links(recipe: Recipe) -> list[str]:
    """List the chain: clip, coupled decay, direction, momentum, decoupled decay, rate (before a buffer that holds
    steps).
    """
    mask = {"mask": Verbatim("is_weight")} if recipe.weights_only else {}
    rate = call_text("optax.scale_by_learning_rate", {}, "rate" if recipe.moves else repr(recipe.lr))
    clip = [f"optax.clip_by_global_norm({recipe.clip!r})"] if recipe.clip else []
    if recipe.clip and recipe.guard:
        clip = ["optax.stateless(shorten)"]
    decay = [call_text("optax.add_decayed_weights", mask, repr(recipe.decay))] if recipe.decay else []
    coupled, decoupled = ([], decay) if recipe.decoupled else (decay, [])
    direction, buffer = _direction(recipe)
    if not buffer or not recipe.conventions["lr_in_buffer"] or not recipe.moves:
        return [*clip, *coupled, *direction, *buffer, *decoupled, rate]
    if decoupled:
        shrink = f"lambda n: -{recipe.decay!r} * rate(n)"
        decoupled = [call_text("optax.add_decayed_weights", mask, shrink)]
    return [*clip, *coupled, *direction, rate, *buffer, *decoupled]


def _direction(recipe: Recipe) -> tuple[list[str], list[str]]:
    """Return the links that scale the gradient, and the link of the momentum buffer."""
    theirs, values = recipe.convention("optax"), arguments(recipe, "optax")
    if theirs.call is None:
        return [], []
    name = "optax.scale_by_stddev" if recipe.flags.get("centered") else theirs.call.name
    link = call_text(name, values)
    if name == "optax.trace":
        return [], [link]
    momentum = recipe.h.get("momentum", 0.0)
    return [link], [f"optax.trace(decay={momentum!r})"] if momentum else []


def _rate(recipe: Recipe) -> str:
    """Write the rate: optax's own cosine without a warmup, else our formula, as optax's other schedules divide in
    float32.
    """
    says = "The tuned learning rate over `total_steps` updates."
    if recipe.schedule == "cosine" and not recipe.warmup:
        settings = {"init_value": recipe.lr, "decay_steps": Verbatim("total_steps"), "alpha": recipe.values["final"]}
        return function("make_rate(total_steps)", says, f"return {call_text('optax.cosine_decay_schedule', settings)}")
    lines = schedule_lines(recipe, OPS, recipe.lr)
    body = ("n = jnp.asarray(n, float)", *lines.body)
    rate = "\n".join(["", "def rate(n):", *(f"    {line}" for line in body), ""])
    return function("make_rate(total_steps)", says, *lines.setup, rate, "return rate")


def _model(recipe: Recipe) -> list[str]:
    layers = ", ".join(["inputs", *map(str, recipe.hidden), "outputs"])
    body = [
        f"sizes, params = [{layers}], []",
        "keys = jax.random.split(key, len(sizes) - 1)",
        f"for key, a, b in zip(keys, sizes, sizes[1:]):\n    {INITS[recipe.init]}",
        "return params",
    ]
    made = function(
        f"make_model(key, {sizes(recipe)})", "Weights of the tuned model: (kernel, bias) of each layer.", *body
    )
    active = {"relu": "jax.nn.relu", "tanh": "jnp.tanh"}[recipe.activation]
    through = [f"for kernel, bias in params[:-1]:\n    x = {active}(x @ kernel + bias)"] if recipe.hidden else []
    if recipe.dropout:
        through = [through[0] + DROP.format(rate=recipe.dropout)]
    out = ["kernel, bias = params[-1]", "return x @ kernel + bias"]
    says = f"Outputs of the model, before any softmax{', with dropout where there is a key' if recipe.dropout else ''}."
    keyed = ", key=None" if recipe.dropout else ""
    return [made, function(f"predict(params, x{keyed})", says, *through, *out)]


def _train(recipe: Recipe) -> str:
    steps = f"HORIZON * -(-len(x) // {recipe.batch})" if recipe.moves else ""
    more, fresh, drawn = (", key", FRESH, ", draw") if recipe.dropout else ("", "", "")
    loop = STEP.format(batch=recipe.batch, more=more, fresh=fresh, drawn=drawn)
    outputs = f"predict(params, x{more})"
    loss = LOSSES[recipe.loss].format(z=outputs, delta=recipe.huber_delta, level=recipe.quantile)
    smooth = recipe.label_smoothing
    if smooth and recipe.task == "multiclass":
        loss = f"optax.softmax_cross_entropy(z, optax.smooth_labels(jax.nn.one_hot(y, z.shape[-1]), {smooth!r}))"
        loss = f"z = {outputs}\n    return {loss}"
    elif smooth:
        loss = f"y = y * {1 - smooth!r} + {smooth / 2!r}\n    return {loss}"
    else:
        loss = f"return {loss}"
    mean, before = f"{loss}.mean()", []
    if recipe.class_weight == BALANCED:
        before = [WEIGHT.format(classes="len(params[-1][1])" if recipe.task == "multiclass" else "2")]
        mean = f"{WEIGHTED}{loss.replace('return ', 'return (own * ')}.reshape(-1)).sum() / own.sum()"
    lines = [f"optimizer = make_optimizer({steps})", *before, f"\ndef loss(params, x, y{more}):\n    {mean}", loop]
    says = f"Train on inputs `x`, prepared as said above, and {targets_of(recipe)} `y`."
    return function("train(params, x, y, key)", says, *lines)
