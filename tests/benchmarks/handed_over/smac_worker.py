"""What runs in SMAC3's own environment: asks for trainings on standard output, is told losses on standard input.

The argument is JSON: kind, trials, splits, seed, and latents as pairs of a name and its choices, none for a number.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

from ConfigSpace import Categorical, ConfigurationSpace, Float
from smac import HyperparameterOptimizationFacade, MultiFidelityFacade, Scenario
from smac.runhistory import TrialValue


def scenario(asked: dict[str, Any], folder: str) -> Scenario:
    """The space, with the splits as instances; Hyperband counts in those."""
    space = ConfigurationSpace(seed=asked["seed"])
    for name, choices in asked["latents"]:
        space.add(Categorical(name, choices) if choices else Float(name, (0.0, 1.0)))
    splits = [str(split) for split in range(asked["splits"])]
    budgets = {"min_budget": 1, "max_budget": asked["splits"]} if asked["kind"] == "hyperband" else {}
    return Scenario(
        space,
        n_trials=asked["trials"],
        deterministic=True,
        instances=splits,
        instance_features={split: [float(split)] for split in splits},
        output_directory=folder,
        seed=asked["seed"],
        **budgets,
    )


def unused(config: Any, seed: int = 0, instance: str = "", budget: float = 0.0) -> float:
    """What SMAC3 wants the signature of; trainings are asked for, not called."""
    raise NotImplementedError


def plain(config: Any) -> dict[str, Any]:
    """A config in what JSON has."""
    return {name: float(value) if isinstance(value, float) else str(value) for name, value in dict(config).items()}


def main() -> None:
    """Ask for every training, then name the best."""
    asked, out = json.loads(sys.argv[1]), sys.stdout
    sys.stdout = sys.stderr  # what SMAC3 prints is no question
    facade = MultiFidelityFacade if asked["kind"] == "hyperband" else HyperparameterOptimizationFacade
    with tempfile.TemporaryDirectory() as folder:
        smac = facade(scenario(asked, folder), unused, overwrite=True, logging_level=50)
        for _ in range(asked["trials"]):
            trial = smac.ask()
            print(json.dumps({"latents": plain(trial.config), "split": int(trial.instance)}), file=out, flush=True)
            smac.tell(trial, TrialValue(cost=float(sys.stdin.readline())))
        print(json.dumps({"best": plain(smac.intensifier.get_incumbents()[0])}), file=out, flush=True)


if __name__ == "__main__":
    main()
