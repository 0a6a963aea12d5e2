"""A study with a lucky winner planted among better configs, confirmed in earnest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tuner
from tests.support.trials import trial
from tuner.engines import InlineEngine
from tuner.store.directory import study_directory
from tuner.store.ledger import Ledger
from tuner.store.machine import canary_hash
from tuner.trainables.builtin.prepared_study import prepare_study

GAPS = (8.0, 4.0, 2.0)  # times that the planted winner's learning rate is too small
LUCKY = 0


def study(name: str, seed: int) -> dict[str, Any]:
    """A study of digits that is quick to retrain."""
    return {
        "study": {"name": name, "seed": seed, "trials": 5},
        "data": {"source": "sklearn:digits", "resampling": "holdout"},
        "model": {"kind": "mlp", "hidden": [32]},
        "train": {"epochs": 10, "batch_size": 64},
        "optimizers": {"momentum": {}},
        "confirm": {"top": 5, "seeds": 5},
    }


def demoted(home: Path, seed: int, gap: float) -> bool:
    """Whether a confirmation demotes trial 0, whose learning rate is `gap` times too small and whose value the best."""
    name = f"lucky-{seed}-{gap:g}"
    question = prepare_study(study(name, seed))
    directory = study_directory(name, home)
    directory.path.mkdir(parents=True)
    text = question.study.to_toml()
    directory.study.write_text(text, encoding="utf-8")
    facts = {
        "data": question.first.digest,
        "task": question.first.task,
        "canary": InlineEngine().submit(canary_hash).result(),
        "processor": "",
    }
    shared = {"weight_decay": 0.0, "schedule": "constant", "model": "mlp", "hidden": [32], "activation": "relu"}
    shared |= {"init": "torch", "framework": "torch", "batch_size": 64, "momentum": 0.9}
    rates = [0.08 / gap, 0.06, 0.08, 0.1, 0.12]
    values = [0.02, 0.03, 0.04, 0.05, 0.06]
    with Ledger.create(directory.place, facts, text) as ledger:
        ledger.commit_generation(
            0, [trial(i, value=values[i], epochs=10, lr=rate, **shared) for i, rate in enumerate(rates)]
        )
    result = tuner.confirm(name, home=home, jobs=1)
    ranking = result.ranking().set_index("trial")
    return result.best().trial == ranking.index[0] != LUCKY and ranking["search_rank"][LUCKY] == 1
