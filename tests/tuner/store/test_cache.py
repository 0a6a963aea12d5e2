"""Memo: what was put is found again, bit for bit; whatever else lies there is a miss."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tuner.store.cache import Memo

ARRAYS: dict[str, Any] = {"file": np.arange(6.0).reshape(2, 3), "slots": np.zeros((0, 2), np.float32)}
CAP = 1 << 20


def same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.text(),
    arrays=st.dictionaries(
        st.text(max_size=8),
        hnp.arrays(st.sampled_from(["f4", "f8", "i8", "?"]), hnp.array_shapes(min_dims=0, min_side=0)),
        max_size=4,
    ),
    number=st.floats(),
)
def test_what_was_put_comes_back(key: str, arrays: dict[str, Any], number: float, tmp_path: Path) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:
        key = repr(key)
    memo = Memo(tmp_path, CAP)
    assert memo.put(key, arrays, {"n": number, "names": ["a"]})
    found = Memo(tmp_path, CAP).get(key)
    assert found is not None
    assert list(found[0]) == list(arrays)
    assert all(same(found[0][name], array) for name, array in arrays.items())
    assert found[1]["n"] == number or math.isnan(number)
    assert found[1]["names"] == ["a"]


def test_unknown_keys_are_misses(tmp_path: Path) -> None:
    assert Memo(tmp_path / "none", CAP).get("a") is None
    memo = Memo(tmp_path, CAP)
    memo.put("a", ARRAYS, {})
    assert memo.get("b") is None


def test_putting_again_replaces(tmp_path: Path) -> None:
    memo = Memo(tmp_path, CAP)
    memo.put("a", ARRAYS, {"n": 1})
    memo.put("a", {}, {"n": 2})
    assert memo.get("a") == ({}, {"n": 2})
    assert len(list(tmp_path.iterdir())) == 1


def test_a_torn_or_changed_file_is_a_miss_or_right(tmp_path: Path) -> None:
    memo = Memo(tmp_path, CAP)
    memo.put("a", ARRAYS, {"n": 1})
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    torn = [whole[:size] for size in rng.integers(len(whole), size=60)]
    flipped = [bytearray(whole) for _ in range(200)]
    for copy in flipped:
        copy[rng.integers(len(copy))] ^= 1 << int(rng.integers(8))
    for content in [*torn, *flipped, b"", b"PK\x03\x04", b"\x80\x04N.", b"\x93NUMPY"]:
        path.write_bytes(content)
        found = memo.get("a")
        assert found is None or (found[1] == {"n": 1} and all(same(found[0][n], ARRAYS[n]) for n in ARRAYS))
    path.unlink()
    path.mkdir()
    assert memo.get("a") is None


def test_another_key_in_its_place_is_a_miss(tmp_path: Path) -> None:
    memo = Memo(tmp_path, CAP)
    memo.put("a", ARRAYS, {})
    (a,) = tmp_path.iterdir()
    memo.put("b", ARRAYS, {})
    (b,) = set(tmp_path.iterdir()) - {a}
    a.replace(b)
    assert memo.get("b") is None


def test_objects_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    memo = Memo(tmp_path, CAP)
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        memo.put("a", {"x": np.array([{}])}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_full_memo_keeps_what_it_has(tmp_path: Path) -> None:
    memo, array = Memo(tmp_path, 4000), {"x": np.zeros(200)}
    assert memo.put("a", array, {})
    assert memo.put("b", array, {})
    assert not memo.put("c", array, {})
    assert memo.put("a", array, {"again": True})
    assert not Memo(tmp_path, 4000).put("c", array, {})
    assert memo.get("a") is not None
    assert memo.get("c") is None


def test_the_cap_holds_for_all_workers_together(tmp_path: Path) -> None:
    memos = [Memo(tmp_path, 4000) for _ in range(4)]  # each made before any of them has put something
    assert [memo.put(f"{i}", {"x": np.zeros(200)}, {}) for i, memo in enumerate(memos)] == [True, True, False, False]


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memo = Memo(tmp_path / "file", CAP)
    assert not memo.put("a", ARRAYS, {})
    assert memo.get("a") is None


def test_a_clock_before_the_first_year_of_a_zip_file_hinders_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 86400.0)
    memo = Memo(tmp_path, 10**6)
    assert memo.put("key", {"a": np.arange(3)}, {})
    found = memo.get("key")
    assert found is not None
    assert found[0]["a"].tolist() == [0, 1, 2]
