"""`tuner note`, and where notes are shown: list, show, the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import Shell, made_up
from tuner.store.notes import read_notes
from tuner.views.sheet import Sheet, formatted

EVIL = "<b>&amp; *x* |_y_ `z` [a](http://b) ~~s~~ \x1b[31m\u202e"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    made_up(tmp_path)
    return Shell(capsys)


def test_notes_are_written_and_shown(shell: Shell, tmp_path: Path) -> None:
    assert "nothing is noted of small" in shell("note", "small").err
    assert shell("note", "small", "two\nlines", "--tag", "paper", "--tag", "b").code == 0
    assert shell("note", "small").out == "tags: b, paper\ntwo\nlines\n"
    assert shell("note", "small", "--untag", "b").out == "tags: paper\ntwo\nlines\n"
    assert shell("note", "small", "").out == "tags: paper\n"
    assert shell("note", "small", "--untag", "paper").code == 0
    assert not (tmp_path / "small" / "notes.json").exists()


def test_what_cannot_be_noted_is_refused(shell: Shell, tmp_path: Path) -> None:
    ended = shell("note", "small", "--tag", "two words")
    assert ended.code == 2
    assert "'two words' is no tag" in ended.err
    assert "'two-words'?" in ended.err
    assert "--untag none: study 'small' has no such tag" in shell("note", "small", "--untag", "none").err
    (damaged := made_up(tmp_path, "torn")).notes.write_text("{")
    assert "notes of study 'torn': cannot be read" in shell("note", "torn", "--untag", "none").err
    assert damaged.notes.read_text() == "{"
    assert "did you mean 'small'" in shell("note", "smal", "x").err
    assert not read_notes(made_up(tmp_path, "other"))


def test_a_list_has_columns_for_notes_only_if_there_are_any(shell: Shell, tmp_path: Path) -> None:
    made_up(tmp_path, "other")
    assert "NOTE" not in shell("list").out
    assert "TAGS" not in shell("list").out
    for name in ("small", "other"):
        shell("note", name, "the very same, and far too long for a column of a table", "--tag", "paper")
    out = shell("list").out
    assert "TAGS" in out
    assert "the very same, and far too long for ..." in out
    (first, _) = json.loads(shell("list", "-f", "json").out)
    assert first["tags"] == "paper"
    assert first["note"].endswith("of a table")


def test_a_page_shows_notes_as_they_are(shell: Shell, tmp_path: Path) -> None:
    before = json.loads(shell("show", "small", "-f", "json").out)
    shell("note", "small", EVIL, "--tag", "paper")
    shown = shell("show", "small").out
    assert "note         <b>&amp; *x* |_y_" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    document = json.loads(shell("show", "small", "-f", "json").out)
    assert document == before | {"note": EVIL.strip(), "tags": ["paper"]}
    shell("report", "small")
    page = (tmp_path / "small" / "report.html").read_text(encoding="utf-8")
    head = page.partition("</header>")[0]
    assert "&lt;b&gt;&amp;amp; *x*" in head
    assert "\x1b" not in page
    assert "<span>paper</span>" in head


def test_markdown_shows_a_text_as_it_is() -> None:
    cell = formatted(Sheet(("note",), ((EVIL,),)), "md").splitlines()[2]
    assert cell == r"| \<b>\&amp; \*x\* \|\_y\_ \`z\` [a]\(http://b) \~\~s\~\~ [31m |"
    assert formatted(Sheet(("valid_loss",), (("0.09 [0.08, 0.1]",),)), "md").splitlines()[2] == "| 0.09 [0.08, 0.1] |"
