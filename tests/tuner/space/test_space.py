"""Latents and configs: there and back, shared roles, defaults, and what does not apply."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.errors import InvalidInput
from objectives.optimizers import RULES, hyperparameters
from tuner.records import Latent
from tuner.space import Space, space_of
from tuner.study import read_study


def space(**tables: Any) -> Space:
    """The space of a small study."""
    return space_of(read_study({"data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}, **tables}))


EVERYTHING = space(
    study={"trials": 10},
    model={"hidden": [[64], [32, 32], [8]], "activation": ["relu", "tanh"], "init": ["torch", "glorot"]},
    train={"schedule": ["constant", "cosine"]},
    optimizers={
        "sgd": {"lr": [0.3, 0.1, 0.03]},
        "momentum": {"momentum": 0.5},
        "nesterov": {},
        "adagrad": {"initial_accumulator": 0.1},
        "rmsprop": {
            "alpha": {"low": 0.7, "high": 0.99},
            "weight_decay": {"low": 0.0, "high": 0.1, "log": False},
            "centered": [True, False],
        },
        "adadelta": {},
        "adam": {"beta1": {"low": 0.0, "high": 0.9}, "eps": {"low": 1e-10, "high": 0.1}},
        "adamw": {"lr": 0.01, "beta2": [0.9, 0.99, 0.999]},
        "amsgrad": {},
        "adamax": {},
        "nadam": {"momentum_decay": 1.0},
    },
)


def same(config: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal, numbers to 1e-9."""
    close = [
        math.isclose(config[k], v, rel_tol=1e-9) if isinstance(v, float) else config[k] == v for k, v in other.items()
    ]
    return config.keys() == other.keys() and all(close)


def points(of: Space) -> st.SearchStrategy[dict[str, Any]]:
    """Points of the space."""
    return st.fixed_dictionaries(
        {x.name: st.sampled_from(x.choices) if x.kind == "categorical" else st.floats(0, 1) for x in of.latents}
    )


def test_latents_are_shared_by_role_and_ordered() -> None:
    assert EVERYTHING.latents == (
        Latent("optimizer", "categorical", tuple(RULES)),
        Latent("lr", "float"),
        Latent("weight_decay", "float"),
        Latent("momentum", "float"),
        Latent("beta2", "float"),
        Latent("eps", "float"),
        Latent("centered", "categorical", ("false", "true")),
        Latent("batch_size", "float"),
        Latent("schedule", "categorical", ("constant", "cosine")),
        Latent("hidden", "categorical", ("[8]", "[32,32]", "[64]")),
        Latent("activation", "categorical", ("relu", "tanh")),
        Latent("init", "categorical", ("glorot", "torch")),
    )


@given(points(EVERYTHING))
def test_there_and_back(latents: dict[str, Any]) -> None:
    config = EVERYTHING.config(latents)
    back = EVERYTHING.latents_of(config)
    assert same(EVERYTHING.config({**latents, **back}), config)
    ranges = {"sgd": {"weight_decay"}, "adamw": {"beta2", "weight_decay"}}
    for name, value in back.items():
        binned = name == "batch_size" or (name == "lr" and config["optimizer"] == "sgd")
        binned |= name in ranges.get(config["optimizer"], ())
        assert value == pytest.approx(latents[name], abs=0.5 if binned else 1e-9)


@given(points(EVERYTHING))
def test_a_config_is_full_and_valid(latents: dict[str, Any]) -> None:
    config = EVERYTHING.config(latents)
    row = RULES[config["optimizer"]]
    assert {name: config[name] for name in row.names} == hyperparameters(config)
    rest = {"batch_size", "schedule", "hidden", "activation", "init", "epochs", "framework", "model"}
    assert set(config) == {"optimizer", *row.keys, *rest, *({"final"} if config["schedule"] == "cosine" else {})}
    assert isinstance(config["hidden"], list)
    assert isinstance(config["batch_size"], int)


@given(points(EVERYTHING), st.data())
def test_latents_that_do_not_apply_are_ignored(latents: dict[str, Any], data: st.DataObject) -> None:
    config = EVERYTHING.config(latents)
    other = data.draw(points(EVERYTHING))
    assert same(EVERYTHING.config({**other, **EVERYTHING.latents_of(config)}), config)


@pytest.mark.parametrize("name", RULES)
def test_the_ends_of_a_range_are_exact_and_the_middle_is_on_its_scale(name: str) -> None:
    made = space(study={"trials": 10}, optimizers={name: {}})
    low, middle, high = (made.config({x.name: u for x in made.latents}) for u in (0.0, 0.5, 1.0))
    for hyper in RULES[name].hypers:
        if hyper.tier > 10:
            assert low[hyper.name] == high[hyper.name] == hyper.default
        elif hyper.scale == "log":
            assert (low[hyper.name], high[hyper.name]) == (hyper.low, hyper.high)
            assert middle[hyper.name] == pytest.approx((hyper.low * hyper.high) ** 0.5)
        else:
            assert (low[hyper.name], high[hyper.name]) == (hyper.low, hyper.high)
            assert middle[hyper.name] == pytest.approx(1 - ((1 - hyper.low) * (1 - hyper.high)) ** 0.5)


