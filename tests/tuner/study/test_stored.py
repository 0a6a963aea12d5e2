"""Every study that can be read can be stored, and reads back as what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from objectives.optimizers import OPTIMIZERS, Hyper
from objectives.schedules import SCHEDULES
from tuner.errors import StudyError
from tuner.store.stored import stored_text
from tuner.study import Study, read_study
from tuner.study.reading import parse_toml

Strategy = st.SearchStrategy[Any]

OWN: dict[str, Any] = {"objective": "train.py:train", "minimize": "valid_loss", "trials": 1}
FLOATS = st.floats(-1e300, 1e300, allow_nan=False)
INTS = st.integers(-(2**62), 2**62)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
LISTS = st.lists(st.integers(-9, 2**40), min_size=1, max_size=3)
KINDS: list[Strategy] = [FLOATS | INTS, TEXT, st.booleans(), LISTS]


def choices_of(kind: Strategy) -> Strategy:
    return st.lists(kind, min_size=1, max_size=4, unique_by=str)


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, Any]:
    """A range of an own objective's parameter: whole ends, decimal ones, or one of each; a step or none."""
    end = st.integers(-20, 20) | st.floats(-20, 20)
    found: dict[str, Any] = {"low": draw(end), "high": draw(end)}
    if draw(st.booleans()):
        found["step"] = draw(st.integers(1, 3) | st.floats(0.01, 3))
    if draw(st.booleans()):
        found["log"] = draw(st.booleans())
    if draw(st.booleans()):
        found["default"] = draw(end)
    return found


@st.composite
def parameters(draw: st.DrawFn) -> Any:
    """What [parameters] may say of one parameter."""
    kind = draw(st.sampled_from(KINDS))
    values = draw(choices_of(kind))
    table = {"choices": values, "default": draw(st.sampled_from(values))}
    fixed = values[0] if not isinstance(values[0], list) else values[:1]
    return draw(st.sampled_from([values, fixed, {"choices": values}, table]) | ranges())


@st.composite
def own_studies(draw: st.DrawFn) -> dict[str, Any]:
    """A study of an objective of somebody's own."""
    names = st.from_regex(r"[a-z][a-z .-]{0,4}[a-z]", fullmatch=True).map(lambda name: f"p{name}")
    raw: dict[str, Any] = {"study": OWN, "parameters": draw(st.dictionaries(names, parameters(), min_size=1))}
    if draw(st.booleans()):
        raw["parameters"]["kind"] = ["a", "b"]
        raw["parameters"]["some"] = {"choices": [[1, 2], [3]], "when": {"kind": draw(choices_of(st.just("a")))}}
        raw["parameters"]["one"] = {"choices": [draw(LISTS)], "when": {"kind": ["b"]}}
    if draw(st.booleans()):
        raw["train"] = {"epochs": draw(st.integers(1, 30)), "replicates": draw(st.integers(1, 3))}
        raw["train"] |= draw(st.sampled_from([{}, {"batch_size": 8}, {"schedule": ["cosine", "constant"]}]))
    if draw(st.booleans()):
        raw["optimizers"] = draw(optimizers("torch"))
    if draw(st.booleans()):
        raw["workers"] = {"threads": draw(st.integers(1, 8)), "devices": ["cuda:0", draw(TEXT.filter(bool))]}
    return raw | draw(shared())


def hypers(hyper: Hyper) -> Strategy:
    """What an optimizer's table may say of a hyperparameter."""
    inside = st.floats(hyper.low, hyper.high)
    ends = st.tuples(inside, inside).map(lambda two: {"low": min(two), "high": max(two)})
    logs = ends.flatmap(lambda two: st.booleans().map(lambda log: two | {"log": log}))
    return inside | choices_of(inside) | ends | logs | choices_of(inside).map(lambda values: {"choices": values})


@st.composite
def optimizers(draw: st.DrawFn, framework: str) -> dict[str, Any]:
    """Tables of optimizers that a framework has, each with some of its keys."""
    able = [row for row in OPTIMIZERS.values() if framework in row.frameworks and not row.whole]
    rows = draw(st.lists(st.sampled_from(able), min_size=1, max_size=3, unique_by=lambda row: row.name))
    tables = {}
    for row in rows:
        free = [hyper for hyper in row.hypers if hyper.name not in row.frameworks[framework].fixed]
        said = draw(st.lists(st.sampled_from(free), max_size=3, unique_by=lambda hyper: hyper.name))
        tables[row.name] = {hyper.name: draw(hypers(hyper)) for hyper in said}
        tables[row.name] |= {flag.name: draw(st.sampled_from([True, False, [True, False]])) for flag in row.flags}
    return tables


