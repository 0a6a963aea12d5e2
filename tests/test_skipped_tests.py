"""What the gate runs again once optional parts are there: the tests that were skipped, and no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skipped_tests import skipped_tests

SOME = """
import pytest

@pytest.mark.parametrize("word", ["a[b]::c", "d e", "\\x1b\\xfc", "", 'q"<&', "runs"])
def test_words(word):
    if word != "runs":
        pytest.skip("not here")

class TestClass:
    def test_method(self):
        pytest.skip("not here")
"""
WHOLE = 'import pytest\npytest.skip("not here", allow_module_level=True)\ndef test_one(): pass\n'


def pytest_in(folder: Path, *args: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_what_was_skipped_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "test_some.py").write_text(SOME, encoding="utf-8")
    (tmp_path / "test_whole.py").write_text(WHOLE, encoding="utf-8")
    assert "1 passed, 7 skipped" in pytest_in(tmp_path, "--junitxml=report.xml", ".")
    found = skipped_tests(tmp_path / "report.xml", tmp_path)
    assert found[0] == "inner/test_some.py::TestClass::test_method"
    assert found[-1] == "test_whole.py"
    assert len(found) == 7
    (tmp_path / "skipped").write_text("\n".join(found) + "\n", encoding="utf-8")
    assert "7 skipped in" in pytest_in(tmp_path, "-n", "2", "@skipped")


def test_a_report_of_other_files_is_refused(tmp_path: Path) -> None:
    text = '<testsuites><testcase classname="gone.test_x" name="test_a"><skipped/></testcase></testsuites>'
    (tmp_path / "report.xml").write_text(text, encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"gone\.test_x is in no file below"):
        skipped_tests(tmp_path / "report.xml", tmp_path)
