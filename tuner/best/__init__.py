"""The best config: the file that training code reads, and the optimizer, scheduler or estimator that comes of it.

    file_schema, exporters -> config; conventions, whole_batch -> recipe -> differences, schedule_code -> source
    -> pytorch, keras, optax, sklearn -> live_torch, code

`config` is `best.toml` in Python, `file_schema` what it must hold and `exporters` the registry of frameworks; they need
the standard library alone, so that `load_best` costs a training script nothing. A recipe says what was tuned and under
which conventions; `differences` says where a framework does otherwise; a module for each framework writes source text,
which is printed, or run for a live object. No framework is imported before it is asked for.
"""

from __future__ import annotations

from tuner.best.config import VERSION, Best, load_best

__all__ = ["VERSION", "Best", "load_best"]
