"""The questions that the benchmark answers, each with the designs that it compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.benchmarks.unseen.cuts import Cut
from tests.benchmarks.unseen.designs import Design, Hand, alone, shape
from tests.benchmarks.unseen.finals import Final, with_final
from tests.benchmarks.unseen.rungs import Reading

__all__ = ["SECTIONS"]

Hands = dict[str, Hand]
THIN = shape(1, 2, 8)
AGAIN = (3, 9, 27, 27)  # full training twice: on few splits, then the best of those on many
RACE = Design(shape(1, 2, 4, 16, epochs=AGAIN), cut=Cut((4, 2, 4), defaults=(4, 4, 1)))
SHAPES = ((1, 1, 1), (1, 2, 4), (4, 4, 4), (1, 2, 8), (2, 4, 8), (1, 4, 16), (4, 8, 16), (16, 16, 16))


def both(name: str, design: Design) -> Hands:
    """A design without its final and with one."""
    return {name: alone(design), f"{name}, final": with_final(design, Final())}


def joined(parts: Iterable[Hands]) -> Hands:
    """All of them."""
    return {name: hand for part in parts for name, hand in part.items()}


def shapes() -> Hands:
    """How many splits at which rung."""
    others = {"9, 27, 27 epochs on (1, 2, 8)": ((9, 1), (27, 2), (27, 8)), "no cuts, 5 splits": ((27, 5),)}
    rungs = {str(splits): shape(*splits) for splits in SHAPES} | others
    return joined(both(name, Design(found)) for name, found in rungs.items())


def again() -> Hands:
    """Four rungs, the last two of full training, with and without cuts of the defaults."""
    rows = {
        "(1, 2, 4, 16)": replace(RACE, cut=Cut((4, 2, 4), defaults=(0, 0, 0))),
        "(1, 2, 4, 16), half, half, a quarter go on": replace(RACE, cut=Cut((2, 2, 4), defaults=(0, 0, 0))),
        "(1, 2, 4, 16), the best default goes on": replace(RACE, cut=Cut((4, 2, 4), defaults=(1, 1, 1))),
        "(1, 2, 4, 16), all defaults to the last rung": RACE,
        "(1, 2, 4, 16), all defaults": replace(RACE, cut=Cut((4, 2, 4), defaults=(4, 4, 4))),
        "(1, 2, 4, 8), all defaults to the last rung": replace(RACE, shape=shape(1, 2, 4, 8, epochs=AGAIN)),
        "(1, 1, 2, 8), all defaults to the last rung": replace(RACE, shape=shape(1, 1, 2, 8, epochs=AGAIN)),
        "(1, 1, 2, 4), all defaults to the last rung": replace(RACE, shape=shape(1, 1, 2, 4, epochs=AGAIN)),
    }
    return joined(both(name, design) for name, design in rows.items())


def epochs() -> Hands:
    """How the epoch is chosen, at the rungs and at the end."""
    rules = ("best", "smooth 3", "smooth 5", "smooth 7", "smooth 9", "last")
    ends = ("best", "last", "one error", "one paired error")
    everywhere = (both(rule, replace(RACE, reading=Reading(rule))) for rule in rules)
    return joined([*everywhere, *(both(f"smooth 5, at the end {end}", replace(RACE, picked=end)) for end in ends)])


def cuts() -> Hands:
    """Who goes on."""
    rows = {
        "quarter": Cut(),
        "less those worse than the leader (95 %)": Cut(drop=0.95),
        "and those not told from its last (70 %)": Cut(extend=0.7),
        "and those not told from its last (90 %)": Cut(extend=0.9),
        "half": Cut(reduction=(2, 2)),
        "quarter and the best default": Cut(defaults=(1, 1)),
        "quarter and all defaults": Cut(defaults=(4, 4)),
    }
    return joined(both(name, Design(THIN, cut=cut)) for name, cut in rows.items())


def tails() -> Hands:
    """What is done about losses that are far off on single splits."""
    rows = {
        "means": Reading(),
        "behind, where worse than constant": Reading(steady="constant"),
        "behind, where worse than constant and twice the median": Reading(steady="constant or median"),
        "mean and one standard error": Reading(errors=1),
        "mean and two standard errors": Reading(errors=2),
    }
    return joined(both(name, replace(RACE, reading=reading)) for name, reading in rows.items())


def finals() -> Hands:
    """Who is in the final, and what decides it."""
    fixed = Final(stages=(5,), fixed=True, level=0.0, default=False)
    rows = {f"{by}, first {k}": Final(k, by=by) for by in ("fresh", "fresh epoch", "pooled") for k in (3, 5, 8, 12)}
    rows |= {"first 5 on 5 splits": replace(fixed, by="fresh"), "first 5 on 5 splits, pooled": fixed}
    rows |= {"pooled, first 5, nobody drops": Final(level=0.0), "pooled, first 5, drop at 80 %": Final(level=0.8)}
    return {"no final": alone(RACE)} | {name: with_final(RACE, final) for name, final in rows.items()}


def safe() -> Hands:
    """Whether the best default is handed over where the first is not surely better."""
    levels = (0.0, 0.6, 0.7, 0.8, 0.9)
    rows = {f"surely better at {level}" if level else "the first": Final(safe=level) for level in levels}
    rows["surely better at 0.9, splits as if independent"] = Final(safe=0.9, corrected=False)
    return {name: with_final(RACE, final) for name, final in rows.items()}


def share() -> Hands:
    """How much the final may take beside the search, and whether its splits choose the epoch."""
    found: Hands = {}
    for splits in ((1, 1, 2, 4), (1, 1, 2, 8), (1, 2, 4, 16)):
        design = replace(RACE, shape=shape(*splits, epochs=AGAIN))
        for most in (0.15, 0.25, 1.0):
            known = Final(stages=(5, 10, 20, 40), level=0.8, safe=0.6, share=most, beside=True)
            name = f"{splits[-1]} splits, share {most}"
            for by in ("search epoch", "search epoch, then all"):
                found[f"{name}, {by}"] = with_final(design, replace(known, by=by, aside=True))
            held_to = replace(known, by="search epoch, then all")
            found[f"{name}, its first stage too, {held_to.by}"] = with_final(design, held_to)
    return found


def common() -> Hands:
    """The same splits for all configs, or other ones for each."""
    return {
        "common": alone(Design(THIN)),
        "one order of splits for each config": alone(Design(THIN, Reading(common=False))),
    }


SECTIONS = {section.__name__: section for section in (shapes, again, epochs, cuts, tails, finals, safe, share, common)}
