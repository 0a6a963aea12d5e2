"""The key under which a finished pack is kept: whatever decides its outcome is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner.trainables.builtin.packs import Pack, Source


class At:
    """A state that has come to an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch


def pack(start: int = 0, **changed: Any) -> Pack:
    """A pack whose trials go on from an epoch."""
    state: Any = At(start) if start else None
    sources = (Source(Path("/cache/abcd"), 0, 0),)
    return replace(Pack(sources, (0, 1), ({"lr": 0.1}, {"lr": 0.2}), 3, state), **changed)


CHANGES: list[Pack] = [
    pack(3),
    pack(6),
    pack(epochs=6),
    pack(configs=({"lr": 0.1}, {"lr": 0.3})),
    pack(configs=({"lr": 0.2}, {"lr": 0.1})),
    pack(sources=(Source(Path("/cache/abcd"), 1, 0),)),
    pack(sources=(Source(Path("/cache/abcd"), 0, 1),)),
    pack(sources=(Source(Path("/cache/efgh"), 0, 0),)),
]


@pytest.mark.parametrize("other", CHANGES, ids=range(len(CHANGES)))
def test_what_decides_an_outcome_is_in_its_key(other: Pack) -> None:
    assert len({pack().key, *(one.key for one in CHANGES)}) == len(CHANGES) + 1
    assert other.key != pack().key


def test_what_decides_nothing_is_not_in_its_key() -> None:
    assert pack(trials=(7, 8)).key == pack().key
    assert pack(sources=(Source(Path("/elsewhere/abcd"), 0, 0),)).key == pack().key
