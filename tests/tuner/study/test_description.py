"""The question in the user's words: kept with the study, shown where the study is, and no part of what is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tuner
from tests.support.command import Shell
from tests.support.planted_studies import changed_study, sound, written
from tuner.errors import StudyError
from tuner.study import read_study
from tuner.study.changed_keys import differences

WORDS = 'Which rate for "wine" & <b>beer</b>?'


def test_it_is_kept_with_the_study_and_is_no_part_of_what_is_asked() -> None:
    plain = read_study(changed_study(), needs_data=False)
    told = read_study(changed_study(study={"description": WORDS}), needs_data=False)
    assert told.description == WORDS
    assert told.to_table()["study"]["description"] == WORDS
    assert "description" not in plain.to_table()["study"]
    assert told == plain
    assert differences(plain, told) == []


def test_it_is_a_text_of_some_length() -> None:
    with pytest.raises(StudyError, match=r"study.description"):
        read_study(changed_study(study={"description": "x" * 1001}), needs_data=False)


def test_it_is_shown_and_listed_and_heads_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = written(tmp_path, sound(), [], changed_study(study={"description": WORDS}))
    shell = Shell(capsys)
    assert WORDS in shell("show", "sound", "--home", tmp_path).out
    (listed,) = json.loads(shell("list", "--home", tmp_path, "-f", "json").out)
    assert listed["description"] == WORDS
    assert WORDS not in shell("list", "--home", tmp_path).out
    assert tuner.list(tmp_path).loc[0, "description"] == WORDS
    page = result.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<p class="description">Which rate for &#34;wine&#34; &amp; &lt;b&gt;beer&lt;/b&gt;?</p>' in page