def test_one_latent_serves_each_optimizer_on_its_own_range() -> None:
    made = space(optimizers={"sgd": {}, "adam": {}})
    half: dict[str, Any] = {x.name: 0.5 for x in made.latents}
    assert made.config({**half, "optimizer": "sgd"})["lr"] == pytest.approx((1e-4 * 3) ** 0.5)
    assert made.config({**half, "optimizer": "adam"})["lr"] == pytest.approx((1e-5 * 0.1) ** 0.5)


def test_numbers_to_choose_from_are_equal_bins() -> None:
    made = space(train={"batch_size": [64, 16, 32]}, optimizers={"sgd": {"lr": 0.1}})
    assert made.latents == (Latent("batch_size", "float"),)
    sizes = [made.config({"batch_size": u})["batch_size"] for u in (0.0, 0.33, 0.34, 0.66, 0.67, 1.0)]
    assert sizes == [16, 16, 32, 32, 64, 64]
    assert [made.latents_of({"optimizer": "sgd", "batch_size": b})["batch_size"] for b in (16, 32, 64)] == [
        1 / 6,
        0.5,
        5 / 6,
    ]


def test_what_a_schedule_is_told_is_in_its_configs_alone() -> None:
    made = space(
        train={"schedule": ["constant", "linear", "step"], "warmup": [0.0, 0.1], "final": [0.0, 0.01], "gamma": 0.5},
        optimizers={"sgd": {"lr": 0.1}},
    )
    assert [latent.name for latent in made.latents if latent.kind == "float"] == ["batch_size", "warmup", "final"]
    told = {"warmup", "final", "gamma", "step_size", "power"}
    point = {"batch_size": 0.5, "warmup": 0.7, "final": 0.2}
    configs = {name: made.config({**point, "schedule": name}) for name in ("constant", "linear", "step")}
    assert {name: {key: config[key] for key in told & set(config)} for name, config in configs.items()} == {
        "constant": {"warmup": 0.1},
        "linear": {"warmup": 0.1, "final": 0.0},
        "step": {"warmup": 0.1, "gamma": 0.5, "step_size": 1 / 3},
    }
    assert "final" in made.latents_of(configs["linear"])
    assert "final" not in made.latents_of(configs["step"])


def test_clipping_is_a_coordinate_only_where_it_is_searched() -> None:
    made = space(train={"clip_norm": [0.0, 1.0], "batch_size": 8}, optimizers={"sgd": {"lr": 0.1}})
    assert [latent.name for latent in made.latents] == ["clip_norm"]
    assert [made.config({"clip_norm": at})["clip_norm"] for at in (0.2, 0.8)] == [0.0, 1.0]
    fixed = space(train={"clip_norm": 0.5}, optimizers={"sgd": {}})
    assert fixed.config(fixed.defaults()[0])["clip_norm"] == 0.5
    assert "clip_norm" not in space(optimizers={"sgd": {}}).config(fixed.defaults()[0])


def test_dropout_is_a_coordinate_only_where_it_is_searched() -> None:
    made = space(model={"dropout": [0.0, 0.5]}, train={"batch_size": 8}, optimizers={"sgd": {"lr": 0.1}})
    assert [latent.name for latent in made.latents] == ["dropout"]
    assert [made.config({"dropout": at})["dropout"] for at in (0.2, 0.8)] == [0.0, 0.5]
    fixed = space(model={"dropout": 0.25}, optimizers={"sgd": {}})
    assert fixed.config(fixed.defaults()[0])["dropout"] == 0.25
    assert "dropout" not in space(optimizers={"sgd": {}}).config(fixed.defaults()[0])


def test_what_hubers_loss_is_told_is_in_its_configs_alone() -> None:
    train = {"loss": ["squared_error", "huber"], "huber_delta": [0.5, 1.0], "batch_size": 8}
    made = space(train=train, optimizers={"sgd": {"lr": 0.1}})
    assert made.latents == (Latent("loss", "categorical", ("huber", "squared_error")), Latent("huber_delta", "float"))
    plain, robust = (made.config({"loss": name, "huber_delta": 0.9}) for name in ("squared_error", "huber"))
    assert (plain["loss"], robust["loss"], robust["huber_delta"]) == ("squared_error", "huber", 1.0)
    assert "huber_delta" not in plain
    assert made.latents_of(plain) == {"loss": "squared_error"}
    assert made.latents_of(robust) == {"loss": "huber", "huber_delta": 0.75}
    assert {"loss", "huber_delta"}.isdisjoint(space(optimizers={"sgd": {}}).config({"lr": 0.5, "batch_size": 0.5}))


def test_what_is_on_for_the_whole_study_is_in_every_config() -> None:
    made = space(
        train={"decay": "weights", "patience": 4, "min_delta": 0.01}, optimizers={"sgd": {"weight_decay": 0.1}}
    )
    config = made.config(made.defaults()[0])
    assert (config["decay"], config["patience"], config["min_delta"]) == ("weights", 4, 0.01)
    plain = space(optimizers={"sgd": {}})
    assert {"decay", "patience", "min_delta"}.isdisjoint(plain.config(plain.defaults()[0]))


