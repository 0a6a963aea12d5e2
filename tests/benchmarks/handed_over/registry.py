"""All methods by name."""

from __future__ import annotations

from tests.benchmarks.handed_over.divisions import OPTIMIZERS
from tests.benchmarks.handed_over.methods import Method, default, ours, random_search

__all__ = ["DEFAULTS", "METHODS", "OURS", "REFERENCE", "REFERENCE_BUDGET"]

OURS = "ours"
REFERENCE, REFERENCE_BUDGET = "random x 5", 64
DEFAULTS = {f"default {name}": Method(default(name), (1,), (1,)) for name in OPTIMIZERS}
METHODS: dict[str, Method] = {
    OURS: Method(ours, (16, 32, 64, 128, 512, 2048), (32, 128), ours=True, unit="trials"),
    **DEFAULTS,
    REFERENCE: Method(random_search(5), (2, 4, 8, 16, 32, 64, 128), (8, 64)),
}
