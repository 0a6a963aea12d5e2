from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.browser import Browser, browser, why_not
from tests.support.planted_studies import changed_study, ended, pruned, reconfigured, sound, written
from tuner.result import Result


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if reason := why_not():
        pytest.skip(reason)
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A study with something of everything: two optimizers; pruned, diverged and failed trials."""
    trials = sound()
    for i in range(3, 50, 3):
        trials[i] = pruned(trials[i])
    for i in (4, 22):
        trials[i] = ended(reconfigured(trials[i], lr=2.0), "diverged")
    trials[10] = ended(trials[10], "failed", "MemoryError: no room\nTraceback")
    for i, trial in enumerate(trials):
        share = (i * 0.618) % 1
        rate = 10 ** (-3.5 + 3 * share)
        momentum = 1 - 0.5 * 0.02 ** ((i * 0.382) % 1)
        name = "momentum" if i % 2 == 0 else "beta1"
        batch = (16, 32, 64)[i % 3]
        latents = trial.latents | {"lr": share, "batch_size": (i % 3 + 0.5) / 3}
        trials[i] = replace(reconfigured(trial, lr=rate, batch_size=batch, **{name: momentum}), latents=latents)
    study = changed_study(train={"batch_size": [16, 32, 64]})
    return written(tmp_path_factory.mktemp("home"), trials, study=study, name="varied")


@pytest.fixture(scope="session")
def varied_page(varied: Result) -> Path:
    return varied.report()