@st.composite
def core_studies(draw: st.DrawFn) -> dict[str, Any]:
    """A study of the tuner's own core."""
    framework = draw(st.sampled_from(["torch", "torch", "keras"]))
    train: dict[str, Any] = {"framework": framework, "replicates": draw(st.integers(1, 3))}
    train[draw(st.sampled_from(["epochs", "steps", "examples"]))] = draw(st.integers(1, 1000))
    train["schedule"] = draw(st.sampled_from([*SCHEDULES, ["cosine", "constant"]]))
    train |= draw(st.sampled_from([{}, {"warmup": [0.0, 0.1]}, {"patience": 3, "min_delta": 0.1}, {"clip_norm": 1.0}]))
    widths = st.lists(st.integers(1, 70), min_size=1, max_size=3)
    model = draw(st.sampled_from([{}, {"kind": "linear"}]) | widths.map(lambda sizes: {"hidden": sizes}))
    if draw(st.booleans()) and not model:
        model = {"hidden": draw(st.lists(widths, min_size=1, max_size=3, unique_by=str)), "dropout": [0.0, 0.3]}
    data = {"source": draw(st.sampled_from(["sklearn:iris", "rows.csv", "a 'b\".npz"]))}
    data |= draw(st.sampled_from([{}, {"target": "y \n"}, {"target": 3}, {"split": {"group": "who"}}, {"splits": 2}]))
    raw = {"study": {"trials": 1}, "data": data, "train": train, "model": model}
    return raw | {"optimizers": draw(optimizers(framework))} | draw(shared())


@st.composite
def shared(draw: st.DrawFn) -> dict[str, Any]:
    """Tables that mean the same whatever is trained."""
    tables: dict[str, Any] = {
        "search": {"random_share": draw(st.floats(0, 1)), "warm_start": draw(st.lists(TEXT.filter(bool), max_size=2))},
        "confirm": {"enabled": draw(st.booleans()), "top": draw(st.integers(1, 9)), "seeds": draw(st.integers(2, 9))},
        "stop": {"seconds": draw(st.floats(0.1, 1e9)), "target": draw(FLOATS)},
        "limits": {"seconds_per_trial": draw(st.floats(0.1, 1e6))},
    }
    return {name: tables[name] for name in draw(st.sets(st.sampled_from(sorted(tables))))}


def read(raw: Mapping[str, Any]) -> Study:
    """The study that is written, where it is one."""
    try:
        return read_study(raw, needs_data=False)
    except StudyError:
        assume(False)
        raise


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(own_studies() | core_studies())
def test_every_study_that_is_stored_reads_back_as_it_was(raw: dict[str, Any]) -> None:
    study = read(raw)
    text = stored_text(study)
    again = read_study(parse_toml(text), needs_data=False, ran=True)
    assert again == study
    assert stored_text(again) == text


@pytest.mark.parametrize(
    "said",
    [
        {"low": 0, "high": 0.5},
        {"low": 0, "high": 2.5, "step": 1},
        {"low": 0, "high": 1, "step": 1},
        {"choices": [3], "default": 3},
        {"low": 2, "high": 2, "default": 2},
        [[64]],
        {"choices": [[64]], "default": [64]},
    ],
    ids=str,
)
def test_a_parameter_is_stored_as_it_was_written(said: Any) -> None:
    study = read({"study": OWN, "parameters": {"x": said, "y": [1, 2]}})
    assert read_study(parse_toml(stored_text(study)), needs_data=False, ran=True) == study


def test_what_would_not_read_back_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    study = read({"study": OWN, "parameters": {"x": [1, 2]}})
    monkeypatch.setattr(Study, "to_toml", lambda self: "[study]\nstep = 0\n")
    with pytest.raises(StudyError, match=r"cannot be stored: .*unknown key"):
        stored_text(study)
    other = read({"study": OWN, "parameters": {"x": [1, 3]}})
    monkeypatch.undo()
    text = other.to_toml()
    monkeypatch.setattr(Study, "to_toml", lambda self: text)
    with pytest.raises(StudyError, match=r"cannot be stored: \[parameters\] would say something else"):
        stored_text(study)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"low": 1, "high": 10**20}, "100000000000000000000 does not fit into 64 bits"),
        ({"low": 10**400, "high": 1.0}, "does not fit into 64 bits"),
        ([1, -(10**20)], "does not fit into 64 bits"),
        ([[10**20], [1]], "does not fit into 64 bits"),
        ({"low": -(2**62), "high": 2**62}, "is too wide: from -4.61169e.18 to 4.61169e.18; bring the ends nearer"),
        ({"low": -1e308, "high": 1e308}, "is too wide"),
    ],
    ids=str,
)
def test_what_no_table_could_hold_is_refused_before_any_trial(said: Any, what: str) -> None:
    with pytest.raises(StudyError, match=f"^parameters.x: .*{what}"):
        read_study({"study": OWN, "parameters": {"x": said, "y": [1, 2]}}, needs_data=False)
