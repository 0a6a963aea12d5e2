"""PyTorch: optimizer, scheduler and training loop as source text, and the live objects that come from it.

An optimizer of torch.optim takes what torch does by itself; clipping, and decoupled decay where its class has none, are
done by a hook before each step, so that `optimizer.step()` makes the whole tuned step.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from objectives.class_weights import BALANCED
from objectives.errors import Complaint, InvalidInput
from tuner.best.differences import same_steps, unweighted
from tuner.best.recipe import Recipe
from tuner.best.schedule_code import PYTHON, schedule_lines, step_every
from tuner.best.source import (
    ANOTHER,
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
from tuner.errors import TransferWarning

__all__ = ["code", "factor_text", "optimizer", "optimizer_parts", "scheduler"]

LOSSES = {
    "binary_cross_entropy": "BCEWithLogitsLoss()",
    "softmax_cross_entropy": "CrossEntropyLoss({smoothing})",
    "squared_error": "MSELoss()",
    "absolute_error": "L1Loss()",
    "poisson": "PoissonNLLLoss()",
    "huber": "HuberLoss(delta={delta!r})",
}
PINBALL = """\

def loss(z, y):
    return ((y - z) * ({level!r} - (y < z).to(y.dtype))).mean()
"""
ACTIVATIONS = {"relu": "torch.nn.ReLU()", "tanh": "torch.nn.Tanh()"}
GLOROT = """\
for layer in model:
    if isinstance(layer, torch.nn.Linear):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)"""
CLIP = """\
gradients = [p.grad for p in params if p.grad is not None]
scale = torch.clamp({norm!r} / torch.nn.utils.get_total_norm(gradients), max=1.0)
for gradient in gradients:
    gradient.mul_(scale)"""
SHRINK = """\
for group in optimizer.param_groups:
    for p in group["params"]:
        {which}p.detach().mul_(1 - group["lr"] * {decay!r})"""
GROUPS = """\
params = list(params)
weights, others = [p for p in params if p.ndim > 1], [p for p in params if p.ndim <= 1]
params = [{"params": weights}, {"params": others, "weight_decay": 0.0}]"""
# max_eval is what is left to the line search: by default 5 / 4 max_iter, which would leave it nothing
LBFGS = {
    "lr": 1.0,
    "max_iter": 1,
    "max_eval": 25,
    "tolerance_grad": 1e-9,
    "tolerance_change": 1e-14,
    "history_size": 10,
    "line_search_fn": "strong_wolfe",
}
CLOSURE = """\

def closure():
    optimizer.zero_grad()
    total = loss(model(x), {target})
    {penalty}total.backward()
    return total

for _ in range(EPOCHS):
    optimizer.step(closure)"""
WEIGHT = """\
counts = torch.bincount(y.flatten().long(), minlength={classes})
weight = (len(y) / (counts > 0).sum() / counts.clamp(min=1)).to(x.dtype)
"""
WEIGHTED = {
    "multiclass": "loss = torch.nn.CrossEntropyLoss(weight=weight)",
    "binary": """\

