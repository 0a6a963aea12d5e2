"""`tuner docs`: the list of pages, a page in a terminal and in a pipe, and a topic that does not exist."""

from __future__ import annotations

import re

import pytest

from tests.support.command import Shell
from tuner.cli.commands.docs import listed
from tuner.cli.markdown import rendered
from tuner.docs import load_page, load_pages


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_without_a_topic_the_pages_are_listed(shell: Shell) -> None:
    ended = shell("docs")
    assert ended.code == 0
    assert ended.out.splitlines()[:2] == ["Tutorials", "  first-study             Run a study and read its output."]
    assert all(f"  {page.topic} " in ended.out for page in load_pages())
    assert ended.err == "`tuner docs TOPIC` shows one of them.\n"


def test_the_list_fits_a_terminal() -> None:
    assert max(map(len, listed().splitlines())) <= 80


def test_in_a_pipe_a_page_is_markdown(shell: Shell) -> None:
    ended = shell("docs", "first-study")
    assert (ended.code, ended.out, ended.err) == (0, load_page("first-study"), "")


def test_an_unknown_topic_has_the_nearest_one(shell: Shell) -> None:
    ended = shell("docs", "first-studdy")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: tuner docs: no page 'first-studdy'; did you mean 'first-study'?\n"


@pytest.mark.parametrize("page", load_pages(), ids=lambda page: page.topic)
def test_a_page_fits_a_terminal(page: object) -> None:
    text = rendered(load_page(page.topic), 80, colour=False)  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text  # nothing is cut off
    assert "<!--" not in text
    assert not re.search(r"\]\(\w+", text)  # no link is left as Markdown


def test_links_become_commands_and_colour_is_optional() -> None:
    text = "# Head\n\n![a picture](x.png)\n\nSee [Results](results.md#files).\n"
    assert "See Results (tuner docs results)." in rendered(text, 80, colour=False)
    assert "picture" not in rendered(text, 80, colour=False)
    assert "\x1b[" in rendered(text, 80, colour=True)
