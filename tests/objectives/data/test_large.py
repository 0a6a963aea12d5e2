"""Large tables are read and prepared a stretch at a time: the same numbers, in memory that does not grow with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objectives.data import SplitSpec, load_table, matrix, open_prepared, place_in, prepare, prepare_on_disk
from objectives.data.matrix import Matrix, release

RNG = np.random.default_rng(3)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 41), st.sampled_from(["f4", "f8", "i2", "?"]), st.data())
def test_moments_have_the_bits_of_one_array_wherever_it_is_cut(rows, columns, stretch, dtype, data):
    values = (RNG.normal(size=(rows, columns)) * 100).astype(dtype)
    kept = data.draw(st.permutations(range(columns)))[: data.draw(st.integers(1, columns))]
    some = np.flatnonzero(RNG.random(rows) < 0.7) if rows > 1 else np.arange(rows)
    some = some if len(some) else np.arange(rows)
    with patch.object(matrix, "STRETCH", 8 * columns * stretch):
        mean, variance = Matrix(values, kept).moments(some)
    whole = np.ascontiguousarray(values[some][:, kept], dtype=np.float64)
    assert mean.tobytes() == whole.mean(axis=0).tobytes()
    assert variance.tobytes() == whole.var(axis=0).tobytes()


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_what_is_prepared_on_disk_is_what_is_prepared_in_memory(tmp_path, task):
    x = RNG.normal(size=(500, 4)).astype("float32")
    x[:, 1] = np.digitize(x[:, 0], (-0.5, 0.5))
    np.save(tmp_path / "x.npy", x)
    table = load_table("x.npy", 1, base=tmp_path, task=task)
    ready = prepare(table, SplitSpec(), 1, 2)
    with patch.object(matrix, "STRETCH", 2000):
        stored = prepare_on_disk(table, SplitSpec(), 1, 2, "float32", tmp_path / "cache")
    assert stored.digest == ready.digest
    assert stored.inferred == ready.inferred
    for mine, theirs in zip(
        (stored.train, stored.valid, stored.test), (ready.train, ready.valid, ready.test), strict=True
    ):
        assert mine.x.tobytes() == theirs.x.tobytes()
        assert mine.y.tobytes() == theirs.y.tobytes()
    assert open_prepared(place_in(tmp_path / "cache", ready.digest)).digest == ready.digest
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [ready.digest[:16]]


def test_released_pages_hold_what_was_written(tmp_path):
    array = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.dtype("f8"), (1000, 10))
    array[...] = 1.5
    release(array[3:])
    assert (array == 1.5).all()
    release(np.ones(3))


TRAINS = """
import sys
from pathlib import Path
from objectives import Model, Problem, Replicate, descend, load_table
from objectives.data import SplitSpec, prepare_on_disk

def memory(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key))

folder = Path(sys.argv[1])
table = load_table("x.npy", -1, base=folder, task="multiclass")
data = prepare_on_disk(table, SplitSpec(), 0, 0, "float32", folder)
prepared = memory("VmHWM:")
problem = Problem((Replicate(0, 0, data),), Model((8,)))
descend(problem, [{"optimizer": "momentum", "lr": 0.01, "batch_size": 1000, "epochs": 1}] * 4, 1)
print(prepared, memory("RssAnon:"), memory("VmHWM:"))
"""


def memory_of(folder: Path, rows: int, dtype: str = "f8") -> tuple[int, int, int]:
    """KiB for `rows` x 50: the greatest resident set when they are prepared, what training holds of its own, and the
    greatest resident set of all, in which pages of mapped files count.
    """
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.dtype(dtype), (rows, 50))
    for start in range(0, rows, 50_000):
        x[start : start + 50_000] = RNG.normal(size=(50_000, 50))
        x[start : start + 50_000, -1] = np.arange(50_000) % 3
    del x
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TRAINS, str(folder)], capture_output=True, text=True, check=True, env=env
    )
    prepared, own, peak = map(int, done.stdout.split())
    return prepared, own, peak


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see its own memory")
def test_memory_does_not_grow_with_the_rows(tmp_path):
    few, many = (memory_of(tmp_path, rows) for rows in (50_000, 400_000))
    file = (tmp_path / "x.npy").stat().st_size / 1024
    assert many[0] - few[0] < file / 2, "preparing held the table"
    assert many[1] - few[1] < file / 8, "training holds the table"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see its own memory")
def test_a_million_rows_train_without_being_loaded(tmp_path):
    prepared, own, peak = memory_of(tmp_path, 1_000_000, "f4")
    file = (tmp_path / "x.npy").stat().st_size / 1024
    assert prepared < file, "preparing held the table"
    assert own < file / 3, "training holds the table"
    assert peak < file + 100 * 1024, "more is resident than the mapped split"
