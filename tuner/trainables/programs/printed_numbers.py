"""Numbers in what a program prints: under which names, at which epochs, and which of them look like a goal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from objectives.types import Direction

__all__ = ["PrintedNumber", "epoch_among", "goal_among", "numbers_in"]

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
NAMED = re.compile(
    r"(?<!\w)(?<!\w')(?P<name>[A-Za-z][\w/@.-]*(?: [A-Za-z][\w/@-]*)?)['\"]?(?P<mark>[ \t]*[:=]?[ \t]*)"
    rf"(?P<value>{NUMBER})(?![\w.]*[A-Za-z])"
)
EPOCHS = ("epoch", "step", "global_step", "iter", "iteration", "it", "round")
HELD_OUT = re.compile(r"val|eval|dev|test", re.IGNORECASE)
LOSSES = re.compile(r"loss|perplexity|(?<![a-z])(err|ppl|rmse|mse|mae|nll|bpb|bpc|wer|fid)", re.IGNORECASE)
SCORES = re.compile(r"acc|f1|auc|r2|bleu|map$|iou|score|reward|return|top1|top5|precision|recall", re.IGNORECASE)


@dataclass
class PrintedNumber:
    """A number under a name: the values that it had, and the text between name and value."""

    name: str
    mark: str
    values: list[float] = field(default_factory=list)

    @property
    def metric(self) -> str:
        """Return its name as that of a metric."""
        plain = re.sub(r"[^\w./-]+", "_", self.name.strip()).strip("_")
        return plain if plain[:1].isalpha() else f"m_{plain}"

    @property
    def pattern(self) -> str:
        """Return the pattern that finds it again."""
        alone = r"(?<![A-Za-z_] )(?<!\w)" if " " not in self.name else r"(?<!\w)"
        return alone + self._spaced() + r"(?P<value>[-+.\deE]+)"

    @property
    def epoch_pattern(self) -> str:
        """Return the pattern that finds it again, as an epoch."""
        return r"(?<!\w)" + self._spaced() + r"(\d+)"

    def _spaced(self) -> str:
        quote = "['\"]?" if ":" in self.mark else ""
        mark = re.escape(self.mark.strip())
        return re.escape(self.name).replace("\\ ", " ") + quote + (rf"\s*{mark}\s*" if mark else r"\s+")


def numbers_in(lines: Sequence[str]) -> list[PrintedNumber]:
    """Find numbers with names in lines, in the order in which they come."""
    found: dict[str, PrintedNumber] = {}
    for line in lines:
        for match in NAMED.finditer(line.rpartition("\r")[2]):
            name = match["name"]
            first = name.split(" ")[0].lower()
            name = name.split(" ")[-1] if first in (*EPOCHS, "and", "with", "at", "of", "the") else name
            if match["mark"]:
                number = found.setdefault(name, PrintedNumber(name, match["mark"]))
                number.values.append(float(match["value"]))
    return list(found.values())


def epoch_among(numbers: Sequence[PrintedNumber]) -> PrintedNumber | None:
    """Return what counts epochs or steps: whole numbers that rise, under a name of that kind."""
    for word in EPOCHS:
        for number in numbers:
            rising = sorted(number.values) == number.values and all(value.is_integer() for value in number.values)
            if number.name.lower() == word and rising:
                return number
    return None


def goal_among(numbers: Sequence[PrintedNumber]) -> list[tuple[PrintedNumber, Direction]]:
    """Return what looks like a goal, the likeliest first: a loss of held-out data, then a score, then any loss."""
    ranked = []
    for i, number in enumerate(numbers):
        loss, score = bool(LOSSES.search(number.name)), bool(SCORES.search(number.name))
        if loss or score:
            held = bool(HELD_OUT.search(number.name))
            test = "test" in number.name.lower()
            direction = Direction.MINIMIZE if loss else Direction.MAXIMIZE
            ranked.append(((not held, test, not loss, i), number, direction))
    return [(number, direction) for _, number, direction in sorted(ranked, key=lambda row: row[0])]
