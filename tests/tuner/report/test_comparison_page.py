"""The page of studies beside each other: the words and numbers of `tuner compare`, curves at the same axes."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Browser
from tests.support.command import Shell, made_up
from tests.support.planted_studies import changed_study, confirmations, sound, trained, written
from tests.tuner.report.test_page import Elements
from tuner.report.charts.beside import leading_curves
from tuner.report.report_data import ReportData
from tuner.report.theme import LIGHT
from tuner.result import Result
from tuner.study import read_study
from tuner.views.settings import differing_settings

PAGE = "compare-first-second.html"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """Two studies on the same data: the second one trains shorter, with another optimizer, and is worse."""
    home = tmp_path_factory.mktemp("home")
    first = written(home, sound(), name="first")
    trials = [trained(i, 0.9 + i / 100, optimizer="adam") for i in range(16)]
    study = changed_study(
        study={"trials": 16, "description": "Is adam <b>alone</b> enough?"},
        optimizers={"adam": {"lr": {"low": 1e-3, "high": 1.0, "log": True}}},
    )
    return [first, written(home, trials, confirmations(trials), study, name="second")]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, pair: list[Result]) -> Shell:
    monkeypatch.setenv("TUNER_HOME", str(pair[0].path.parent))
    return Shell(capsys)


def table(text: str, which: int) -> dict[str, list[str]]:
    """A table of a page: the cells of each row by its label."""
    body = re.findall("<tbody>.*?</tbody>", text, flags=re.DOTALL)[which]
    rows = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", body, flags=re.DOTALL)]
    return {unescape(label): [unescape(cell) for cell in cells] for label, *cells in rows}


def test_the_page_says_what_the_command_says(shell: Shell, pair: list[Result]) -> None:
    compared = shell("compare", "first", "second", "-f", "md")
    ended = shell("report", "first", "second")
    assert ended.code == 0
    text = (pair[0].path.parent / PAGE).read_text(encoding="utf-8")
    head, _, *rows = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in compared.out.splitlines())
    told = {label.lower().replace(" ", "_"): cells for label, cells in table(text, 0).items()}
    for i, name in enumerate(head[1:], start=1):
        assert told[name] == [row[i] for row in rows], name
    for note in compared.err.splitlines():
        if not note.startswith("columns left out"):
            assert note[1:] in unescape(text)
    assert table(text, 0)["asked"] == ["", "Is adam <b>alone</b> enough?"]
    assert [cells[0] for cells in table(text, 0)["won"]] == ["m", "a"]  # momentum, adam


def test_settings_that_differ_are_listed_and_no_others(shell: Shell, pair: list[Result]) -> None:
    shell("report", "first", "second")
    told = table((pair[0].path.parent / PAGE).read_text(encoding="utf-8"), 1)
    assert told["study.trials"] == ["64", "16"]
    assert told["optimizers.momentum"][1] == ""
    assert told["optimizers.momentum"][0].startswith("lr 0.0001 to 3, log; ")
    assert told["optimizers.adam.lr"] == ["1e-05 to 0.1, log", "0.001 to 1, log"]
    assert set(told) == {"study.trials", "optimizers.momentum", "optimizers.adam.lr"}


def test_equal_studies_differ_in_nothing() -> None:
    asked = [read_study(changed_study(study={"name": name}), needs_data=False) for name in ("a", "b")]
    assert differing_settings(asked) == []


def domains(result: Any) -> list[Any]:
    """The ends of the axes of each figure."""
    found = []
    for figure in leading_curves(result):
        encodings = figure.chart.to_dict(validate=False)["layer"][0]["encoding"]
        found.append([encodings[name]["scale"]["domain"] for name in ("x", "y")])
    return found


def test_curves_have_the_same_axes_if_their_goal_is_the_same(pair: list[Result], tmp_path: Path) -> None:
    frames = [ReportData(result) for result in pair]
    both = domains(frames)
    assert both[0] == both[1]
    assert both[0] != domains(frames[:1])[0]
    other = changed_study(study={"maximize": "valid_accuracy", "trials": 16})
    accurate = ReportData(written(tmp_path, [trained(i, 0.7) for i in range(16)], [], other))
    mixed = domains([frames[0], accurate])
    assert mixed[0] == domains(frames[:1])[0]
    assert mixed[0] != mixed[1]


def test_a_picture_has_the_colours_of_its_page(shell: Shell, pair: list[Result]) -> None:
    shell("report", "first", "second")
    text = (pair[0].path.parent / PAGE).read_text(encoding="utf-8")
    pictures = re.findall("<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        assert 'stroke="var(--c0)"' in picture or 'stroke="var(--c1)"' in picture
        assert not any(colour in picture for colour in (LIGHT.text, LIGHT.ground, *LIGHT.series))
        assert not re.findall(r" (?:role|class|aria-\w+)=", picture)
    assert not {tag for tag, _ in Elements(text).tags} & {"script", "img", "link", "iframe"}


def test_what_cannot_be_compared_is_refused(shell: Shell, pair: list[Result], tmp_path: Path) -> None:
    assert "'first' is named twice" in shell("report", "first", "first").err
    assert "one study, but got 2" in shell("report", "first", "second", "--figures", tmp_path).err
    assert "one study, but got 0" in shell("report", "--figures", tmp_path).err
    assert shell("report", "first", "secnd").code == 2
    written(tmp_path, [], [], name="empty")
    assert shell("report", pair[0].path, tmp_path / "empty").code == 3


def test_names_become_one_name_of_a_file(shell: Shell, tmp_path: Path) -> None:
    names = ["a" * 100, "b c"]
    for name in names:
        made_up(tmp_path, name)
    assert shell("report", *names, "--home", tmp_path).code == 0
    (page,) = tmp_path.glob("compare-*.html")
    assert page.name == f"compare-{'a' * 100}-b-c.html"


def test_a_copy_of_a_study_is_told_by_its_directory(shell: Shell, pair: list[Result], tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(pair[0].path, tmp_path / name)
    assert shell("report", "one", "two", "--home", tmp_path).code == 0
    assert (tmp_path / "compare-one-two.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_the_comparison_fits_its_window(shell: Shell, pair: list[Result], chromium: Browser, width: int) -> None:
    shell("report", "first", "second")
    chromium.size(width)
    for scheme in ("light", "dark"):
        chromium.prefer(scheme)
        chromium.open(pair[0].path.parent / PAGE, wait=False)
        assert chromium.ask("return document.documentElement.scrollWidth") <= width
        fill = "return getComputedStyle(document.querySelector('.drawing svg > rect, .drawing svg path')).fill"
        assert chromium.ask(fill) == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}[scheme]
        assert chromium.complaints() == []
