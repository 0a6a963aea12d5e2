"""Studies that are right: defaults, presets, round trips, and what counts as a change."""

from __future__ import annotations

import copy
import pickle
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.optimizers import RULES
from tuner.errors import StudyError
from tuner.study import Choices, Range, Study, differences, is_searched, read_study
from tuner.trainables.builtin.prepared_study import prepare_study

SMALL: dict[str, Any] = {"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}}


def from_toml(text: str) -> Study:
    """A stored study, read back."""
    return read_study(tomllib.loads(text), needs_data=False, ran=True)


def study(**tables: Any) -> Study:
    """A small study with other tables beside it, or in place of its own."""
    return read_study({**SMALL, **tables})


def test_defaults_are_those_of_the_manual() -> None:
    made = study()
    assert (made.name, made.seed, made.trials, made.dtype) == ("study", 0, 64, "float32")
    assert (made.metric, made.direction) == ("valid_loss", "minimize")
    assert (made.model.kind, made.model.hidden, made.model.activation, made.model.init) == (
        "mlp",
        (64,),
        "relu",
        "torch",
    )
    assert (made.train.epochs, made.train.schedule, made.train.framework) == (27, "constant", "torch")
    assert made.train.batch_size == Choices((16, 32, 64, 128, 256))
    assert (made.search.sampler, made.search.pruner, made.search.generation_size) == ("tpe", "halving", 32)
    assert (made.search.reduction, made.search.random_share) == (4, 1 / 3)
    assert (made.confirm.enabled, made.confirm.top, made.confirm.seeds) == (True, 5, 5)


def test_name_and_base_come_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "my table.toml").write_text('[data]\nsource = "rows.csv"\n[optimizers.sgd]\n')
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    made = read_study(tmp_path / "my table.toml")
    assert (made.name, made.base, made.data.source) == ("my table", tmp_path, "rows.csv")


@pytest.mark.parametrize("name", RULES)
def test_presets_are_searched_by_the_number_of_trials(name: str) -> None:
    for trials in (1, 9, 10, 1000):
        domains = study(study={"trials": trials}, optimizers={name: {}}).optimizers[name]
        assert list(domains) == list(RULES[name].keys)
        assert not any(domains[flag.name] for flag in RULES[name].flags)
        for hyper in RULES[name].hypers:
            searched = Range(hyper.low, hyper.high, hyper.scale)
            assert domains[hyper.name] == (searched if trials >= hyper.tier else hyper.default)


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        (0.1, 0.1),
        (1, 1.0),
        ([0.1], 0.1),
        ([0.1, 0.01], Choices((0.01, 0.1))),
        ({"choices": [1, 0.5]}, Choices((0.5, 1.0))),
        ({"low": 0.2, "high": 0.2}, 0.2),
        ({"low": 0.01, "high": 1}, Range(0.01, 1.0, "log")),
        ({"low": 0.01, "high": 1, "log": False}, Range(0.01, 1.0, "linear")),
        ({"high": 0.03}, Range(1e-5, 0.03, "log")),
    ],
)
def test_a_rate_is_fixed_a_list_or_a_range(written: Any, domain: Any) -> None:
    made = study(optimizers={"adam": {"lr": written}})
    assert made.optimizers["adam"]["lr"] == domain
    assert is_searched(domain) == isinstance(domain, Range | Choices)


def test_log_of_a_momentum_is_the_log_of_its_distance_to_one() -> None:
    made = study(optimizers={"adam": {"beta1": {"low": 0.0, "high": 0.99, "log": True}}})
    assert made.optimizers["adam"]["beta1"] == Range(0.0, 0.99, "log1m")


def test_lists_of_names_and_of_layers_are_searched_in_any_order() -> None:
    model = {"hidden": [[64, 32], [16]], "activation": ["tanh", "relu"], "init": ["glorot"]}
    made = study(model=model, train={"batch_size": [64, 16], "schedule": "cosine"})
    assert made.model.hidden == Choices(((16,), (64, 32)))
    assert (made.model.activation, made.model.init) == (Choices(("relu", "tanh")), "glorot")
    assert (made.train.batch_size, made.train.schedule) == (Choices((16, 64)), "cosine")


def test_order_of_the_file_decides_nothing() -> None:
    one: dict[str, Any] = {"adam": {}, "sgd": {}}
    other: dict[str, Any] = {"sgd": {}, "adam": {}}
    assert list(study(optimizers=one).optimizers) == list(study(optimizers=other).optimizers) == ["sgd", "adam"]


