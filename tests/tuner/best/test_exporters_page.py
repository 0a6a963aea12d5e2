"""What the manual says of exporting is so: its lines run, its table is the measured one."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.docs.generated import PAGES, part_of
from tests.support.framework_gaps import orders, table
from tests.support.framework_runs import INSTALL, best_of, config_of, problem
from tuner.errors import TransferWarning
from tuner.orchestrator.artifacts import best_text

PAGE = (PAGES / "use-the-best.md").read_text(encoding="utf-8")


def frameworks() -> tuple[Any, Any]:
    """torch and Keras, with everything else that exporting needs; skips where something is missing."""
    os.environ["KERAS_BACKEND"] = "jax"
    torch, _, _, keras = (pytest.importorskip(name, reason=INSTALL) for name in ("torch", "jax", "optax", "keras"))
    return torch, keras


def test_the_lines_run_in_all_frameworks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch, keras = frameworks()
    import tuner

    (block,) = re.findall(r"```py\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("runs/digits").mkdir(parents=True)
    Path("runs/digits/best.toml").write_text(best_text(best_of(config_of("nesterov"), problem())), encoding="utf-8")
    from sklearn.neural_network import MLPClassifier

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    names = {"tuner": tuner, "model": torch.nn.Linear(2, 1), "network": network, "MLPClassifier": MLPClassifier}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TransferWarning)
        exec(block, names)
    assert names["scheduler"] is None
    assert names["network"].optimizer.nesterov  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_table_is_the_measured_one() -> None:
    torch, _ = frameworks()
    shown = part_of(PAGE, "gaps")
    torch.set_default_dtype(torch.float64)
    try:
        (words, numbers), (shown_words, shown_numbers) = orders(table()), orders(shown)
    finally:
        torch.set_default_dtype(torch.float32)
    assert shown_words == words
    assert all(abs(a - b) <= 1 for a, b in zip(numbers, shown_numbers, strict=True))
