"""What a table may hide is said, with the line that mends it; a table that hides nothing has nothing said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives.data import SplitSpec, table_from
from objectives.data.suspicions import MOST

N = 400
RNG = np.random.default_rng(2)
A, B = RNG.normal(size=(2, N))
Y = (A + RNG.normal(size=N) > 0).astype(int)
DAYS = pd.date_range("2021-03-01", periods=N, freq="7h")
GAPS = np.where(np.arange(N) % 8 == 0, -9999.0, 20 + B)


def said(y: Any = Y, split: SplitSpec | None = None, **columns: Any) -> list[str]:
    split = split or SplitSpec()
    return list(table_from(pd.DataFrame({"a": A, "b": B, **columns}), y, split=split).inferred[1:])


def test_nothing_is_said_of_a_table_that_hides_nothing() -> None:
    assert said() == []
    assert said(A + B) == []
    assert said(flag=RNG.integers(0, 2, N), level=RNG.integers(-1, 4, N)) == []


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"temp": GAPS}, "column 'temp': -9999 in 50 rows seems to stand for a gap; if so write [data] missing"),
        ({"temp": np.where(GAPS < 0, 999, 5 * B)}, "column 'temp': 999 in 50 rows seems to stand for a gap"),
        ({"alive": np.where(Y, "yes", "no")}, "column 'alive' gives the target away: unless it is known before"),
        ({"patient": np.arange(N) // 5}, "column 'patient' repeats: rows of one patient are in train and valid"),
        ({"day": DAYS}, "rows are in order of 'day', and a random split mixes past and future; [data] split"),
    ],
)
def test_what_a_column_may_hide(columns: dict[str, Any], words: str) -> None:
    assert words in "\n".join(said(**columns))


def test_a_sum_that_gives_a_regression_away() -> None:
    assert "column 'total' gives the target away" in "\n".join(said(A * 3 + 2, total=A * 6))


def test_what_the_target_may_hide() -> None:
    rare = (np.arange(N) % 100 == 0).astype(int)
    assert "target: only 0.01 of the rows are '1', so a constant has accuracy 0.99" in "\n".join(said(rare))
    assert "for grades write [data] task = 'regression', for counts [train] loss = 'poisson'" in "\n".join(
        said(np.arange(N) % 7)
    )


def test_rows_that_occur_several_times() -> None:
    frame = pd.DataFrame({"a": A, "b": B}).iloc[np.arange(N) // 2]
    assert "200 rows occur more than once" in "\n".join(table_from(frame, Y[np.arange(N) // 2]).inferred)


def test_a_split_that_answers_a_suspicion_silences_it() -> None:
    patient = np.arange(N) // 5
    assert said(patient=patient, split=SplitSpec(group="patient")) == []
    assert said(day=DAYS, split=SplitSpec(order="day")) == []


def test_no_more_is_said_than_a_person_reads() -> None:
    found = said(**{f"alive{i}": np.where(Y, "yes", "no") for i in range(20)})
    assert len([line for line in found if "gives the target away" in line]) == MOST
    assert "12 more such remarks" in found