def test_a_mapping_may_hold_numpy_scalars_tuples_and_paths(tmp_path: Path) -> None:
    (tmp_path / "x.npy").touch()
    data = {"source": tmp_path / "x.npy", "target": None}
    made = study(
        data=data, study={"seed": np.int64(3)}, model={"hidden": (8, 8)}, optimizers={"sgd": {"lr": np.float32(0.5)}}
    )
    assert (made.seed, made.model.hidden, made.optimizers["sgd"]["lr"]) == (3, (8, 8), 0.5)
    assert made.data.source == str(tmp_path / "x.npy")


def test_what_is_handed_in_is_copied() -> None:
    given_ = copy.deepcopy(SMALL)
    made = read_study(given_, settings={"optimizers.adam.lr": 0.5})
    given_["optimizers"]["adam"]["lr"] = 0.25
    assert given_ != made.written
    assert made.written["optimizers"] == {"adam": {"lr": 0.5}}


def test_a_study_can_be_read_again_with_settings() -> None:
    first = study(study={"name": "first"}, train={"epochs": 9})
    again = read_study(first, settings={"study.trials": 9})
    assert (again.name, again.trials, again.train.epochs) == ("first", 9, 9)
    assert pickle.loads(pickle.dumps(again)) == again


def test_data_that_are_handed_in_need_no_source() -> None:
    made = read_study({"optimizers": {"sgd": {}}}, needs_data=False)
    assert made.data.source is None
    assert from_toml(made.to_toml()) == made


def test_a_linear_model_has_no_layers_in_its_file() -> None:
    text = study(model={"kind": "linear"}).to_toml()
    assert '[model]\nkind = "linear"\ninit = "torch"\n' in text
    assert from_toml(text).model.kind == "linear"


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: name.lower() not in ("con", "prn", "aux", "nul")
)
RATES = st.floats(1e-12, 1e3)
RATE = st.one_of(
    RATES,
    st.lists(RATES, min_size=1, max_size=4, unique=True),
    st.tuples(RATES, RATES, st.booleans()).map(lambda t: {"low": min(t[:2]), "high": max(t[:2]), "log": t[2]}),
)
SIZES = st.lists(st.integers(1, 4096), min_size=1, max_size=3)
STUDIES = st.fixed_dictionaries(
    {
        "study": st.fixed_dictionaries(
            {"name": NAMES, "seed": st.integers(0, 2**63 - 1), "trials": st.integers(2, 10**6)},
            optional={"maximize": st.just("valid_accuracy"), "dtype": st.sampled_from(["float32", "float64"])},
        ),
        "data": st.fixed_dictionaries(
            {"source": st.just("sklearn:wine"), "target": st.text(min_size=1, max_size=20) | st.integers(0, 99)},
            optional={"split": st.fixed_dictionaries({"valid": st.floats(0.01, 0.4), "group": st.text(min_size=1)})},
        ),
        "model": st.fixed_dictionaries({"hidden": SIZES | st.lists(SIZES, min_size=1, max_size=3, unique_by=tuple)}),
        "optimizers": st.dictionaries(st.sampled_from(list(RULES)), st.fixed_dictionaries({"lr": RATE}), min_size=1),
        "search": st.fixed_dictionaries({"random_share": st.floats(0, 1), "reduction": st.integers(2, 100)}),
    }
)


@given(STUDIES)
def test_a_resolved_study_reads_back_equal(tables: dict[str, Any]) -> None:
    made = read_study(tables)
    back = from_toml(made.to_toml())
    assert back == made
    assert back.to_toml() == made.to_toml()
    assert differences(made, back) == differences(back, made) == []


@given(st.lists(st.from_regex(r"[A-Za-z_][\w .-]{0,12}\w", fullmatch=True), min_size=2, max_size=4, unique=True))
def test_parameters_of_any_name_read_back_equal(names: list[str]) -> None:
    """In tables of their own and inside of others: conditions, and configs that are given."""
    names = [f"p{name}" for name in names]  # none of the tuner's own
    chosen = {names[0]: ["a", "b"], **dict.fromkeys(names[2:], 1.0)}
    moved = {names[1]: {"low": 0.0, "high": 1.0, "when": {names[0]: ["a"]}}}
    made = read_study(
        {
            "study": {"objective": "train.py:train"},
            "parameters": chosen | moved,
            "search": {"enqueue": [{names[0]: "b"}]},
        },
        needs_data=False,
    )
    back = from_toml(made.to_toml())
    assert back == made
    assert differences(made, back) == differences(back, made) == []


