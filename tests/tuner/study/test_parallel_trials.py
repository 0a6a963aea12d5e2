"""How many trials of one's own code are open at once: by default, as a file says it, and in studies of before."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.errors import StudyError
from tuner.search import generation_size, lag_of, repeated
from tuner.study import Study, read_study


def asked(workers: dict[str, Any] | None = None, batched: int = 1, **search: Any) -> Study:
    tables: dict[str, Any] = {
        "study": {"name": "s", "trials": 40, "objective": "json:loads", "batched": batched, "minimize": "loss"},
        "train": {"epochs": 27},
        "parameters": {"x": {"low": 0.0, "high": 1.0}},
        "search": search,
    }
    return read_study(tables | ({"workers": workers} if workers else {}))


def test_code_of_ones_own_is_proposed_one_by_one() -> None:
    study = asked()
    assert (study.search.parallel, study.search.sampler, study.search.random_share) == (4, "auto", 0.0)
    assert (generation_size(study, 0), lag_of(study)) == (1, 3)
    assert 0 < repeated(study) < 0.3
    assert (lag_of(asked(parallel=1)), asked(sampler="tpe").search.random_share) == (0, 1 / 3)
    eight = {"devices": [f"cuda:{i}" for i in range(8)]}
    assert (asked(eight).search.parallel, asked(eight, pruner="none").search.parallel) == (32, 16)


def test_what_was_asked_for_is_stored_and_read_back() -> None:
    for study in (asked(), asked(parallel=7), asked(generation_size=8), asked(lag=2), asked(batched=4)):
        again = read_study(study.to_table())
        assert again.search == study.search
        assert (again.search.parallel is None) != (study.search.parallel is not None)
    assert {"generation_size", "lag"}.isdisjoint(asked().to_table()["search"])


def test_a_study_that_was_begun_with_generations_keeps_them() -> None:
    """As studies were stored before trials were proposed one by one."""
    stored = asked().to_table()
    stored["search"] = {"sampler": "tpe", "pruner": "halving", "allocation": "best", "generation_size": 32}
    stored["search"] |= {"reduction": 4, "random_share": 1 / 3, "grid_points": 5}
    study = read_study(stored, ran=True)
    assert (study.search.parallel, study.search.sampler) == (None, "tpe")
    assert (generation_size(study, 0), lag_of(study)) == (32, 1)
    assert study.to_table()["search"] == stored["search"]


@pytest.mark.parametrize(
    ("search", "batched", "said"),
    [
        ({"parallel": 4, "generation_size": 8}, 1, r"search\.generation_size: does not go with parallel"),
        ({"parallel": 4, "lag": 2}, 1, r"search\.lag: does not go with parallel"),
        ({"parallel": 4}, 8, r"search\.parallel: does not go with batched.*generation_size"),
        ({"parallel": 0}, 1, r"search\.parallel: must be at least 1"),
    ],
)
def test_what_does_not_go_together_is_refused(search: dict[str, Any], batched: int, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        asked(batched=batched, **search)


def test_the_core_trains_in_packs() -> None:
    tables = {"data": {"source": "sklearn:iris"}, "optimizers": {"sgd": {}}, "search": {"parallel": 4}}
    with pytest.raises(
        StudyError, match=r"search\.parallel: belongs to an objective of your own; write generation_size"
    ):
        read_study(tables)
