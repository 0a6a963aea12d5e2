"""The text of a csv file is what pandas writes, letter for letter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.model.csv_text import csv_text

COLUMNS = st.sampled_from(
    [
        np.array([0.1, -0.0, 1e-300]),
        np.array([1e16, 123456789.125, np.inf]),
        np.array([0.1, np.nan, 1e22]),
        np.array([0.1, 2.5, 1e-5], dtype=np.float32),
        np.array([1, -2, 3]),
        np.array([True, False, True]),
        np.array(["a", "b c", "d"], dtype=object),
        np.array(["a", None, ""], dtype=object),
        np.array(["a, b", 'say "no"', "two\nlines"], dtype=object),
        np.array(["2024-05-31", "2024-06-01", "NaT"], dtype="datetime64[s]"),
        pd.Categorical(["x", None, "x"]),
    ]
)


@given(columns=st.lists(COLUMNS, min_size=1, max_size=4), header=st.booleans())
def test_any_frame_is_written_as_pandas_writes_it(columns: list[np.ndarray], header: bool) -> None:
    frame = pd.DataFrame({f"column, {i}": column for i, column in enumerate(columns)})
    assert csv_text(frame, header) == frame.to_csv(index=False, header=header, lineterminator="\n")


@pytest.mark.parametrize("names", [["prediction"], ["id", "p_a, b"]])
def test_floats_have_the_digits_that_pandas_gives_them(names: list[str]) -> None:
    bits = np.random.default_rng(0).integers(0, 2**63, (5000, len(names)))
    values = bits.view(np.float64)
    frame = pd.DataFrame(np.where(np.isnan(values), 0.0, values), columns=names)
    assert csv_text(frame, header=True) == frame.to_csv(index=False, lineterminator="\n")
