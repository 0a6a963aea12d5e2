"""The manual and the README tell the truth: their Python runs, their study files load, their commands print that."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.examples import Block, blocks_of, check_output, check_study, run_page
from tests.docs.generated import PAGES, pages
from tests.support.command import Shell
from tuner.errors import StudyError

ROOT = PAGES.parents[1]
README = ROOT / "README.md"
NEEDS = {"pytorch": "torch", "exchange": "pyarrow"}
ON_DIGITS = ("use-the-best", "report", "exchange", "failures-and-limits")  # pages whose examples begin with that study
QUICK = ("own-code", "notebooks", "use-the-best", "exchange", "study-file", "failures-and-limits")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run command lines beside the studies that ship, and return what they print."""
    for name in ("TUNER_HOME", "TUNER_TRIALS", "TUNER_SEED", "TUNER_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUNER_JOBS", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    shell = Shell(capsys)

    def run(words: list[str]) -> str:
        ended = shell(*words)
        assert ended.code == 0, f"tuner {' '.join(words)}\n{ended.err}"
        return ended.out + ended.err

    return run


def with_examples() -> list[object]:
    """Return the README and every page that has something to run."""
    found = [path for path in (README, *pages()) if {b.language for b in blocks_of(path.read_text())} & RUN]
    return [pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else [pytest.mark.slow]) for path in found]


RUN = {"python", "console", "toml"}


@pytest.mark.parametrize("page", with_examples())
def test_the_examples_run(page: Path, tmp_path: Path, command: Callable[..., str]) -> None:
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
    if page.stem in ON_DIGITS:
        small = ["--set", "search.generation_size=16", "--set", "train.epochs=6"]
        command(["run", "studies/digits.toml", "-n", "16", *small])
    names = run_page(page.read_text(encoding="utf-8"), tmp_path, command)
    if page.stem == "python":
        assert names["outcome"].curves["valid_loss"].shape == (1, 3, 20)
        assert names["best"].confirmed


def test_what_is_shown_and_not_printed_is_found() -> None:
    check_output("x", ["loss 0.25", "...", "1=  tie"], "loss  0.5\n")
    with pytest.raises(AssertionError, match=r"does not print: gain 0\.25"):
        check_output("x", ["gain 0.25"], "loss 0.5\n")


def test_a_part_of_a_study_file_that_cannot_be_is_found(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="did you mean 'patience'"):
        check_study(Block("toml", "", "[train]\npatence = 3\n"), tmp_path)


def test_no_block_is_left_unread() -> None:
    known = {"python", "toml", "console", "text", "sh", "py"}
    for page in (README, *pages()):
        text = page.read_text(encoding="utf-8")
        assert {block.language for block in blocks_of(text)} <= known, page.name
        assert len(blocks_of(text)) * 2 == len(re.findall(r"^```", text, flags=re.MULTILINE)), page.name


def test_the_readme_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.encode()) <= 6_000
    assert len(text.splitlines()) <= 120


def test_the_two_commands_are_written_as_the_gate_reads_them() -> None:
    first, second = re.findall(r"^\d\. `(.*)`$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert first.endswith(".venv/bin/tuner run studies/digits.toml")
    assert second.endswith(".venv/bin/pip install -e '.[test]' && .venv/bin/pytest")


@pytest.mark.parametrize("page", [README, *pages()], ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