def test_defaults_are_the_optimizers_own() -> None:
    made = space(optimizers={name: {} for name in RULES})
    configs = [made.config(point) for point in made.defaults()]
    assert [config["optimizer"] for config in configs] == list(RULES)
    for config in configs:
        row = RULES[config["optimizer"]]
        assert {name: config[name] for name in row.names} == {hyper.name: hyper.default for hyper in row.hypers}
        assert (config["batch_size"], config["hidden"], config["schedule"]) == (32, [64], "constant")


def test_defaults_go_to_the_nearest_that_is_allowed() -> None:
    made = space(
        model={"hidden": [[16], [8]]},
        train={"batch_size": [8, 100, 20]},
        optimizers={"sgd": {"lr": {"low": 1e-3, "high": 1e-2}, "weight_decay": {"low": 1e-6}}},
    )
    (point,) = made.defaults()
    config = made.config(point)
    assert (config["lr"], config["weight_decay"], config["batch_size"], config["hidden"]) == (0.01, 1e-6, 20, [8])


def test_defaults_leave_idle_latents_in_the_middle() -> None:
    made = space(study={"trials": 10}, optimizers={"sgd": {}, "momentum": {}})
    idle, used = (point["momentum"] for point in made.defaults())
    assert idle == 0.5
    assert used != 0.5


def test_a_linear_model_has_no_layers() -> None:
    made = space(model={"kind": "linear"})
    config = made.config(made.defaults()[0])
    assert config["model"] == "linear"
    assert {"hidden", "activation"}.isdisjoint(config)


def test_nothing_searched_is_one_config() -> None:
    made = space(study={"trials": 1}, train={"batch_size": 8}, optimizers={"sgd": {"lr": 0.1}})
    assert (made.latents, made.defaults()) == ((), [{}])
    assert made.config({})["lr"] == 0.1
    assert made.size == 1


@pytest.mark.parametrize(
    ("tables", "size"),
    [
        ({"train": {"batch_size": [8, 16]}, "optimizers": {"sgd": {"lr": 0.1}, "adam": {"lr": [1e-3, 1e-2]}}}, 2 + 4),
        ({"train": {"batch_size": 8, "schedule": ["constant", "cosine"]}, "optimizers": {"sgd": {"lr": 0.1}}}, 2),
        ({"train": {"batch_size": 8}, "optimizers": {"sgd": {}}}, math.inf),
    ],
)
def test_configs_are_counted_where_they_can_be(tables: dict[str, Any], size: float) -> None:
    assert space(study={"trials": 8}, **tables).size == size


def test_configs_of_ranges_with_steps_and_conditions_are_counted() -> None:
    parameters = {
        "depth": {"low": 1, "high": 4},
        "kind": ["a", "b"],
        "share": {"low": 0.0, "high": 1.0, "step": 0.25, "when": {"kind": ["b"]}},
    }
    asked = read_study(
        {"study": {"name": "own", "objective": "tests.support.custom_objectives:value"}, "parameters": parameters}
    )
    made = space_of(asked)
    assert made.size == 4 * 1 + 4 * 5


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"lr": 1.5}, r"latent lr: must lie in \[0, 1\], but got 1.5"),
        ({"lr": float("nan")}, r"latent lr: must lie in \[0, 1\], but got nan"),
        ({"lr": None}, r"latent lr: must lie in \[0, 1\], but got None"),
        ({"optimizer": "adm"}, "latent optimizer: 'adm' is not known; did you mean 'adam'?"),
    ],
)
def test_latents_out_of_bounds(change: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        EVERYTHING.config({**EVERYTHING.defaults()[0], **change})


def test_configs_of_another_study() -> None:
    made = space(model={"activation": ["relu", "tanh"]})
    with pytest.raises(InvalidInput, match="optimizer: 'sgd' is not searched; choose one of: adam"):
        made.latents_of({"optimizer": "sgd"})
    with pytest.raises(InvalidInput, match=r"activation: 'gelu' is not searched; did you mean 'relu'"):
        made.latents_of({"optimizer": "adam", "activation": "gelu"})
    assert made.latents_of({"optimizer": "adam", "lr": 1e9})["lr"] == 1


def test_a_given_value_counts_beside_what_the_study_fixes() -> None:
    """What a config leaves out decides as the study has it: `final` belongs to the cosine that nothing else is."""
    space = space_of(
        read_study(
            {
                "data": {"source": "sklearn:iris"},
                "train": {"schedule": "cosine", "final": [0.0, 0.1, 0.3]},
                "optimizers": {"adam": {}, "sgd": {}},
            }
        )
    )
    given = {"optimizer": "adam", "lr": 0.003, "final": 0.3}
    assert space.problems_of(given) == []
    config = space.config(space.completed(space.latents_of(given)))
    assert (config["final"], config["schedule"], config["lr"]) == (0.3, "cosine", 0.003)
    whole = space.config(space.completed({}) | {"optimizer": "sgd"})
    assert space.problems_of(whole) == []  # a config that the study made itself
    assert space.config(space.completed(space.latents_of(whole))) == whole
