"""Baselines: what each is made with, wherever the task runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from tests.support.problems import Sizes, prepared
from tuner.trainables.builtin import baselines as module
from tuner.trainables.builtin.packs import ReplicateSource

threads: list[set[int]] = []


class Watched(DummyClassifier):
    """Notes how many threads each library may use while it is fitted."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Watched:
        threads.append({library["num_threads"] for library in threadpool_info()})
        super().fit(X, y, sample_weight)
        return self


def test_a_baseline_has_one_thread_even_where_its_library_was_loaded_by_the_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "opened", lambda directory: prepared(Sizes(train=60)))
    monkeypatch.setitem(module.BASELINES, "constant", (__name__, "Watched", "Watched", {}))
    threads.clear()
    with threadpool_limits(2):
        found = module.baselines(ReplicateSource(tmp_path, 0, 0))
    assert threads == [{1}]
    assert list(found) == ["constant", "LogisticRegression", "HistGradientBoosting"]
    assert all(np.isfinite(metrics["test_loss"]["value"]) for metrics in found.values())
