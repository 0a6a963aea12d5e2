"""Measure how long the sentences of the README and the manual are: `python -m tests.docs.sentences`.

Counted are paragraphs and lists. Code, tables, headings and pictures are not; a word in backticks is one word.
"""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

from tests.docs.generated import PAGES, pages

__all__ = ["median_length", "sentences"]

README = PAGES.parents[1] / "README.md"
APART = re.compile(r"^```.*?^```$|<!--.*?-->", flags=re.DOTALL | re.MULTILINE)
END = re.compile(r"(?<=[.!?:])[*)\"]*\s+(?=[*\"(]*[A-Z`0-9])|\n{2,}|\n(?=\s*(?:[-*]|\d+\.) )")


def sentences(text: str) -> list[str]:
    """Return the sentences of a page."""
    prose = APART.sub("\n\n", text)
    lines = [line for line in prose.splitlines() if not re.match(r"#|\||!\[", line)]
    plain = re.sub(r"`[^`]*`", "Code", "\n".join(lines))
    plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", plain)
    parts = [re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "", part) for part in END.split(plain)]
    return [" ".join(part.split()) for part in parts if len(part.split()) > 1]


def median_length(files: list[Path]) -> float:
    """Return the median length of a sentence, in words."""
    found = [sentence for file in files for sentence in sentences(file.read_text(encoding="utf-8"))]
    return median(len(sentence.split()) for sentence in found)


def main() -> None:
    """Print the median of each page, and its longest sentence."""
    for file in (README, *pages()):
        own = sorted(sentences(file.read_text(encoding="utf-8")), key=lambda one: len(one.split()))
        lengths = [len(one.split()) for one in own]
        counts = f"{len(own):4} sentences, median {median(lengths):4}, longest {lengths[-1]:3}"
        print(f"{file.stem:24} {counts}: {own[-1][:90]}")
    print(f"median of all: {median_length([README, *pages()])}")


if __name__ == "__main__":
    main()
