"""Notes on a study: kept apart from it, never half written, never lost to another writer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuner
from tests.support.command import made_up
from tuner.errors import StudyError, TunerError
from tuner.store.directory import StudyDirectory
from tuner.store.notes import StudyNotes, change_notes, check_tag, read_notes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StudyDirectory:
    return StudyDirectory(tmp_path_factory.mktemp("home") / "study")


@given(st.text(max_size=60), st.lists(st.from_regex(r"[^\W_][\w.+-]{0,9}", fullmatch=True), max_size=4))
def test_what_is_noted_is_read_again(place: StudyDirectory, text: str, tags: list[str]) -> None:
    change_notes(place, lambda notes: StudyNotes(text).tagged(tags))
    assert read_notes(place) == StudyNotes(text, tuple(sorted(set(tags))))
    assert place.notes.exists() == bool(text or tags)


@pytest.mark.parametrize("tag", ["", "two words", "-x", "_x", "a,b", "<b>", "a\x1b", "x" * 41, "a\n"])
def test_a_tag_is_one_word(place: StudyDirectory, tag: str) -> None:
    assert "one word" in check_tag(tag)
    with pytest.raises(StudyError, match="is no tag"):
        change_notes(place, lambda notes: notes.tagged([tag]))


def test_a_long_text_is_refused(place: StudyDirectory) -> None:
    with pytest.raises(StudyError, match="2,001 characters, 2,000 at most"):
        change_notes(place, lambda notes: replace(notes, text="x" * 2001))


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    place = StudyDirectory(tmp_path / "study")
    tags = [f"tag{i}" for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda tag: change_notes(place, lambda notes: notes.tagged([tag])), tags))
    assert read_notes(place).tags == tuple(sorted(tags))
    assert [path.name for path in place.path.iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b'{"text": 1, "tags": []}', b'{"text": "x"}', b"\xff\xfe"])
def test_a_damaged_file_is_told_and_not_replaced(tmp_path: Path, torn: bytes) -> None:
    place = made_up(tmp_path)
    place.notes.write_bytes(torn)
    assert "mend or delete" in read_notes(place).problem
    with pytest.raises(TunerError, match="notes of study 'small': cannot be read"):
        change_notes(place, lambda notes: notes.tagged(["x"]))
    assert place.notes.read_bytes() == torn
    assert tuner.list(tmp_path).loc[0, "complete"] == 3  # the study itself is as it was


def test_notes_do_not_wait_for_the_run_and_change_nothing_of_it(tmp_path: Path) -> None:
    place = made_up(tmp_path)
    before = {path.name: path.read_bytes() for path in place.path.iterdir()}
    ranking = tuner.open(place.path).ranking()
    with place.lock():
        change_notes(place, lambda notes: replace(notes, text="while it runs").tagged(["paper"]))
        assert read_notes(place).text == "while it runs"
    assert {name: (place.path / name).read_bytes() for name in before} == before
    assert tuner.open(place.path).ranking().equals(ranking)
    assert tuner.open(place.path).notes.tags == ("paper",)
    assert place.notes.stat().st_mode & 0o777 == 0o600


def test_a_study_that_is_moved_aside_takes_its_notes_along(tmp_path: Path) -> None:
    place = made_up(tmp_path)
    change_notes(place, lambda notes: notes.tagged(["old"]))
    with place.lock():
        aside = place.set_aside()
    assert read_notes(aside).tags == ("old",)
    assert not read_notes(place)
