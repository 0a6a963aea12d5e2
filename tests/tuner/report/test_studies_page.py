"""The page of all studies: each in a few words, damaged ones too, links that lead somewhere, and no script."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

import tuner
from tests.support.browser import Browser
from tests.support.command import Shell, made_up
from tests.support.planted_studies import ended, sound, written
from tests.tuner.report.test_page import Elements
from tuner.store.directory import StudyDirectory, studies
from tuner.store.notes import change_notes
from tuner.views.studies import link_of

EVIL = "<script>window.pwned=1</script> & \x1b[31m\u202e"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five studies: one with a report, one that goes on, one whose trials failed, a damaged one, one of odd name."""
    home = tmp_path_factory.mktemp("home")
    small = made_up(home)
    tuner.open(small.path).report()
    change_notes(small, lambda notes: replace(notes, text=EVIL).tagged(["paper"]))
    written(home, sound()[:16], [], name="going on")
    written(home, [ended(trial, "failed", "E\n") for trial in sound()[:4]], [], name="lost")
    tuner.open(written(home, sound(), name="a b").path).report()
    (home / "broken").mkdir()
    (home / "broken" / "ledger.db").write_bytes(b"no ledger")
    return home


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path) -> Shell:
    monkeypatch.setenv("TUNER_HOME", str(home))
    return Shell(capsys)


def sections(text: str) -> dict[str, str]:
    """The parts of a page by the name of their study."""
    parts = re.findall(r'<section class="study".*?</section>', text, flags=re.DOTALL)
    return {re.sub("<.*?>", "", re.findall("<h2.*?</h2>", part)[0]): part for part in parts}


def test_every_study_is_told_in_a_few_words(shell: Shell, home: Path) -> None:
    assert shell("report").err == f"wrote {os.path.relpath(home / 'report.html')}\n" or shell("report").code == 0
    told = sections((home / "report.html").read_text(encoding="utf-8"))
    assert set(told) == {"small", "going on", "lost", "broken", "a b"}
    small = told["small"]
    assert "Minimize valid_loss of an mlp on sklearn:iris in 4 epochs, seed 0." in small
    assert "Best: <strong>momentum, lr 0.01" in small
    assert "valid_loss, lower is better" in small
    conclusion = dict(
        line.split(maxsplit=1) for line in shell("show", "small").out.splitlines() if line.startswith("  best ")
    )
    value = re.findall(r'<div class="value">(.*?)</div>', small)[0]
    assert value in conclusion["best"]  # the same number with the same interval
    assert "&lt;script&gt;" in small
    assert "<span>paper</span>" in small
    assert "Not complete: these are the trials so far.</span> 16 of 64 trials" in told["going on"]
    assert "Every trial failed." in told["lost"]
    assert "nothing has won" in told["lost"]
    assert "Cannot be read: " in told["broken"]


def test_links_lead_to_reports_that_are_there(shell: Shell, home: Path, tmp_path: Path) -> None:
    for page in (home / "report.html", tmp_path / "deep" / "all.html"):
        page.parent.mkdir(exist_ok=True)
        assert shell("report", "-o", page, "--force").code == 0
        text = page.read_text(encoding="utf-8")
        links = {own["href"] for tag, own in Elements(text).tags if tag == "a"}
        assert len(links) == 2
        assert all((page.parent / unquote(str(link))).is_file() for link in links)
        assert "No report yet: <code>tuner report &#39;going on&#39;</code> writes it" in text


def test_a_report_of_before_the_last_run_is_said_to_be(shell: Shell, home: Path) -> None:
    report = home / "small" / "report.html"
    before = report.stat()
    os.utime(report, (0, 0))
    try:
        shell("report")
        assert "(written before the last run)" in sections((home / "report.html").read_text(encoding="utf-8"))["small"]
    finally:
        os.utime(report, (before.st_atime, before.st_mtime))


def test_the_page_runs_nothing_and_is_the_same_again(shell: Shell, home: Path) -> None:
    shell("report")
    text = (home / "report.html").read_text(encoding="utf-8")
    assert not {tag for tag, _ in Elements(text).tags} & {"script", "img", "link", "iframe"}
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "default-src &#39;none&#39;" in text
    shell("report")
    assert (home / "report.html").read_text(encoding="utf-8") == text


def test_a_home_without_studies_has_a_page_that_says_so(shell: Shell, tmp_path: Path) -> None:
    ended = shell("report", "--home", tmp_path / "none")
    assert ended.code == 0
    assert "no studies in" in ended.err
    assert "There are no studies here." in (tmp_path / "none" / "report.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_lie_in_the_home_is_told(shell: Shell, tmp_path: Path) -> None:
    made_up(tmp_path, "report.html")
    ended = shell("report", "--home", tmp_path)
    assert ended.code == 1
    assert "report.html cannot be written: Is a directory; name another file with -o FILE" in ended.err


def test_a_page_of_a_database_names_it_and_no_password(
    shell: Shell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = studies(home)[:1]
    monkeypatch.setattr("tuner.cli.pages.studies", lambda home: found)
    monkeypatch.setattr(StudyDirectory, "changed", refused)
    url = "postgresql+psycopg://ann:sesame@db/lab"
    assert shell("report", "--storage", url, "--home", tmp_path).code == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "1 in postgresql+psycopg://ann:***@db/lab, the last" in text
    assert "sesame" not in text


def refused(directory: StudyDirectory) -> float:
    raise OSError("postgresql+psycopg://ann:sesame@db/lab: refused")


@pytest.mark.parametrize("name", ["\u00fc #1 50%?", "caf\udce9"])
def test_a_link_leads_to_a_directory_of_any_name(name: str, tmp_path: Path) -> None:
    directory = StudyDirectory(tmp_path / name)
    directory.path.mkdir()
    directory.report.touch()
    link, _ = link_of(directory, tmp_path / "report.html", 0.0)
    assert link.isascii()
    assert (tmp_path / unquote(link, errors="surrogateescape")).samefile(directory.report)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_its_window(shell: Shell, home: Path, chromium: Browser, width: int) -> None:
    shell("report")
    chromium.size(width)
    for scheme, ground in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 24, 28)")):
        chromium.prefer(scheme)
        chromium.open(home / "report.html", wait=False)
        assert chromium.ask("return document.documentElement.scrollWidth") <= width
        assert chromium.ask("return getComputedStyle(document.body).backgroundColor") == ground
        assert chromium.complaints() == []
        assert chromium.requests() == []