def test_what_could_not_be_read_again_is_refused() -> None:
    given = [{"optimizer": "sgd", "lr": 0.1 + i / 1e6} for i in range(3000)]
    long = read_study({"optimizers": {"sgd": {}}, "search": {"enqueue": given}}, needs_data=False)
    with pytest.raises(StudyError, match=r"study: takes \d+ KiB with everything filled in, and 64 are the most; give"):
        long.to_toml()


def test_every_parameter_of_many_is_read() -> None:
    space = {f"p{i}": {"low": 0.0, "high": 1.0} for i in range(200)}
    made = read_study({"study": {"objective": "train.py:train"}, "parameters": space}, needs_data=False)
    assert made.custom is not None
    assert list(made.custom.parameters) == list(space)


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        ({}, []),
        ({"study": {"trials": 640, "name": "other"}, "confirm": {"top": 3}}, []),
        ({"study": {"seed": 1}}, [("study.seed", 0, 1)]),
        ({"study": {"maximize": "valid_accuracy"}}, [("study.maximize", None, "valid_accuracy")]),
        ({"data": {"source": "sklearn:wine"}}, [("data.source", "sklearn:iris", "sklearn:wine")]),
        ({"data": {"source": "sklearn:iris", "split": {"test": 0.3}}}, [("data.split.test", 0.2, 0.3)]),
        ({"train": {"batch_size": [256, 128, 64, 32, 16]}}, []),
        ({"optimizers": {"adam": {"lr": 0.1}}}, [("optimizers.adam.lr", {"low": 1e-5, "high": 0.1, "log": True}, 0.1)]),
        ({"optimizers": {"adam": {"lr": {"low": 1e-5}}}}, []),
    ],
)
def test_differences_are_in_what_is_written(tables: dict[str, Any], found: list[Any]) -> None:
    assert differences(study(), study(**tables)) == found


def test_optimizers_that_come_or_go_are_differences() -> None:
    both, one = study(optimizers={"adam": {}, "sgd": {"lr": 0.1}}), study(optimizers={"adam": {}})
    sgd = {"lr": 0.1, "weight_decay": 0.0}
    assert differences(one, both) == [("optimizers.sgd", None, sgd)]
    assert differences(both, one) == [("optimizers.sgd", sgd, None)]


def test_a_preset_that_grew_with_the_trials_is_no_difference() -> None:
    assert differences(study(study={"trials": 5}), study(study={"trials": 500})) == []


def test_uneven_steps_are_told_where_batch_sizes_are_compared() -> None:
    asked = replace(study(), rows=1000)
    said = "equal epochs give small batches more steps: 63 an epoch at 16, 4 an epoch at 256"
    assert asked.uneven([16, None, 256, 64]) == f"{said}; with --set train.steps=N all make as many"
    assert asked.uneven([16, 16, None]) == asked.uneven([]) == ""
    assert replace(study(train={"steps": 100}), rows=1000).uneven([16, 256]) == ""
    assert study(train={"examples": 100}).uneven([16, 256]) == "equal examples give small batches more steps"


@pytest.mark.parametrize("source", ["surface:rosenbrock", "sklearn:iris"])
def test_a_resolved_study_reads_back(source: str, tmp_path: Path) -> None:
    asked = read_study({"data": {"source": source}, "optimizers": {"sgd": {}}})
    (tmp_path / "study.toml").write_text(asked.to_toml(), encoding="utf-8")
    assert read_study(tmp_path / "study.toml") == replace(asked, base=tmp_path)


def test_dropped_columns_are_part_of_the_question(tmp_path: Path) -> None:
    rows = "".join(f"{i},2024-01-{1 + i % 28:02},{i % 7},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(80))
    (tmp_path / "visits.csv").write_text(f"visit,day,age,outcome\n{rows}", encoding="utf-8")
    table = {
        "study": {"name": "visits", "trials": 2},
        "data": {"source": "visits.csv", "target": "outcome", "drop": ["visit"]},
        "optimizers": {"adam": {}},
    }
    asked = read_study(table, base=tmp_path)
    assert prepare_study(asked).first.features == ("day", "age")
    assert tomllib.loads(asked.to_toml())["data"]["drop"] == ["visit"]
    with pytest.raises(StudyError, match=r"data\.drop: must be a list of columns, but got 'visit'"):
        read_study({**table, "data": {**table["data"], "drop": "visit"}}, base=tmp_path)
