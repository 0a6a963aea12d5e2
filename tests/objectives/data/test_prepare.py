"""Prepared parts: standardised on train rows only, as scikit-learn would, digested, and kept on disk unchanged."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from objectives.data import Prepared, SplitSpec, open_prepared, prepare, save_prepared, table_from
from objectives.data.fit import standard
from objectives.data.matrix import Matrix
from objectives.errors import DataError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(90, 4)) * [1, 10, 1e-3, 100] + [0, 5, 1, -300]
LABELS = np.repeat(["a", "b", "c"], 30)


def _ready(x: Any = X, y: Any = LABELS, split: SplitSpec | None = None, **options: Any) -> Prepared:
    split = split or SplitSpec()
    return prepare(table_from(x, y, split=split, task=options.pop("task", None)), split, 0, **options)


@given(arrays(np.float64, (12, 3), elements=st.floats(-1e6, 1e6)))
def test_moments_are_those_of_standard_scaler(train: Any) -> None:
    mean, scale = standard(*Matrix(train).moments(np.arange(len(train))), len(train))
    theirs = StandardScaler().fit(train)
    np.testing.assert_allclose(mean, theirs.mean_, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(scale, theirs.scale_, rtol=1e-6, atol=1e-12)


def test_parts_equal_scikit_learn_fitted_on_the_train_rows() -> None:
    column = np.resize([0, 0, 0, 1, 2], 90)
    frame = pd.DataFrame(X, columns=list("pqrs")).assign(part=column)
    ready = _ready(frame, LABELS, SplitSpec(column="part"), dtype="float64")
    scaler = StandardScaler().fit(X[column == 0])
    for code, part in enumerate((ready.train, ready.valid, ready.test)):
        np.testing.assert_allclose(part.x[:, :-1], scaler.transform(X[column == code]), rtol=1e-12, atol=1e-12)
        assert (part.x[:, -1] == 1).all()
    assert ready.features == tuple("pqrs")


def test_the_mixed_path_gives_the_numbers_of_the_plain_one() -> None:
    frame = pd.DataFrame(X, columns=list("pqrs"))
    plain = _ready(frame, dtype="float64")
    mixed = _ready(frame.assign(colour=np.resize(["red", "blue"], 90)), dtype="float64")
    assert mixed.features == ("p", "q", "r", "s", "colour=blue", "colour=red")
    np.testing.assert_allclose(mixed.train.x[:, :4], plain.train.x[:, :4], rtol=1e-12, atol=1e-12)
    assert "texts, one-hot by category: colour (2)" in mixed.inferred


def test_missing_numbers_are_the_median_of_the_train_rows() -> None:
    part = np.array(["train"] * 5 + ["valid"] * 3 + ["test"] * 3)
    x = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, np.nan, 1e6, 1e6, 9, 9, 9], "part": part})
    y = np.array([0.1, 1.3, 0.2, 0.3, 1.1, 0.7, 1.9, 0.5, 1.7, 0.4, 1.2])
    ready = _ready(x, y, SplitSpec(column="part"))
    assert ready.valid.x[0, 0] == 0.0  # the mean of 1..5 is its median
    assert "1 of 1 columns have missing numbers: the median of the train rows" in ready.inferred


def test_a_category_that_no_train_row_has_is_ignored_but_keeps_its_column() -> None:
    x = pd.DataFrame({"colour": ["r", "g", "r", "g", "new", "r", None, "g"], "part": [0, 0, 0, 0, 1, 1, 2, 2]})
    ready = _ready(x, np.array([0.1, 1.2, 3.3, 2.2, 1.1, 0.2, 4.4, 1.5]), SplitSpec(column="part"))
    assert ready.features == ("colour=(missing)", "colour=g", "colour=new", "colour=r")
    assert ready.valid.x[0].tolist() == [0, 0, 0, 0, 1]
    assert ready.test.x[0].tolist() == [0, 0, 0, 0, 1]


def test_replicates_of_a_mixed_table_have_the_same_shapes() -> None:
    x = pd.DataFrame({"n": np.arange(60.0), "t": ["rare", *(["a", "b"] * 30)[:59]]})
    table = table_from(x, np.resize([0, 1, 1], 60))
    ready = [prepare(table, SplitSpec(), 0, replicate) for replicate in range(4)]
    assert len({(r.train.x.shape, r.valid.x.shape, r.test.x.shape, r.features) for r in ready}) == 1
    assert len({r.digest for r in ready}) == 4


def test_a_constant_column_has_scale_one() -> None:
    ready = _ready(np.column_stack([X, np.full(90, 0.1)]))
    assert np.abs(ready.train.x[:, 4]).max() < 1e-6


def test_targets_by_task() -> None:
    many = _ready()
    assert many.classes == ("a", "b", "c")
    assert many.train.y.shape == (54, 3)
    assert (many.train.y.sum(axis=1) == 1).all()
    two = _ready(y=LABELS != "c")
    assert two.task == "binary"
    assert set(two.train.y.ravel()) == {0, 1}
    soft = _ready(y=LABELS != "c", task="multiclass")
    assert soft.train.y.shape[1] == 2
    real = _ready(y=X[:, 1] * 7 + 3, dtype="float64")
    assert real.task == "regression"
    back = np.concatenate([p.y for p in (real.train, real.valid, real.test)]) * real.y_scale + real.y_mean
    np.testing.assert_allclose(np.sort(back[:, 0]), np.sort(X[:, 1] * 7 + 3))
    assert abs(real.train.y.mean()) < 1e-12
    several = _ready(y=X[:, :2])
    assert several.train.y.shape[1] == 2


def test_outliers_outside_the_train_rows_do_not_move_them() -> None:
    part = np.resize([0, 0, 0, 1, 2], 90)
    moved = X.copy()
    moved[part > 0] *= 1000
    frames = [pd.DataFrame(x).assign(part=part) for x in (X, moved)]
    here, there = (_ready(frame, split=SplitSpec(column="part")) for frame in frames)
    np.testing.assert_array_equal(here.train.x, there.train.x)


def test_digest_is_of_the_data() -> None:
    assert _ready().digest == _ready(x=np.asfortranarray(X).astype(">f8")).digest
    others = [_ready(x=X + X**2), _ready(dtype="float64"), _ready(replicate=1), _ready(y=np.char.upper(LABELS))]
    assert len({other.digest for other in others} | {_ready().digest}) == 5


def test_arrays_are_contiguous_typed_and_read_only() -> None:
    for dtype in ("float32", "float64"):
        ready = _ready(dtype=dtype)
        for part in (ready.train, ready.valid, ready.test):
            for array in (part.x, part.y):
                assert array.dtype == dtype
                assert array.flags.c_contiguous
                assert not array.flags.writeable
            assert len(part) == len(part.y)
    with pytest.raises(ValueError, match="dtype must be one of float32, float64, but got 'float16'"):
        _ready(dtype="float16")


def test_numbers_too_large_are_complained_about_not_overflowed() -> None:
    x = np.column_stack([np.resize([1e300, -1e300, 3e307], 90), X])
    with pytest.raises(DataError, match="column 'x0': values too large for float32"):
        _ready(x)


def test_round_trip_through_the_disk(tmp_path: Path) -> None:
    ready = _ready(pd.DataFrame(X).assign(t=np.resize(["ä", "b"], 90)))
    save_prepared(ready, tmp_path / "cache" / "data")
    opened = open_prepared(tmp_path / "cache" / "data")
    for name in ("task", "features", "classes", "digest", "inferred"):
        assert getattr(opened, name) == getattr(ready, name)
    for part in ("train", "valid", "test"):
        for axis in ("x", "y"):
            array = getattr(getattr(opened, part), axis)
            np.testing.assert_array_equal(array, getattr(getattr(ready, part), axis))
            assert not array.flags.writeable
    np.testing.assert_array_equal(opened.y_scale, ready.y_scale)
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["data"]
    assert pickle.loads(pickle.dumps(opened)).digest == ready.digest


def test_saving_again_replaces_other_data_and_keeps_the_same(tmp_path: Path) -> None:
    place = tmp_path / "data"
    save_prepared(_ready(), place)
    before = (place / "train_x.npy").stat().st_ino
    save_prepared(_ready(), place)
    assert (place / "train_x.npy").stat().st_ino == before
    save_prepared(_ready(replicate=1), place)
    assert open_prepared(place).digest == _ready(replicate=1).digest
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("name", ["prepared.json", "train_x.npy", "y_mean.npy"])
@pytest.mark.parametrize("keep", [0, 60, None])
def test_a_damaged_directory_is_named_and_can_be_written_again(tmp_path: Path, name: str, keep: int | None) -> None:
    save_prepared(_ready(), tmp_path / "data")
    file = tmp_path / "data" / name
    if keep is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"data: no prepared data, or damaged .*remove the directory"):
        open_prepared(tmp_path / "data")
    save_prepared(_ready(), tmp_path / "data")
    assert open_prepared(tmp_path / "data").digest == _ready().digest


def test_constant_columns_are_named_and_a_table_of_nothing_else_is_refused() -> None:
    x = np.column_stack([X[:, 0], np.full(90, 7.0), X[:, 1], np.zeros(90)])
    assert "constant on the train rows, 2 of 4 columns: x1, x3" in _ready(x).inferred
    assert not any("constant" in said for said in _ready().inferred)
    frame = pd.DataFrame({"a": X[:, 0], "b": "same", "c": [1.0, np.nan] * 45})
    assert "constant on the train rows, 2 of 3 columns: c, b=same" in _ready(frame).inferred
    with pytest.raises(DataError, match="data: every column is constant on the train rows: there is nothing to learn"):
        _ready(np.ones((90, 2)))
    with pytest.raises(DataError, match="every column is constant on the train rows"):
        _ready(pd.DataFrame({"b": ["same"] * 90}))


def test_a_column_that_varies_elsewhere_only_is_constant_to_training() -> None:
    order = np.arange(90)
    x = np.column_stack([X[:, 0], order > 70, order])
    said = _ready(x, np.resize(["a", "b"], 90), SplitSpec(order="x2")).inferred
    assert "constant on the train rows, 1 of 2 columns: x1" in said


def test_values_too_large_of_both_signs_make_no_warning() -> None:
    x = np.column_stack([np.resize([1e300, -1e300, 3e307], 90), X])
    x[::2, 0] = 1.0
    with pytest.raises(DataError, match="column 'x0': values too large for float32"):
        _ready(x)
