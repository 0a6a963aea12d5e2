"""Facts of the machine that a study's numbers depend on, and a canary that detects different floating-point results.

The same study gives the same table on machines of one type. Another processor or BLAS rounds some last bits
differently; the hash of a small training run shows that before it shows in a ranking.
"""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from itertools import product

import numpy as np

from objectives.data import SplitSpec, prepare, table_from
from objectives.models import Model
from objectives.problem import Problem, Replicate
from objectives.rng import Stream, stream
from objectives.training.descent import descend

__all__ = ["canary_hash", "machine_facts"]

CANARY_CONFIG = {"lr": 0.01, "batch_size": 37, "epochs": 2, "schedule": "cosine"}
PACKAGES = ("tuner", "numpy", "optuna", "scikit-learn", "pandas", "joblib")


def machine_facts() -> dict[str, str]:
    """Collect versions, processor and BLAS as text."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "python": platform.python_version(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "blas": f"{blas['name']} {blas['version']}",
        **{package: version(package) for package in PACKAGES},
    }


def processor() -> str:
    """Return the processor's name, as well as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def canary_hash() -> str:
    """Hash small training runs that use every loss, rule family and dtype: some 20 ms.

    Call it with one BLAS thread, as trials run. A single task or dtype would miss processors that differ only in an
    exponential.
    """
    rng = stream(0, Stream.CANARY)
    x = rng.standard_normal((300, 33))
    targets = {"multiclass": rng.integers(3, size=300), "binary": rng.integers(2, size=300), "regression": x[:, 0] ** 3}
    digest = hashlib.sha256()
    for (task, y), dtype in product(targets.items(), ("float32", "float64")):
        data = prepare(table_from(x, y, task=task), SplitSpec(), 0, 0, dtype)
        for activation, rules in (("tanh", ("adam", "nesterov")), ("relu", ("rmsprop",))):
            problem = Problem((Replicate(0, 0, data),), Model((24, 17), activation))
            outcome = descend(problem, [CANARY_CONFIG | {"optimizer": rule} for rule in rules], 2)
            for array in (outcome.state.weights, *outcome.curves.values()):
                digest.update(array.tobytes())
    return digest.hexdigest()[:16]
