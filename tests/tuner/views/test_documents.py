"""Documents: the same as what commands print as JSON, made of plain values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Shell, made_up
from tuner.result import Result
from tuner.store.directory import StudyDirectory
from tuner.views.documents import list_document, ranking_document, study_document, trial_document
from tuner.views.json_values import json_value
from tuner.views.overview import overview


@pytest.fixture
def small(tmp_path: Path) -> StudyDirectory:
    return made_up(tmp_path)


def printed(shell: Shell, *words: str | Path) -> Any:
    return json.loads(shell(*words, "-f", "json").out)


def test_documents_are_what_commands_print(
    small: StudyDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell, result = Shell(capsys), Result(small)
    assert json_value(study_document(result)) == printed(shell, "show", "small", "--home", tmp_path)
    assert json_value(trial_document(result, 0)) == printed(shell, "show", "small/0", "--home", tmp_path)
    assert json_value(ranking_document(result)) == printed(shell, "top", "small", "--home", tmp_path)
    (listed,) = printed(shell, "list", "--home", tmp_path)
    (document,) = list_document([overview(small)])
    assert {**listed, "age": 0} == {**json_value(document), "age": 0}
