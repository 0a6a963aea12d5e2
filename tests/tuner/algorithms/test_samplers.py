"""Every sampler and pruner: replayable, the same table for any workers, refused where it cannot work."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tuner
from tests.support.trials import trial
from tuner.algorithms.pruners import PRUNERS
from tuner.algorithms.samplers import SAMPLERS
from tuner.errors import StudyError
from tuner.records import Trial
from tuner.search import generation_size, ladder, propose
from tuner.space import Space, space_of
from tuner.study import Study, read_study
from tuner.trainables.builtin.prepared_study import prepare_study

ROOT = Path(__file__).parents[3]
NUMBERS = {"momentum": {}}  # no choice among optimizers
MIXED = {"sgd": {}, "momentum": {}, "rmsprop": {"centered": [False, True]}}


# torch is slow to import, and not there for everybody
TORCH = (pytest.mark.slow, pytest.mark.skipif(find_spec("torch") is None, reason="pip install torch==2.13.0"))
EACH = [pytest.param(name, marks=TORCH) if name == "gp" else name for name in SAMPLERS]


def tables(sampler: str, **search: Any) -> dict[str, Any]:
    """A study that the sampler can do: conditional and categorical, but for one that wants numbers alone."""
    alone = sampler == "cmaes"
    return {
        "study": {"name": "s", "trials": 30, "seed": 5},
        "data": {"source": "sklearn:iris"},
        "model": {"hidden": [8]},
        "train": {
            "epochs": 6,
            "batch_size": [8, 16],
            "schedule": "constant" if alone else ["constant", "cosine", "step"],
        },
        "optimizers": NUMBERS if alone else MIXED,
        "search": {"sampler": sampler, "generation_size": 10, "reduction": 2, **search},
        "confirm": {"enabled": False},
    }


def asked(sampler: str, **search: Any) -> Study:
    return read_study(tables(sampler, **search))


def played(study: Study, space: Space, generations: int) -> list[Trial]:
    """Generations with made-up values: half of each pruned, one of each diverged."""
    trials: list[Trial] = []
    for g in range(generations):
        for i, latents in enumerate(propose(study, space, g, len(trials), 10, trials)):
            value = 0.1 + abs(float(latents["lr"]) - 0.6)
            epochs, config = (6 if i < 5 else 2), space.config(latents)
            del config["epochs"]
            state = "diverged" if i == 9 else "complete" if i < 5 else "pruned"
            curve = [np.inf] * epochs if i == 9 else [value] * epochs
            trials.append(
                trial(10 * g + i, generation=g, state=state, epochs=epochs, curve=curve, latents=latents, **config)
            )
    return trials


def drawn(sampler: str, seed: int = 5) -> list[dict[str, Any]]:
    """What a sampler proposes in its fifth generation."""
    study = read_study(tables(sampler) | {"study": {"name": "s", "trials": 30, "seed": seed}})
    space = space_of(study)
    return propose(study, space, 4, 40, 6, played(study, space, 4))


@pytest.mark.parametrize("sampler", EACH)
def test_a_proposal_is_replayed_here_and_in_another_process(sampler: str) -> None:
    here = drawn(sampler)
    assert drawn(sampler) == here
    assert drawn(sampler, seed=6) != here
    program = (
        f"import json; from tests.tuner.algorithms.test_samplers import drawn; print(json.dumps(drawn({sampler!r})))"
    )
    words = [sys.executable, "-W", "ignore", "-c", program]
    there = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(there) == here


@pytest.mark.parametrize("sampler", EACH)
def test_proposals_are_configs_of_the_study(sampler: str) -> None:
    study = asked(sampler)
    space = space_of(study)
    configs = [space.config(t.latents) for t in played(study, space, 3)]
    assert {config["optimizer"] for config in configs} == set(study.optimizers)
    assert {config["batch_size"] for config in configs} == {8, 16}


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name not in ("cmaes", "gp")])
def test_an_optimizer_of_which_nothing_is_searched_is_tried_once(sampler: str) -> None:
    """Whatever the sampler begins with: a grid in a drawn order, points at random, or the defaults."""
    study = read_study(
        {
            "study": {"trials": 20},
            "data": {"source": "sklearn:iris"},
            "model": {"kind": "linear"},
            "optimizers": {"newton": {}, "lbfgs": {}, "gradient_descent": {}},
            "search": {"sampler": sampler, "grid_points": 18},
        }
    )
    space = space_of(study)
    configs = [space.config(point) for g in range(4) for point in propose(study, space, g, 5 * g, 5, [])]
    tried = [config["optimizer"] for config in configs]
    assert (tried.count("newton"), tried.count("lbfgs")) == (1, 1)
    assert len({str(config) for config in configs}) == len(configs)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", pytest.param("gp", marks=pytest.mark.slow)])
def test_a_model_goes_where_it_was_good(sampler: str) -> None:
    study = asked(sampler, random_share=0.0)
    space = space_of(study)
    trials = played(study, space, 8)
    late = [abs(float(t.latents["lr"]) - 0.6) for t in trials[40:]]
    early = [abs(float(t.latents["lr"]) - 0.6) for t in trials[:20]]
    assert np.median(late) < 0.7 * np.median(early)


@pytest.mark.parametrize("allocation", ["best", pytest.param("equal", marks=pytest.mark.slow)])
@pytest.mark.parametrize("sampler", EACH)
def test_one_table_for_any_workers_and_after_a_resume(sampler: str, allocation: str, tmp_path: Path) -> None:
    study = tables(sampler, allocation=allocation)
    if sampler == "gp":
        study["study"]["trials"] = 22  # a model takes its time
    runs = {}
    for name, jobs, parts in (("inline", 1, [None]), ("workers", 2, [None]), ("parts", 1, [10, 20, None])):
        for trials in parts:
            tuner.run(study, trials=trials, jobs=jobs, baselines=False, home=tmp_path / name)
        runs[name] = (tmp_path / name / "s" / "ranking.csv").read_bytes()
    assert runs["workers"] == runs["inline"]
    assert runs["parts"] == runs["inline"]


@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner_makes_one_table(pruner: str, tmp_path: Path) -> None:
    study = tables("random", pruner=pruner, generation_size=12)
    study["study"]["trials"] = 48
    tables_of = []
    for jobs in (1, 2):
        result = tuner.run(study, jobs=jobs, baselines=False, home=tmp_path / str(jobs))
        tables_of.append((tmp_path / str(jobs) / "s" / "ranking.csv").read_bytes())
    assert tables_of[0] == tables_of[1]
    states = result.ranking()["state"].value_counts()
    assert states["complete"] > 0
    assert (states["pruned"] > 0) == (pruner != "none")


def test_hyperband_starts_later_in_later_generations() -> None:
    study = asked("random", pruner="hyperband", generation_size=16)
    assert [[stage.amount for stage in ladder(study, g)] for g in range(4)] == [[2, 6], [6], [2, 6], [6]]
    assert [generation_size(study, g) for g in range(2)] == [16, 11]  # each costs about 64 epochs


def test_points_of_a_sequence_follow_their_number_alone() -> None:
    for sampler in ("qmc", "halton", "grid"):
        study = asked(sampler)
        space = space_of(study)
        whole = propose(study, space, 0, 0, 30, [])
        parts = [propose(study, space, g, first, 6, []) for g, first in enumerate(range(0, 30, 6))]
        assert [point for part in parts for point in part] == whole


def test_a_grid_has_every_config_once() -> None:
    study = asked("grid", grid_points=3)
    space = space_of(study)
    blocks = space.blocks(3)
    # lr x batch x schedule, with the momentum of one and the flag of another
    assert sum(block.size for block in blocks) == 3 * (3 * 2) + 3 * (3 * 3 * 2) + 3 * (3 * 2 * 2)
    size = sum(block.size for block in blocks)
    configs = [space.config(point) for point in propose(study, space, 0, 0, size, [])]
    assert len({json.dumps(config, sort_keys=True) for config in configs}) == size


def test_equal_allocation_gives_each_optimizer_the_same_budget(tmp_path: Path) -> None:
    study = tables("tpe", allocation="equal", generation_size=12)
    study["study"]["trials"] = 48
    frame = tuner.run(study, jobs=1, home=tmp_path).ranking()
    assert frame["optimizer"].value_counts().to_dict() == dict.fromkeys(MIXED, 16)
    rungs = frame.groupby("optimizer", observed=True)["rung"].sum()
    assert rungs.max() - rungs.min() <= 2  # one that diverged lets none go on in its place


def test_a_package_that_is_not_there_is_named(monkeypatch: Any) -> None:
    monkeypatch.setattr("tuner.algorithms.samplers.find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r"cmaes needs cmaes, not installed; pip install cmaes .*tuner\[cmaes\]"):
        prepare_study(tables("cmaes"))
    with pytest.raises(StudyError, match=r"gp needs torch and scipy, not installed; pip install torch scipy"):
        prepare_study(tables("gp"))
