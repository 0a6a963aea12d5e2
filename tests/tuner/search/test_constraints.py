"""[constraints]: conditions over the parameters, which no trained config breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tuner
from tuner.errors import StudyError
from tuner.search import check_search, propose
from tuner.search.feasible import allowed_by
from tuner.space import space_of
from tuner.study import expression_of, read_study

SPACE = {"d": {"low": 8, "high": 64}, "heads": [1, 2, 4, 8], "rate": {"low": 1e-4, "high": 1.0, "log": True}}
HEADS = {"heads": "d % heads == 0", "steep": "rate * d < 8 and not (heads == 8 and rate > 0.1)"}


def asked(constraints: dict[str, Any], **tables: Any) -> dict[str, Any]:
    study = {"name": "held", "trials": 24, "command": ["true", "{d}", "{heads}", "{rate}"], "minimize": "loss"}
    return {"study": study, "parameters": SPACE, "constraints": constraints, **tables}


def train(config: dict[str, Any]) -> dict[str, float]:
    assert config["d"] % config["heads"] == 0
    return {"loss": abs(config["rate"] - 0.05) + config["d"] / 64}


@pytest.mark.parametrize(
    ("text", "config", "holds"),
    [
        ("a % b == 0", {"a": 6, "b": 4}, False),
        ("a < b < 10", {"a": 1, "b": 2}, True),
        ("model.depth * 2 <= a", {"model.depth": 3, "a": 6}, True),
        ("a in ['x', 'y'] or b > 1", {"a": "z", "b": 2}, True),
        ("not flag", {"flag": True}, False),
        ("hidden[0] >= hidden[1] and len(hidden) == 2", {"hidden": [8, 4]}, True),
        ("hidden[3] > 0", {"hidden": [8, 4]}, False),
        ("a / b > 1", {"a": 1, "b": 0}, False),
        ("2 ** a > 3", {"a": 1e9}, False),
        ("-a + abs(b) == max(a, 3) - sum((1, 1)) / 2", {"a": 1, "b": -3}, True),
        ("a > 1", {"b": 1}, True),
    ],
)
def test_a_condition_is_computed(text: str, config: dict[str, Any], holds: bool) -> None:
    assert expression_of(text).holds(config) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('true')", "which a condition may not have"),
        ("(lambda: a)()", "which a condition may not have"),
        ("open(a)", r"has 'open\(a\)', which a condition may not have"),
        ("[x for x in a]", "which a condition may not have"),
        ("a if b else c", "which a condition may not have"),
        ("a == 1j", "which a condition may not have"),
        ("f'{a}' == 'b'", "which a condition may not have"),
        ("a.__class__()", "which a condition may not have"),
        ("a % b = 0", "is no condition"),
        ("a ==", "is no condition: invalid syntax"),
        ("1 < 2", "names no parameter"),
        ("", "must be a condition"),
        (3, "must be a condition, but got 3"),
        ("(" * 400 + "a", "is no condition"),
    ],
)
def test_what_is_no_condition_is_said_and_never_run(text: Any, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_study(asked({"bad": text}))


@pytest.mark.parametrize(
    ("constraints", "tables", "said"),
    [
        ({"a": "dd < 3"}, {}, "constraints.a: 'dd' is no parameter; did you mean 'd'"),
        ({"a": "d > 100"}, {}, "'d > 100' holds for none of"),
        ({"a": "d > 60", "b": "d < 10"}, {}, "constraints: none of 4,000 configs meets all"),
        ({"a": "d < 'x'"}, {}, "cannot be computed: '<' not supported"),
        ({"a": "d * 'x' == 3"}, {}, "cannot be computed: .* are not both numbers"),
        ({"a": "d > 10"}, {"search": {"enqueue": [{"d": 9, "heads": 1, "rate": 0.1}]}}, "does not meet"),
    ],
)
def test_what_cannot_be_met_is_said_before_anything_runs(
    constraints: dict[str, str], tables: dict[str, Any], said: str
) -> None:
    study = read_study(asked(constraints, **tables))
    with pytest.raises(StudyError, match=said):
        raise StudyError(*check_search(study, space_of(study)))


@given(
    sampler=st.sampled_from(["random", "qmc", "tpe", "auto"]),
    generation=st.integers(0, 50),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=25, deadline=None)
def test_every_proposal_meets_them_and_is_a_function_of_seed_and_generation(
    sampler: str, generation: int, seed: int
) -> None:
    tables = {"search": {"sampler": sampler, "generation_size": 8}}
    study = read_study(asked(HEADS, **tables) | {"study": asked(HEADS)["study"] | {"seed": seed}})
    space, allowed = space_of(study), allowed_by(study)
    assert allowed is not None
    points = propose(study, space, generation, 8 * generation, 8, [])
    assert len(points) == 8
    assert all(allowed(space.config(point)) for point in points)
    assert points == propose(study, space, generation, 8 * generation, 8, [])


def test_a_study_without_constraints_proposes_what_it_did() -> None:
    free, held = read_study(asked({})), read_study(asked({"all": "d > 0"}))
    space = space_of(free)
    assert propose(free, space, 0, 0, 8, []) == propose(held, space, 0, 0, 8, [])
    assert "constraints" not in free.to_table()
    assert held.to_table()["constraints"] == {"all": "d > 0"}


@pytest.mark.slow
def test_no_config_that_breaks_them_is_trained_and_workers_do_not_matter(tmp_path: Path) -> None:
    study = asked(HEADS)
    study["study"] = {"name": "held", "trials": 24, "minimize": "loss"}
    one = tuner.run(study, objective=train, jobs=1, home=tmp_path / "one")
    two = tuner.run(study, objective=train, jobs=2, home=tmp_path / "two")
    tables = [result.ranking().drop(columns="seconds").to_csv() for result in (one, two)]
    assert tables[0] == tables[1]
    assert {trial.state for trial in one.all_trials} == {"complete"}
    assert len(one.all_trials) == 24


def test_a_space_of_few_allowed_configs_ends_when_all_are_tried(tmp_path: Path) -> None:
    study = {"study": {"name": "few", "trials": 20, "minimize": "loss"}, "constraints": {"a": "x + y < 3"}}
    study["parameters"] = {"x": [0, 1, 2], "y": [0, 1, 2]}
    result = tuner.run(study, objective=lambda config: config["x"] + config["y"], jobs=1, home=tmp_path)
    assert sorted((t.config["x"], t.config["y"]) for t in result.all_trials) == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0),
    ]  # fmt: skip


def test_the_core_and_a_grid_have_none() -> None:
    core = {"data": {"source": "sklearn:digits"}, "optimizers": {"adam": {}}, "constraints": {"a": "lr < 1"}}
    with pytest.raises(StudyError, match="constraints: belongs to an objective of your own"):
        read_study(core)
    study = read_study(asked(HEADS, search={"sampler": "grid"}))
    with pytest.raises(StudyError, match="constraints: do not go with grid"):
        raise StudyError(*check_search(study, space_of(study)))
