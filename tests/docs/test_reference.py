"""What the manual generates from the code is current, and what it says of files and names is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.docs.architecture import units
from tests.docs.generated import PAGES, PARTS, filled, pages, part_of
from tests.docs.reference import described_keys, with_subtables
from tests.docs.sentences import README, median_length, sentences
from tuner.cli.program import program
from tuner.docs import load_pages

ROOT = PAGES.parents[1]
PLACE = re.compile(r"`((?:objectives|tuner|tests|studies)/[\w/.-]*)`")
NAMED = re.compile(r"`([A-Z_]+)`(?: (?:or|and rows of) `([A-Z_]+)`)? in `([\w/.]+)`")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_generated_parts_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == filled(text, PARTS), "stale: python -m tests.docs --write"


def test_a_stale_part_is_found() -> None:
    text = "a\n<!-- generated: keys -->\nold\n<!-- end -->\nb\n"
    new = filled(text, {"keys": lambda: "new"})
    assert new == "a\n<!-- generated: keys -->\n\nnew\n\n<!-- end -->\nb\n"
    assert part_of(new, "keys") == "new"
    assert filled(text, {}) == text


@pytest.mark.parametrize(("name", "model"), list(with_subtables()))
def test_every_key_is_described(name: str, model: type[BaseModel]) -> None:
    assert list(described_keys(model)) == list(model.model_fields), name


def test_every_command_is_in_the_reference() -> None:
    part = part_of((PAGES / "commands.md").read_text(encoding="utf-8"), "commands")
    assert re.findall(r"^### tuner (\S+)$", part, flags=re.MULTILINE) == list(program.commands)


@pytest.mark.parametrize("page", [README, *pages()], ids=lambda page: page.stem)
def test_every_place_exists(page: Path) -> None:
    for place in PLACE.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / place.split("*")[0]).exists(), place


def test_every_name_is_where_it_is_said_to_be() -> None:
    found = NAMED.findall((PAGES / "extending.md").read_text(encoding="utf-8"))
    assert len(found) > 20
    for first, second, place in found:
        text = (ROOT / place).read_text(encoding="utf-8")
        for name in filter(None, (first, second)):
            assert re.search(rf"^{name}\b", text, flags=re.MULTILINE), f"{place} has no {name}"


def test_the_map_names_every_package() -> None:
    named = set(PLACE.findall(part_of((PAGES / "architecture.md").read_text(encoding="utf-8"), "packages")))
    for root in ("objectives", "tuner"):
        there = {path for path in (ROOT / root).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
        for path in there - {ROOT / root / "__init__.py", ROOT / root / "__main__.py"}:
            assert f"{root}/{path.name}{'/' if path.is_dir() else ''}" in named, path
    assert len(named) == len(units())


def test_the_table_of_contents_has_every_page() -> None:
    listed = [page.topic for page in load_pages()]
    assert {*listed, "index"} == {path.stem for path in pages()}
    assert len(set(listed)) == len(listed)
    for page in load_pages():
        assert (PAGES / f"{page.topic}.md").read_text(encoding="utf-8").startswith("# ")


def test_the_site_has_the_pages_in_the_same_order() -> None:
    site = re.findall(r"([a-z-]+)\.md", (PAGES / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2])
    assert site == ["index", *(page.topic for page in load_pages())]


def test_half_of_all_sentences_are_short() -> None:
    assert median_length([README, *pages()]) <= 16
    for page in (README, *pages()):
        assert median_length([page]) <= 16, page.name


def test_sentences_are_told_apart() -> None:
    text = "# Head\n\nOne `a. b` two. Three four: see [it](x.md).\n\n```text\nno\n```\n- five six\n- seven eight\n"
    assert sentences(text) == ["One Code two.", "Three four: see it.", "five six", "seven eight"]
