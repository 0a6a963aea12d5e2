"""Texts as categories: writings of one word as one category, yes and no as two, and what is too many to be any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from objectives.data.raw import first_lines
from objectives.types import Array

__all__ = ["folded", "is_prose", "key_of", "merged"]

YES = frozenset({"yes", "y", "true", "t", "ja", "oui", "si", "sí"})
NO = frozenset({"no", "n", "false", "f", "nein", "non"})
SHORT = 2  # letters of a code
PROSE = 4  # words of a text on average


def key_of(text: str) -> str:
    """Return what writings of one category have in common: its words, in lower case.

    One or two letters stay as they are: "Aa" is another genotype than "aa", and "a" another letter than "A".
    """
    words = " ".join(text.split())
    return words.casefold() if len(words) > SHORT else words


def merged(texts: Sequence[str]) -> dict[str, str]:
    """Return the category of each text that is another writing of one: "Male" and "male " are the more frequent one.

    Where yes and no are written in several ways ("Y", "yes", "True"), they are two categories.
    """
    counts = Counter(texts)
    groups: dict[str, list[str]] = {}
    flags = all(text.strip().casefold() in YES | NO for text in counts)
    for text in sorted(counts, key=lambda text: (-counts[text], text)):
        groups.setdefault(text.strip().casefold() if flags else key_of(text), []).append(text)
    keys = set(groups)
    if flags and keys & YES and keys & NO and len(keys) > 2:
        ways = [[text for key in keys & words for text in groups[key]] for words in (YES, NO)]
        groups = {way: texts for way, texts in zip(("yes", "no"), ways, strict=True)}
        return {text: name for name, texts in groups.items() for text in texts if text != name}
    names = {key: " ".join(writings[0].split()) for key, writings in groups.items()}
    return {text: names[key] for key, own in groups.items() for text in own if text != names[key]}


def folded(values: Array, present: npt.NDArray[np.bool_], name: str) -> tuple[Array, Mapping[str, str], list[str]]:
    """Return texts `(n,)` with one writing for each category, the others by name, and a sentence on them."""
    others = merged(values[present].tolist())
    if not others:
        return values, {}, []
    found = np.array([others.get(value, value) if isinstance(value, str) else value for value in values], dtype=object)
    several = len(set(found[present].tolist())) < len(set(values[present].tolist()))
    ways = [f"{old!r} is {new!r}" for old, new in others.items()]
    said = [f"{name}: {len(ways)} other writings of categories: {first_lines(ways, 3)}"]
    return found, others, said if several else []


def is_prose(texts: Sequence[str]) -> bool:
    """Return True for texts of several words each."""
    some = texts[:1000]
    return bool(some) and sum(len(text.split()) for text in some) >= PROSE * len(some)
