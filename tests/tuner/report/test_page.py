"""The page: one file with everything in it, the same for the same ledger, and nothing of what it shows can run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import tuner
from tests.support.command import Shell, made_up
from tests.support.planted_studies import sound, written
from tuner.report import sections
from tuner.report.report_data import ReportData
from tuner.report.vega_bundle import script_bundle
from tuner.result import Result


class Elements(HTMLParser):
    """Ids and tags of a page, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.append((tag, own))
        self.ids += [value for name, value in attrs if name == "id" and value]
        self._script = (own.get("id") or f"script{len(self.scripts)}") if tag == "script" else self._script

    def handle_endtag(self, tag: str) -> None:
        self._script = None if tag == "script" else self._script

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return tuner.open(made_up(tmp_path_factory.mktemp("home")).path)


@pytest.fixture(scope="module")
def text(result: Result) -> str:
    return result.report().read_text(encoding="utf-8")


def test_a_page_has_its_parts_in_order(text: str) -> None:
    wanted = ["findings", "best", "ranking", "optimizers-compared", "section-curves", "section-progress"]
    wanted += ["section-sensitivity", "section-pair", "section-time", "provenance"]
    ids = Elements(text).ids
    assert [one for one in ids if one in wanted] == wanted
    assert len(set(ids)) == len(ids)


def test_a_page_fetches_nothing(text: str) -> None:
    tags = Elements(text).tags
    for tag, attributes in tags:
        for name in ("src", "href", "action", "data", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith("#"), (tag, name, value)
    policies = [own["content"] for tag, own in tags if own.get("http-equiv") == "Content-Security-Policy"]
    assert [str(one).split(";")[0] for one in policies] == ["default-src 'none'"]


def test_every_trial_is_in_the_page_as_json(text: str, result: Result) -> None:
    trials = json.loads(Elements(text).scripts["data"])["trials"]
    assert trials["rows"] == 6
    assert trials["names"] == list(result.ranking().columns)
    assert trials["lists"]["lr"][:2] == [0.01, 1 / 3]  # what was confirmed first


def test_what_draws_charts_is_packed_whole_and_allowed_to_run(text: str) -> None:
    page = Elements(text)
    script = gzip.decompress(base64.b64decode(page.scripts["bundle"])).decode()
    assert script == script_bundle()
    (policy,) = [own["content"] for tag, own in page.tags if own.get("http-equiv") == "Content-Security-Policy"]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in str(policy)
    assert len(text) < 600_000


def test_numbers_that_are_only_drawn_are_short(result: Result, text: str) -> None:
    frames = json.loads(Elements(text).scripts["data"])
    for name, frame in frames.items():
        numbers = [cell for cells in frame["lists"].values() for cell in cells if isinstance(cell, float)]
        assert name == "trials" or all(number == float(f"{number:.6g}") for number in numbers)
    lr = dict(zip(frames["trials"]["lists"]["trial"], frames["trials"]["lists"]["lr"], strict=True))
    assert lr[1] == result.trial(1).config["lr"]  # the table is whole: it downloads as CSV


def test_many_curves_have_fewer_points_each_but_for_the_best(tmp_path: Path) -> None:
    long = [replace(trial, curves={n: np.repeat(c, 10, axis=1) for n, c in trial.curves.items()}) for trial in sound()]
    frames = ReportData(written(tmp_path, [replace(trial, epochs=200, epoch=150) for trial in long], []))
    data = frames.curves(range(64), ["valid_loss"], [60])
    points = data.groupby("trial").size()
    assert points[60] == 200
    assert points.drop(60).max() < 70
    assert {1, 150, 200} <= set(data.loc[data["trial"] == 3, "epoch"])


def test_the_same_ledger_makes_the_same_bytes(text: str, result: Result, tmp_path: Path) -> None:
    again = tuner.open(result.path).report(tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == text
    dated = result.report(tmp_path / "dated.html", created="2026-01-01").read_text(encoding="utf-8")
    assert "2026-01-01" in dated
    assert "Written" not in text


def test_a_page_says_how_it_was_made(tmp_path: Path) -> None:
    result = written(tmp_path, sound()[:16])
    assert sections.provenance(ReportData(result))["command"] == "tuner run sound.toml"
    unknown = tuner.open(made_up(tmp_path).path)
    assert sections.provenance(ReportData(unknown))["command"] == "tuner run small"


def test_the_command_writes_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)
    directory = made_up(tmp_path)
    assert shell("report", "small", "--home", tmp_path).code == 0
    assert directory.report.read_text(encoding="utf-8").startswith("<!doctype html>")
    ended = shell("report", "small", "--home", tmp_path, "-o", tmp_path / "a" / "b.html")
    assert ended.code == 2
    assert "there is no directory" in ended.err
