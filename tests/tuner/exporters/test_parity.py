"""The proof: what an exported object trains ends where the core ends, or the difference is named and real."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from objectives.optimizers import FRAMEWORKS, OPTIMIZERS
from tests.tuner.exporters.runs import RUNS, Array, Config, config_of, core, problem, start

EXACT = {"rtol": 1e-9, "atol": 1e-9}
PAIRS = [
    (name, framework) for name, row in OPTIMIZERS.items() for framework in FRAMEWORKS if framework in row.frameworks
]


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """torch keeps nadam's product of momenta in its default dtype, whatever the weights'."""
    if "torch" in sys.modules:
        import torch

        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)
    else:
        yield


def member(name: str, source: str, target: str, **values: Any) -> Config:
    """An optimizer as `source` has it, with a schedule after a warmup where `target` may have one."""
    moving = {} if target == "sklearn" else {"schedule": "cosine", "warmup": 0.1, "final": 0.01}
    own = {key: value for key, value in OPTIMIZERS[name].frameworks[source].fixed.items() if key != "weight_decay"}
    buffer = {"momentum": 0.9} if name == "rmsprop" else {}
    rate = {"lr": 1.0} if name == "adadelta" else {}
    return config_of(name, source, **{**moving, **own, **buffer, **rate, **values})


def assert_same(config: Config, target: str, hidden: tuple[int, ...] = (16,)) -> Array:
    whole = problem(hidden)
    ours, theirs = core(config, whole), RUNS[target](config, whole)
    assert np.abs(ours - start(config, whole)).max() > 1e-3
    np.testing.assert_allclose(theirs, ours, **EXACT)
    return np.abs(theirs - ours)


@pytest.mark.parametrize(("name", "framework"), PAIRS)
def test_what_was_tuned_for_a_framework_is_exact_there(name, framework):
    assert_same(member(name, framework, framework), framework)
