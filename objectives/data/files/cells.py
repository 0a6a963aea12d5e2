"""What a single cell of a text table looks like: a number in some way of writing, a date, a gap, or words."""

from __future__ import annotations

import re

from objectives.data.files.dialect import GAPS

__all__ = ["is_clean", "is_gap_mark", "looks_numeric", "plain_number"]

MONEY = r"(?:[$€£¥₹₽₩]|[A-Z]{3}(?=[\s\d])|(?<=[\s\d])[A-Z]{3})"
NUMERIC = re.compile(
    rf"\(?\s*[-+\u2212]?\s*{MONEY}?\s*[-+\u2212]?(?:\d[\d.,'\u2019\u00a0\u202f]*(?: \d{{3}})*(?:[.,]\d+)?|[.,]\d+)"
    rf"(?:[eE][-+]?\d+)?\s*(?:%|{MONEY})?\s*\)?-?"
)
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?")
CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?")


def is_gap_mark(text: str) -> bool:
    """Return True for a text that usually stands for a missing value, "" among them."""
    return text.strip().lower() in GAPS


def plain_number(text: str) -> bool:
    """Return True for a number as Python writes it: "1e-3", "nan" not."""
    try:
        return "_" not in text and float(text) == float(text)
    except ValueError:
        return False


def looks_numeric(text: str) -> bool:
    """Return True for a number in some way of writing: "1,234.5", "1.234,5", "$5", "45.1%", "(3)"."""
    return plain_number(text) or bool(NUMERIC.fullmatch(text.strip()))


def is_clean(text: str) -> bool:
    """Return True for a cell that is one thing: a gap, a number, a date, or words without other separators in them."""
    text = text.strip()
    if not text or looks_numeric(text) or DATE.fullmatch(text) or CLOCK.fullmatch(text):
        return True
    return not any(mark in text for mark in ";|\t,")
