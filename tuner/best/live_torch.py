"""A torch optimizer with its schedule attached, for training code of one's own: `tuner.optimizer`.

The schedule lives in the optimizer's groups: `lr` is the rate of the next update, `updates` how many were made. So
`state_dict` has all that a checkpoint needs, and groups added later, or with a rate of their own, follow it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from objectives.errors import Complaint, InvalidInput
from objectives.optimizers import OPTIMIZERS
from tuner.best.conventions import conventions_of
from tuner.best.pytorch import factor_text, optimizer
from tuner.best.recipe import Recipe, optimizer_part
from tuner.best.source import executed, module

__all__ = ["attached"]

LENGTHS = ("steps", "examples")  # what a study's budget may be in, besides epochs


def attached(
    config: Mapping[str, Any],
    params: Iterable[Any],
    total_steps: int | None = None,
    *,
    steps_per_epoch: int | None = None,
    strict: bool = True,
) -> Any:
    """Build the torch optimizer of a config over `params`; each `step()` is one tuned update, schedule included.

    `config` is the argument of an objective, or a Best. It names the optimizer; hyperparameters that it leaves out have
    their defaults. A schedule runs over the study's budget, `config["epochs"]` times `steps_per_epoch`, or
    `config["steps"]`, unless `total_steps` is given. Raises InvalidInput, InexactMapping where torch cannot make the
    same steps (`strict=False` warns and uses the nearest ones), NotInstalled with the install line. The page pytorch of
    the manual has an example.
    """
    recipe = recipe_of(config)
    steps = horizon(recipe, total_steps, steps_per_epoch)
    made = optimizer(recipe, params, strict)
    if recipe.moves:
        follow(made, executed(module("import math", factor_text(recipe)), "schedule")["make_factor"](steps))
    return made


def recipe_of(config: Mapping[str, Any]) -> Recipe:
    """Extract the optimizer's part of a config, without the user's own parameters. Raises InvalidInput."""
    if not isinstance(config, Mapping):
        raise InvalidInput(Complaint("config", f"is {type(config).__name__}", "give the config of a trial, or a Best"))
    if "optimizer" not in config:
        hint = f"write a table [optimizers.adam] in the study; there are {', '.join(OPTIMIZERS)}"
        raise InvalidInput(Complaint("config", "names no optimizer", hint))
    own = optimizer_part(config)
    length = {"horizon": config.get("horizon", config.get("epochs")), **{key: config.get(key) for key in LENGTHS}}
    training = {key: value for key, value in length.items() if value is not None}
    return Recipe(own, conventions_of(own), training, getattr(config, "model", {}))


def horizon(recipe: Recipe, total_steps: int | None, steps_per_epoch: int | None) -> int:
    """Return the number of updates of the schedule, 0 for a constant rate. Raises InvalidInput where it is not
    known.
    """
    known = recipe.training
    if recipe.moves and total_steps is None:
        if "steps" in known:
            return recipe.total_steps(known["steps"], None)
        if "examples" in known and recipe.batch_size:
            return recipe.total_steps(-(-known["examples"] // recipe.batch_size), None)
        if steps_per_epoch is None or "horizon" not in known:
            what = f"the {recipe.schedule} schedule needs its length in updates"
            way = "steps_per_epoch=len(loader), or total_steps=" if "horizon" in known else "total_steps="
            raise InvalidInput(Complaint("total_steps", what, f"give {way}"))
    return recipe.total_steps(total_steps, steps_per_epoch)


def follow(made: Any, factor: Callable[[int], float]) -> None:
    """Let an optimizer's rates follow a schedule from update to update."""

    def rates(optimizer: Any, updates: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor(updates)
            group["updates"] = updates

    def advance(optimizer: Any, args: Any, kwargs: Any) -> None:
        del args, kwargs
        rates(optimizer, optimizer.param_groups[0]["updates"] + 1)

    rates(made, 0)
    made.register_step_post_hook(advance)
