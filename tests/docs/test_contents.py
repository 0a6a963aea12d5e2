"""Pages that list what the code has list all of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.generated import PAGES
from tests.support.command import made_up
from tuner import errors
from tuner.best.sklearn import ESTIMATORS
from tuner.report.charts import CHARTS
from tuner.report.charts.time import STATES
from tuner.result import Result
from tuner.study.custom_checks import RUN
from tuner.trainables.builtin.split_counts import splits_for


def page(topic: str) -> str:
    return (PAGES / f"{topic}.md").read_text(encoding="utf-8")


def cells(topic: str, heading: str) -> set[str]:
    """Return the names in backticks in the first column of the tables of a section."""
    section = page(topic).partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {
        name for line in re.findall(r"^\| ([^|]*) \|", section, flags=re.M) for name in re.findall(r"`([^`]+)`", line)
    }


def test_every_word_of_a_command_is_listed() -> None:
    listed = {name.strip("{}") for name in cells("own-code", "A program")}
    assert {*RUN, "epochs"} <= listed
    assert listed - {*RUN, "epochs"} == {"lr"}


def test_every_chart_is_listed() -> None:
    names = re.search(r"The names are (.*)\.", page("notebooks"))
    assert names
    assert re.findall(r"`(\w+)`", names[1]) == list(CHARTS)


def test_every_state_is_listed() -> None:
    assert cells("results", "States of a trial") == set(STATES)


def test_every_column_of_the_ranking_is_listed(tmp_path: Path) -> None:
    result = Result(made_up(tmp_path))
    metrics, hypers = set(result.metrics), {*result.trial(1).config, *result.trial(2).config} - {"epochs"}
    assert set(result.ranking().columns) - metrics - hypers == cells("results", "Columns of the ranking")


def test_the_numbers_of_splits_are_those_of_the_code() -> None:
    text = page("search")
    rows = re.findall(r"^\| up to ([\d,]+) \| (\d+) \|$", text, flags=re.MULTILINE)
    edges = [int(most.replace(",", "")) for most, _ in rows]
    listed = [int(splits) for _, splits in rows]
    assert [splits_for(edge, 1000) for edge in edges] == listed
    assert [splits_for(edge + 1, 1000) for edge in edges] == [*listed[1:], 1]
    assert "fewer than 128 trials has at most 8, and one of fewer than 64 at most 4" in text
    assert [splits_for(1, trials) for trials in (128, 127, 64, 63)] == [16, 8, 8, 4]


def test_every_exit_code_is_listed() -> None:
    kinds = (getattr(errors, name) for name in errors.__all__)
    codes = {str(kind.exit_code) for kind in kinds if hasattr(kind, "exit_code")}
    table = page("results").partition("| exit code |")[2]
    assert codes <= set(re.findall(r"^\| ([\d, ]+) \|", table, flags=re.MULTILINE))


def test_every_estimator_is_listed() -> None:
    sentence = re.search(r"`to_sklearn` knows (.*?)\.\n", page("use-the-best"))
    assert sentence
    assert re.findall(r"`(\w+)`", sentence[1]) == list(ESTIMATORS)
