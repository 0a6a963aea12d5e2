"""`tune`: a study of one's own function in one call, its space written as Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from objectives.errors import Complaint
from tuner.api.run import run
from tuner.errors import StudyError
from tuner.result import Result

__all__ = ["log", "tune"]


def log(low: float, high: float) -> dict[str, Any]:
    """Return a range that is searched on a logarithmic scale: integers where both ends are.

    ```python
    tuner.log(1e-4, 1.0)  # {"low": 0.0001, "high": 1.0, "log": True}
    ```
    """
    return {"low": low, "high": high, "log": True}


def tune(  # noqa: PLR0913
    objective: Callable[..., Any],
    space: Mapping[str, Any],
    *,
    trials: int = 32,
    minimize: str | None = None,
    maximize: str | None = None,
    epochs: int | None = None,
    name: str | None = None,
    **options: Any,
) -> Result:
    """Search the parameters of a function, and return the result, as `run` does of a study file.

    `objective(config)` returns a number or a dict of metrics, or yields `epoch, metrics` for each epoch. `space` maps
    each parameter to `(low, high)`, a range, of integers where both ends are; to `log(low, high)`; to Python's
    `range(start, stop, step)`; to a list of choices; to a table as a study file has it; or to a fixed value.
    `minimize` or `maximize` names a metric; without one the number is minimized. With `epochs`, weak trials are cut.
    The study is called `name`, or like the function; the same call again continues it. `options` are those of
    `tuner.run`, such as `jobs` and `home`. Raises StudyError, which lists all that is wrong with the space.

    ```python
    space = {"rate": tuner.log(1e-4, 1.0), "layers": range(1, 4)}
    result = tuner.tune(lambda config: config["rate"] * config["layers"], space, name="small", trials=8, jobs=1)
    result.best()["rate"]
    ```
    """
    label = name or str(getattr(objective, "__name__", type(objective).__name__)).replace("<lambda>", "tuned")
    if not space:
        raise StudyError(Complaint("space", "has no parameter", 'write one, as in {"rate": tuner.log(1e-4, 1.0)}'))
    goals = {"minimize": minimize, "maximize": maximize}
    study = {
        "study": {"name": label, "trials": trials} | {key: goal for key, goal in goals.items() if goal is not None},
        "parameters": {parameter: _table(values) for parameter, values in space.items()},
    }
    train = {} if epochs is None else {"train": {"epochs": epochs}}
    return run(study | train, objective=objective, **options)


def _table(values: Any) -> Any:
    """Return what a study file says for the values of a parameter."""
    if isinstance(values, range) and len(values) > 1:
        step = {"step": abs(values.step)} if abs(values.step) != 1 else {}
        return {"low": min(values), "high": max(values)} | step
    if isinstance(values, tuple) and len(values) == 2:
        return {"low": values[0], "high": values[1]}
    return list(values) if isinstance(values, tuple | range) else values
