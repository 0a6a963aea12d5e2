"""Numbers that only another division of the rows could not standardise are told before the first one trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives import DataError
from objectives.data import load_table, table_from
from objectives.data.reach import check_reach, worst_reach


def table(outlier: float, where: str = "x", frame: bool = False) -> Any:
    """Sixty rows of which one has a number far out, in a column or in the target."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 2)), rng.standard_normal(60)
    if where == "x":
        x[5, 1] = outlier
    else:
        y[5] = outlier
    columns = pd.DataFrame(x, columns=["a", "b"]).assign(c=["u", "v"] * 30) if frame else x
    return table_from(columns, y, task="regression")


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("where", ["x", "y"])
def test_a_number_that_some_division_cannot_standardise_is_named(where: str, frame: bool) -> None:
    named = "target" if where == "y" else r"column '(b|x1)'"
    for sign in (1, -1):
        with pytest.raises(DataError, match=rf"{named}: {sign}e\+99 is too large for float32 beside the others"):
            check_reach(table(sign * 1e99, where, frame), 36, "float32")
    check_reach(table(1e99, where, frame), 36, "float64")
    check_reach(table(1e30, where, frame), 36, "float32")
    with pytest.raises(DataError, match="too large for float64"):
        check_reach(table(1e308, where, frame), 36, "float64") if where == "y" else check_reach(
            table(1.7e308, where, frame), 36, "float64"
        )


def test_the_worst_division_is_of_the_rows_that_lie_closest() -> None:
    values = np.array([10.0, 0.0, 1.0, 2.0, -50.0])
    near = np.array([0.0, 1.0, 2.0])
    assert worst_reach(values, 3) == pytest.approx((50 + near.mean()) / near.std())
    assert worst_reach(np.array([1.0, 1.0, 1.0, 1e9]), 3) == pytest.approx(1e9 - 1)  # the scale of a constant is 1
    assert worst_reach(np.array([1e99, -1e99, 0.0, 1.0]), 9) < 2.0


def test_bytes_are_no_groups(tmp_path: Any) -> None:
    frame = pd.DataFrame({"x": np.arange(40.0), "who": [bytes([i % 5 + 250]) for i in range(40)], "y": [0, 1] * 20})
    frame.to_parquet(tmp_path / "rows.parquet")
    from objectives.data import SplitSpec

    with pytest.raises(DataError, match="column 'who': holds values of type bytes; use numbers or texts"):
        load_table("rows.parquet", "y", base=tmp_path, split=SplitSpec(group="who"))
