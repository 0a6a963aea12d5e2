"""Lists of studies as tables for Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import tuner
from tests.support.command import made_up


def test_studies_are_listed_with_a_row_for_each(tmp_path: Path) -> None:
    assert tuner.list(tmp_path / "none").empty
    made_up(tmp_path)
    frame = tuner.list(tmp_path)
    assert frame["name"].tolist() == ["small"]
    assert frame.loc[0, ["trials", "planned", "complete", "best"]].tolist() == [6, 6, 3, 0.25]


def test_a_study_that_cannot_be_read_is_left_out_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ledger.db").write_text("no", encoding="utf-8")
    with pytest.warns(UserWarning, match="broken: cannot be read"):
        assert tuner.list(tmp_path).empty
