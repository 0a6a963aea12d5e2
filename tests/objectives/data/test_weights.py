"""A column of weights: read, scaled to a mean of one in each part, refused by its rows where it says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from objectives.data import (
    SplitSpec,
    Table,
    load_table,
    open_prepared,
    prepare,
    prepare_on_disk,
    prepare_whole,
    table_from,
)
from objectives.data.overview import ColumnView
from objectives.data.reading import Reading
from objectives.data.splits import divide
from objectives.errors import DataError
from tests.support.problems import same_bits

N = 40


def frame(weights: Any = None) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    whole = pd.DataFrame({"a": rng.normal(size=N), "y": rng.normal(size=N)})
    return whole.assign(kg=rng.integers(1, 9, N).astype(float) if weights is None else weights)


def table(data: pd.DataFrame | None = None, **asked: Any) -> Table:
    return table_from(frame() if data is None else data, target="y", weight="kg", **asked)


def test_each_part_has_its_own_weights_with_a_mean_of_one(tmp_path: Path) -> None:
    data, split = frame(), SplitSpec()
    whole = table()
    assert whole.features == ("a",)
    assert "kg" in whole.aside
    made, division = prepare(whole, seed=3), divide(whole.rows, split, 3)
    for name in ("train", "valid", "test"):
        part, own = getattr(made, name), data["kg"].to_numpy()[getattr(division, name)]
        np.testing.assert_allclose(part.weights[:, 0], own / own.mean(), rtol=1e-14)
        assert part.weights.dtype == np.float64
    kept = prepare_on_disk(whole, split, 3, 0, "float32", tmp_path)
    assert kept.digest == made.digest != prepare(table_from(data.drop(columns="kg"), target="y"), seed=3).digest
    stored = open_prepared(next(tmp_path.iterdir())).train.weights
    assert stored is not None
    assert made.train.weights is not None
    assert same_bits(stored, made.train.weights)
    everyone = prepare_whole(whole, split, 3, "float32")[0].train.weights
    assert everyone is not None
    assert everyone.mean() == pytest.approx(1)


def test_check_says_what_weights_are_worth() -> None:
    counts = np.r_[np.zeros(4), np.ones(18), np.full(18, 3.0)]
    said = "rows count by column 'kg', from 0 to 3, 0 in 4 rows: as sure as 29 of 40 rows that count alike"
    assert said in table(frame(counts)).inferred
    assert round(counts.sum() ** 2 / (counts**2).sum()) == 29


def test_weights_beside_an_array_need_its_length(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "t.npz", X=rng.normal(size=(N, 2)), y=rng.normal(size=N), w=np.ones(N - 1), kg=np.ones(N))
    whole = load_table("t.npz", base=tmp_path, weight="kg")
    assert whole.weights is not None
    with pytest.raises(DataError, match=f"column 'w': has {N - 1} values for {N} rows; give one weight for each row"):
        load_table("t.npz", base=tmp_path, weight="w")


def test_only_ratios_of_weights_matter() -> None:
    digests = {prepare(table(frame(frame()["kg"] * factor))).digest for factor in (1, 2.0**60)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ([2, 5], -1.5, r"column 'kg': weights are negative in rows 3, 6, as low as -1\.5; a weight is 0 or more"),
        ([7], np.nan, r"column 'kg': weights are missing in row 8; fill it in, write 0 where a row is not to count"),
        ([0], np.inf, "column 'kg': weights are infinite in row 1; correct them"),
        (list(range(N)), 0.0, "column 'kg': all weights are 0; name another column"),
        ([3], "heavy", r"column 'kg': 'heavy' in row 4, where all others are numbers"),
    ],
)
def test_weights_that_are_none_are_refused_by_their_rows(place: list[int], value: Any, said: str) -> None:
    column = frame()["kg"].astype(object)
    column.iloc[place] = value
    data = frame(column.astype(str) if isinstance(value, str) else column.astype(float))
    with pytest.raises(DataError, match=said):
        table(data)


def test_columns_that_cannot_weigh_are_refused() -> None:
    with pytest.raises(DataError, match="weights must be numbers, but one is 'a'; name another column"):
        table(frame(["a", "b"] * (N // 2)))
    with pytest.raises(DataError, match=r"no column 'kgs' for the weight; did you mean 'kg'\?"):
        table_from(frame(), target="y", weight="kgs")
    with pytest.raises(DataError, match="column 'y' is target and weight"):
        table_from(frame(), target="y", weight="y")
    zeros = np.r_[1.0, np.zeros(N - 1)]
    with pytest.raises(DataError, match=r"all \d+ \w+ rows of a split have the weight 0; give split\.\w+ more rows"):
        prepare(table(frame(zeros)))


def test_the_line_of_the_file_is_named_as_editors_count(tmp_path: Path) -> None:
    data = frame()
    data.loc[[2, 5], "kg"] = -1
    data.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=r"negative in rows 3, 6 \(line 4 of the file, the first\), as low as -1"):
        load_table("t.csv", "y", base=tmp_path, weight="kg")
    # where lines are left out, the row alone is named
    (tmp_path / "t.csv").write_text("# made by us\n" + data.drop(index=5).to_csv(index=False), encoding="utf-8")
    with pytest.raises(DataError, match="negative in row 3, as low"):
        load_table("t.csv", "y", base=tmp_path, weight="kg")


def test_weights_are_read_as_people_write_them() -> None:
    texts = table(frame([f"{value:g},5 kg" for value in frame()["kg"]]))
    assert texts.weights is not None
    np.testing.assert_allclose(texts.weights, frame()["kg"] + 0.5)


def test_rows_without_a_target_need_no_weight() -> None:
    data = frame()
    data.loc[[1, 4], "y"] = np.nan
    data.loc[1, "kg"] = np.nan
    whole = table(data, reading=Reading(unlabelled="drop", look=True))
    assert whole.weights is not None
    np.testing.assert_array_equal(whole.weights, data["kg"].drop(index=[1, 4]))
    views: dict[str, ColumnView] = {view.name: view for view in whole.overview}
    assert views["kg"].use == "weight of the row"
    data.loc[5, "kg"] = -1
    with pytest.raises(DataError, match="negative in row 6"):
        table(data, reading=Reading(unlabelled="drop"))
