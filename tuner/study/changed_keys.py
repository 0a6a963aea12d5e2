"""What one study asks differently than another, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuner.study.domains import plain
from tuner.study.study import Study

__all__ = ["differences"]


def differences(old: Study, new: Study) -> list[tuple[str, Any, Any]]:
    """List what `new` asks differently than `old`: (key, old value, new value), None where there is none.

    Compares only keys that the user wrote in `new`, so that presets may change, and the set of optimizers. A name, a
    description, more trials, a wider confirmation and limits do not change the question.
    """
    before, after = dict(_leaves(old.to_table())), dict(_leaves(new.to_table()))
    other = [
        name for name in {**old.optimizers, **new.optimizers} if (name in old.optimizers) != (name in new.optimizers)
    ]
    skipped = tuple(f"optimizers.{name}." for name in other)
    keys = [key for key, _ in _leaves(new.written) if not _free(key) and not key.startswith(skipped)]
    changed = [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]
    return changed + [(f"optimizers.{name}", _summary(old, name), _summary(new, name)) for name in other]


def _free(key: str) -> bool:
    confirmed = (f"confirm.{name}" for name in ("enabled", "top", "seeds", "share"))
    named = ("study.name", "study.description", "study.trials", "study.keep", *confirmed)
    return key in named or key.startswith(("limits.", "stop.", "workers.", "refit."))


def _summary(study: Study, name: str) -> dict[str, Any] | None:
    domains = study.optimizers.get(name)
    return None if domains is None else {hyper: plain(domain) for hyper, domain in domains.items()}


RANGES = (("optimizers", 3), ("parameters", 2), ("metrics", 2))


def _leaves(table: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """List dotted keys and their values; the range of a hyperparameter is one value."""
    for name, value in table.items():
        path = (*prefix, name)
        if isinstance(value, Mapping) and (path[0], len(path)) not in RANGES:
            yield from _leaves(value, path)
        else:
            yield ".".join(path), value