def loss(z, y):
    own = weight[y.long()]
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y, own, reduction="sum") / own.sum()
""",
}
LOOP = """\
for _ in range(EPOCHS):
    for rows, targets in loader:
        optimizer.zero_grad()
        loss(model(rows), targets).backward()
        optimizer.step()"""


def optimizer(recipe: Recipe, params: Iterable[Any], strict: bool = True) -> Any:
    """Build a torch optimizer over `params` that makes the config's steps.

    Warns if their number is not that of the tuned model. Raises InexactMapping, NotInstalled, InvalidInput.
    """
    if hasattr(params, "parameters"):
        raise InvalidInput(Complaint("params", "is a model", "give model.parameters()"))
    given = list(params)
    if recipe.decay and recipe.weights_only and any(isinstance(one, Mapping | tuple) for one in given):
        what = "decay of weights alone makes groups of its own"
        raise InvalidInput(Complaint("params", what, "give model.parameters()"))
    same_steps(recipe, "torch", strict)
    installed("torch")
    _compare(given, recipe.model.get("parameters"))
    return executed(module("import torch", *optimizer_text(recipe)), "torch optimizer")["make_optimizer"](given)


def _compare(params: list[Any], tuned: int | None) -> None:
    """Warn where a config goes to a model of another size than the one it was tuned for."""
    groups = [group["params"] if isinstance(group, Mapping) else [group] for group in params]
    tensors = [one[1] if isinstance(one, tuple) else one for group in groups for one in group]
    given = sum(int(tensor.numel()) for tensor in tensors if hasattr(tensor, "numel"))
    if tuned is not None and given != tuned:
        said = f"these are {given} parameters, the tuned model has {tuned}: the update rule is the same, but its values"
        warnings.warn(f"{said} are a start, no optimum; {ANOTHER}", TransferWarning, stacklevel=4)


def scheduler(recipe: Recipe, of: Any, total_steps: int | None, steps_per_epoch: int | None) -> Any:
    """Build a torch scheduler to be stepped after every update; return None for a constant rate."""
    steps = recipe.total_steps(total_steps, steps_per_epoch)
    if not recipe.moves:
        return None
    installed("torch")
    text = module("import math", "import torch", scheduler_text(recipe))
    return executed(text, "torch scheduler")["make_scheduler"](of, steps)


def code(recipe: Recipe, strict: bool = True) -> str:
    """Write a module that builds and trains the tuned model. Raises InexactMapping."""
    found = same_steps(recipe, "torch", strict, unweighted(recipe, "torch"))
    imports = "import math\n\nimport torch" if recipe.moves else "import torch"
    parts = [
        f"{head(recipe, found, 'train(make_model(), x, y)')}\n{imports}\n\n{constants(recipe)}",
        _model(recipe),
        *optimizer_text(recipe),
    ]
    return module(*parts, scheduler_text(recipe) if recipe.moves else "", _train(recipe))


def optimizer_text(recipe: Recipe) -> list[str]:
    """Write what comes before a step, if anything does, and the function that builds the optimizer."""
    theirs = recipe.convention("torch")
    if recipe.optimizer == "lbfgs":
        made = call_text("torch.optim.LBFGS", LBFGS, "params")
        return [function("make_optimizer(params)", "An iteration a step, with a closure.", f"return {made}")]
    decoupled = recipe.decay > 0 and recipe.decoupled and not theirs.decoupled
    extra = theirs.also.get("decoupled", {}) if decoupled else {}
    shrinks = decoupled and not extra and recipe.optimizer != "sgd"  # for sgd the two are one
    values = {"lr": recipe.lr, **arguments(recipe, "torch"), "weight_decay": 0.0 if shrinks else recipe.decay, **extra}
    body = [GROUPS] if recipe.weights_only and recipe.decay and not shrinks else []
    made = call_text(recipe.call("torch").name, values, "params")
    if not recipe.clip and not shrinks:
        return [function("make_optimizer(params)", "The tuned optimizer.", *body, f"return {made}")]
    hooked = [f"optimizer = {made}", "optimizer.register_step_pre_hook(before_step)", "return optimizer"]
    return [_hook(recipe, shrinks), function("make_optimizer(params)", "The tuned optimizer.", *body, *hooked)]


def _hook(recipe: Recipe, shrinks: bool) -> str:
    lines, said = [], []
    if recipe.clip:
        said.append(f"shorten all gradients together to a norm of {recipe.clip!r}")
        lines.append('params = [p for group in optimizer.param_groups for p in group["params"]]')
        own = f"torch.nn.utils.clip_grad_norm_(params, {recipe.clip!r})"
        lines.append(own if recipe.guard else CLIP.format(norm=recipe.clip))
    if shrinks:
        said.append("shrink the weights")
        which = "if p.ndim > 1:\n            " if recipe.weights_only else ""
        lines.append(SHRINK.format(decay=recipe.decay, which=which))
    return function("before_step(optimizer, args, kwargs)", f"Before each step: {', '.join(said)}.", *lines)


def optimizer_parts(recipe: Recipe) -> list[str]:
    """Write the imports, the optimizer and, where the rate changes, its scheduler."""
    if not recipe.moves:
        return ["import torch", *optimizer_text(recipe)]
    return ["import math\n\nimport torch", *optimizer_text(recipe), scheduler_text(recipe)]


def scheduler_text(recipe: Recipe) -> str:
    """Write the function that builds the scheduler."""
    says = "The tuned schedule over `total_steps` updates; step it after each."
    if native := _native(recipe):
        return function("make_scheduler(optimizer, total_steps)", says, f"return {native}")
    made = "return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"
    return function("make_scheduler(optimizer, total_steps)", says, *_factor(recipe), made)


def factor_text(recipe: Recipe) -> str:
    """Write the function of the rate's factor at update `n`, constant after the horizon."""
    says = "The tuned schedule over `total_steps` updates."
    return function("make_factor(total_steps)", says, *_factor(recipe), "return factor")


