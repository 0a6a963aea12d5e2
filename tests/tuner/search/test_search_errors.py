"""What a search cannot do is refused at the command line: exit 2, one line for each problem, nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

import tuner
from tests.support.command import Shell

TABLES: dict[str, Any] = {
    "study": {"name": "s", "trials": 64},
    "data": {"source": "sklearn:iris"},  # 90 train rows
    "model": {"hidden": [4]},
    "train": {"epochs": 9, "batch_size": [8, 16]},
    "optimizers": {"momentum": {}, "adam": {}},
}
KINDS = "auto, cmaes, gp, grid, halton, qmc, random, tpe"
WHEN = {"optimizer": ["adam"]}
COUNT = "must be a whole number"


def search(**keys: Any) -> dict[str, Any]:
    return {"search": keys}


BAD: list[tuple[dict[str, Any], list[str]]] = [
    # samplers and pruners
    (search(sampler="bayes", pruner="medain"), [
        "search.sampler: 'bayes' is not known; did you mean 'tpe'?",
        "search.pruner: 'medain' is not known; did you mean 'median'?",
    ]),
    (search(sampler="GPSampler", pruner="SuccessiveHalvingPruner"), [
        "search.sampler: 'GPSampler' is not known; did you mean 'gp'?",
        "search.pruner: 'SuccessiveHalvingPruner' is not known; did you mean 'halving'?",
    ]),
    (search(sampler="nsga2", pruner="asha"), [
        f"search.sampler: 'nsga2' is not known; choose one of: {KINDS}",
        "search.pruner: 'asha' is not known; did you mean 'halving'?",
    ]),
    (search(sampler="cmaes") | {"optimizers": {"rmsprop": {"lr": 0.1, "momentum": 0.5, "centered": [True, False]}}}, [
        "search.sampler: cmaes moves along numbers, but centered is chosen from names without an order; "
        'fix what is chosen, or use sampler = "tpe"',
    ]),
    (search(sampler="cmaes"), [
        "search.sampler: cmaes moves along numbers, but optimizer is chosen from names without an order; "
        'fix what is chosen, or use sampler = "tpe"',
    ]),
    (search(sampler="grid", grid_points=1000) | {"optimizers": {"adamw": {"beta2": {}, "eps": {}}}}, [
        "search.sampler: the grid has 2e+15 points, and at most 1,000,000 can be searched; give fewer values, "
        'or fewer points to a range with search.grid_points, or use sampler = "qmc"',
    ]),
    (search(sampler="grid", grid_points=2), [
        "search.sampler: the grid has 16 points, fewer than the 64 trials; ask for 16 trials",
    ]),
    (search(random_share=1.5), ["search.random_share: must be at most 1.0, but got 1.5"]),
    (search(random_share=-0.1), ["search.random_share: must be at least 0.0, but got -0.1"]),
    (search(reduction=1, lag=0, grid_points=0, allocation="even"), [
        "search.allocation: 'even' is not known; choose one of: best, equal",
        "search.reduction: must be at least 2, but got 1",
        "search.grid_points: must be at least 1, but got 0",
        "search.lag: must be at least 1, but got 0",
    ]),
    # generations and rungs
    (search(generation_size=65), [
        "search.generation_size: 65 is more than the 64 trials; ask for 64 at most, or for more trials",
    ]),
    (search(rungs=[3, 60]), [
        "search.rungs: 60 is beyond the 9 epochs that a trial trains; keep them below 9, or give more epochs",
    ]),
    (search(rungs=[3, 2]), ["search.rungs: must rise, but got [3, 2]; write [2, 3]"]),
    (search(rungs=[3, 3]), ["search.rungs: must rise, but got [3, 3]; write [3]"]),
    (search(rungs=[0]), ["search.rungs: must be from 1 to 1000000000000, but got 0"]),
    (search(rungs=[2.5]), [f"search.rungs: {COUNT}, but got 2.5"]),
    (search(rungs=3), ["search.rungs: must be a list of whole numbers, but got 3; write it like [3, 9]"]),
    (search(rungs=[3], pruner="none"), [
        'search.rungs: does not go with pruner = "none"; remove it, or write pruner = "halving"',
    ]),
    (search(rungs=[3]) | {"train": {"steps": 108, "batch_size": [8, 16]}}, [
        "search.rungs: 3, 108 steps are less than an epoch apart, which is 12 of them at batch size 8; "
        "they count in steps, like the budget: move them apart, or remove them",
    ]),
    (search(rungs=[100, 130]) | {"train": {"examples": 810}}, [
        "search.rungs: 100, 130, 810 examples are less than an epoch apart, which is 90 of them; "
        "they count in examples, like the budget: move them apart, or remove them",
    ]),
    # budgets and stops
    ({"train": {"epochs": 6, "steps": 100, "examples": 900}}, [
        "train.steps: there is epochs too; keep one of them",
        "train.examples: there is epochs too; keep one of them",
    ]),
    ({"train": {"epochs": 0}}, ["train.epochs: must be at least 1, but got 0"]),
    ({"train": {"steps": -5}}, ["train.steps: must be at least 1, but got -5"]),
    ({"train": {"steps": 0, "examples": 0}}, [
        "train.steps: must be at least 1, but got 0",
        "train.examples: must be at least 1, but got 0",
    ]),
    ({"train": {"steps": 11, "batch_size": [8, 16]}}, [
        "train.steps: 11 steps are less than an epoch, which is 12 of them at batch size 8, "
        "and trials train whole ones; ask for 12 at least, or for larger batches",
    ]),
    ({"train": {"examples": 89}}, [
        "train.examples: 89 examples are less than an epoch, which is 90 of them, and trials train whole ones; "
        "ask for 90 at least",
    ]),
    ({"study": {"name": "s", "trials": 0}}, ["study.trials: must be at least 1, but got 0"]),
    ({"stop": {"seconds": 0.0, "no_gain": 0, "epochs": -1, "patience": 3, "target": float("nan")}}, [
        "stop.seconds: must be above 0.0, but got 0.0",
        "stop.epochs: must be at least 1, but got -1",
        "stop.target: must be finite, but got nan",
        "stop.no_gain: must be at least 1, but got 0",
        "stop.patience: unknown key; did you mean 'no_gain'?",
    ]),
    # configs that are given
    (search(enqueue={"lr": 0.1}), [
        "search.enqueue: must be a list of configs, but got {'lr': 0.1}; write [{ optimizer = \"adam\", lr = 0.001 }]",
    ]),
    (search(enqueue=[{"optimizer": "adm"}, {"lr": 0.1}, {}]), [
        "search.enqueue[0].optimizer: 'adm' is not searched; did you mean 'adam'?",
        "search.enqueue[1].optimizer: is missing; choose one of: momentum, adam",
        "search.enqueue[2].optimizer: is missing; choose one of: momentum, adam",
    ]),
    (search(enqueue=[{"optimizer": "adam", "lr": 50.0, "momentum": 0.5, "beta1": "x", "eps": 1e-3, "batch_size": 9}]), [
        "search.enqueue[0].lr: 50.0 is not in [1e-05, 0.1]; widen the range, or stay in it",
        "search.enqueue[0].momentum: is not a parameter of adam here; choose one of: activation, batch_size, ",
        "search.enqueue[0].beta1: must be a number, but got 'x'; give one in [0.5, 0.995]",
        "search.enqueue[0].eps: 0.001 is another value than the 1e-08 that is fixed; leave it out, or search it",
        "search.enqueue[0].batch_size: 9 is not searched; choose one of: 8, 16",
    ]),
    (search(enqueue=[{"optimizer": ["adam"]}, {"optimizer": "adam", "epochs": 3, "framework": "keras", "lr": [0.1]}]), [
        "search.enqueue[0].optimizer: ['adam'] is not searched; did you mean 'adam'?",
        "search.enqueue[1].epochs: is 9 in every config here; leave it out",
        "search.enqueue[1].framework: is torch in every config here; leave it out",
        "search.enqueue[1].lr: must be a number, but got [0.1]; give one in [1e-05, 0.1]",
    ]),
    (search(enqueue=[{"optimizer": "adam", "gamma": 0.5}, {"optimizer": "momentum", "dropout": 0.1}])
        | {"train": {"schedule": ["constant", "step"]}, "model": {"dropout": {"choices": [0.1, 0.2], "when": WHEN}}}, [
        "search.enqueue[0].gamma: means nothing unless schedule is step or exponential; leave it out, or choose that",
        "search.enqueue[1].dropout: means nothing unless optimizer is adam; leave it out, or choose that",
    ]),
    # other studies to begin with
    (search(warm_start="other"), [
        "search.warm_start: must be a list of studies, but got 'other'; write [\"another-study\"]",
    ]),
    (search(warm_start=["gone", "nowhere"]), [
        "search.warm_start[0]: no study 'gone' in ",
        "search.warm_start[1]: no study 'nowhere' in ",
    ]),
    (search(warm_start=["s"]), [
        "search.warm_start: 's' is this study, which cannot begin with its own trials; name another study",
    ]),
    (search(warm_start=["other"], sampler="random", enqueue=[{"optimizer": "sgd"}]), [
        "search.enqueue[0].optimizer: 'sgd' is not searched; choose one of: adam, momentum",
        "search.warm_start: random does not learn from the trials of other studies; "
        'use sampler = "auto", "tpe" or "gp", or remove it',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "lines"), BAD, ids=lambda value: value[0][:60] if isinstance(value, list) else "")
def test_it_is_refused_with_the_fix(
    change: dict[str, Any], lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, home = tmp_path / "s.toml", tmp_path / "home"
    file.write_text(tomli_w.dumps(TABLES | change))
    ended = Shell(capsys)("run", file, "--home", home, "-j", "1")
    said = [line.removeprefix("error: ") for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.code, ended.out, home.exists()) == (2, "", False)
    assert len(said) == len(lines)
    for told, line in zip(said, lines, strict=True):
        assert told.removeprefix(f"{file}: ").startswith(line)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a study of momentum alone, at one batch size."""
    home = tmp_path_factory.mktemp("home")
    tables = {"study": {"name": "old", "trials": 4}, "optimizers": {"momentum": {"momentum": 0.9}}}
    tables["train"] = {"epochs": 2, "batch_size": 8}
    tuner.run(TABLES | tables, jobs=1, home=home, confirm=False)
    return home


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"optimizers": {"sgd": {}}},
            "search.warm_start[0]: 'old' has no trial of an optimizer that this study searches; "
            "its optimizers are momentum",
        ),
        (
            {"optimizers": {"momentum": {"lr": 0.1}}, "train": {"batch_size": 8}},
            "search.warm_start[0]: 'old' searches nothing that this study does; name another study",
        ),
        (
            {"study": {"name": "s", "maximize": "valid_accuracy"}},
            "search.warm_start[0]: 'old' does minimize valid_loss, this study maximize valid_accuracy; "
            "name studies of the same goal",
        ),
    ],
)
def test_a_study_that_has_nothing_in_common_teaches_nothing(
    change: dict[str, Any], line: str, old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "s.toml"
    file.write_text(tomli_w.dumps(TABLES | search(warm_start=["old"]) | change))
    ended = Shell(capsys)("run", file, "--home", old, "-j", "1")
    assert (ended.code, ended.out, [place.name for place in old.iterdir()]) == (2, "", ["old"])
    assert ended.err.splitlines()[-1] == f"error: {line}"