def _factor(recipe: Recipe) -> list[str]:
    lines = schedule_lines(recipe, PYTHON)
    return [*lines.setup, "\n".join(["", "def factor(n):", *(f"    {line}" for line in lines.body), ""])]


def _native(recipe: Recipe) -> str:
    """Write torch's own scheduler class, where it agrees up to the end of the horizon."""
    values, total = recipe.values, Verbatim("total_steps")
    final = values.get("final", 0.0)
    settings: dict[str, Any]
    if recipe.warmup:
        return ""
    if recipe.schedule == "step":
        name, settings = (
            "StepLR",
            {"step_size": Verbatim(step_every(recipe, "total_steps")), "gamma": values["gamma"]},
        )
    elif recipe.schedule == "cosine":
        name, settings = "CosineAnnealingLR", {"T_max": total, "eta_min": final * recipe.lr}
    elif recipe.schedule == "linear":
        name, settings = "LinearLR", {"start_factor": 1.0, "end_factor": final, "total_iters": total}
    elif recipe.schedule == "polynomial" and not final:
        name, settings = "PolynomialLR", {"total_iters": total, "power": values["power"]}
    else:
        return ""
    return call_text(f"torch.optim.lr_scheduler.{name}", settings, "optimizer")


def _model(recipe: Recipe) -> str:
    dropout = f"torch.nn.Dropout({recipe.dropout!r}),\n    " if recipe.dropout else ""
    between = f"{ACTIVATIONS[recipe.activation]},\n    {dropout}"
    layers = between.join(f"torch.nn.Linear({a}, {b}),\n    " for a, b in widths(recipe)).rstrip()
    body = [f"model = torch.nn.Sequential(\n    {layers}\n)"]
    glorot = [GLOROT] if recipe.init == "glorot" else []
    return function(f"make_model({sizes(recipe)})", "The tuned model.", *body, *glorot, "return model")


def _train(recipe: Recipe) -> str:
    multiclass = recipe.task == "multiclass"
    target = "y.long()" if multiclass else "y.to(x.dtype).reshape(len(y), -1)"
    smooth = f"label_smoothing={recipe.label_smoothing!r}" if recipe.label_smoothing else ""
    if smooth and not multiclass:  # BCEWithLogitsLoss has no label smoothing: its targets have it
        target = f"{target} * {1 - recipe.label_smoothing!r} + {recipe.label_smoothing / 2!r}"
    said = targets_of(recipe)
    says = f"Train on inputs `x`, prepared as said above, and {said} `y`."
    if recipe.loss == "quantile":
        loss = PINBALL.format(level=recipe.quantile)
    else:
        loss = f"loss = torch.nn.{LOSSES[recipe.loss].format(delta=recipe.huber_delta, smoothing=smooth)}"
    if recipe.class_weight == BALANCED:
        counted = "model(x[:1]).shape[1]" if multiclass else "2"
        loss = WEIGHT.format(classes=counted) + (WEIGHTED["multiclass" if multiclass else "binary"])
    made = "optimizer = make_optimizer(model.parameters())"
    if recipe.optimizer == "lbfgs":
        loop = CLOSURE.format(target=target, penalty=_penalty(recipe))
        return function("train(model, x, y)", says, loss, made, loop, "return model")
    body = [
        f"data = torch.utils.data.TensorDataset(x, {target})",
        f"loader = torch.utils.data.DataLoader(data, {recipe.batch}, shuffle=True)",
        loss,
        made,
    ]
    if recipe.moves:
        body.append("scheduler = make_scheduler(optimizer, HORIZON * len(loader))")
    loop = f"{LOOP}\n        scheduler.step()" if recipe.moves else LOOP
    return function("train(model, x, y)", says, *body, loop, "return model")


def _penalty(recipe: Recipe) -> str:
    """Write the line that adds the penalty of weight decay to a loss."""
    which = " if p.ndim > 1" if recipe.weights_only else ""
    squares = f"sum(p.square().sum() for p in model.parameters(){which})"
    return f"total = total + {recipe.decay / 2!r} * {squares}\n    " if recipe.decay else ""
