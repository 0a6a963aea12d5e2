"""The page in a browser: complete offline, drawn, linked, sortable, readable on a phone and without scripts."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Browser
from tuner.result import Result

pytestmark = pytest.mark.slow
NOT_DRAWN = """
return [...document.querySelectorAll('.chart')].filter((place) => {
  const svg = place.querySelector('svg');
  return !svg || svg.querySelectorAll('.role-mark path, .role-mark line').length < 1;
}).map((place) => place.dataset.figure)
"""
MARKED = "return [...document.querySelectorAll('#trials tr.marked')].map((row) => Number(row.dataset.trial))"
SHOWN = "return [...document.querySelectorAll('#trials tbody tr[data-trial]')].map((row) => Number(row.dataset.trial))"
RINGS = "return document.querySelectorAll('[data-figure=progress] svg .layer_3_marks path').length"


@pytest.fixture
def page(chromium: Browser, varied_page: Path) -> Browser:
    chromium.size(1280)
    chromium.prefer("light")
    chromium.open(varied_page)
    return chromium


def point_at(page: Browser, selector: str, which: int = 0) -> Any:
    """Move the mouse over an element."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    element = page.driver.find_elements(By.CSS_SELECTOR, selector)[which]
    page.ask("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    ActionChains(page.driver).move_to_element(element).perform()
    return element


def click(page: Browser, selector: str, which: int = 0) -> None:
    page.ask("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, which)


def typed(page: Browser, selector: str, text: str) -> None:
    script = "const it = document.querySelector(arguments[0]); it.value = arguments[1];"
    page.ask(f"{script} it.dispatchEvent(new Event('input')); it.dispatchEvent(new Event('change'))", selector, text)


def test_every_chart_is_drawn_and_nothing_is_asked_for(page: Browser) -> None:
    assert page.ask(NOT_DRAWN) == []
    assert page.complaints() == []
    assert page.requests() == []


def test_pointing_at_a_trial_marks_it_elsewhere(page: Browser) -> None:
    row = point_at(page, "#trials tbody tr[data-trial]")
    number = int(row.get_attribute("data-trial"))
    page.wait_for(f"{RINGS} === 1")
    assert f"trial {number}," in page.ask("return document.querySelector('#pointed').textContent")
    point_at(page, "[data-figure=progress] svg .layer_0_marks path", 20)
    page.wait_for(f"{MARKED}[0] > -1 && document.querySelector('#trials tr.marked').dataset.trial !== '{number}'")


def test_the_table_sorts_and_filters(page: Browser, varied: Result) -> None:
    ranking = varied.ranking()
    assert page.ask(SHOWN) == list(ranking["trial"])
    click(page, "#trials th[data-column=lr]")
    assert page.ask(SHOWN) == list(ranking.sort_values("lr", kind="stable")["trial"])
    click(page, "#trials th[data-column=lr]")
    assert page.ask("return document.querySelector('th[data-column=lr]').ariaSort") == "descending"
    assert page.ask(SHOWN)[0] == ranking.sort_values("lr")["trial"].iloc[-1]
    typed(page, "#filter", "adam lr<0.01 complete")
    wanted = ranking[(ranking["optimizer"] == "adam") & (ranking["lr"] < 0.01) & (ranking["state"] == "complete")]
    assert sorted(page.ask(SHOWN)) == sorted(wanted["trial"])
    typed(page, "#filter", "")
    typed(page, "#state", "failed")
    assert page.ask(SHOWN) == [10]


def test_the_check_sorts_and_filters_by_its_number(page: Browser, varied: Result) -> None:
    means = {standing.trial: standing.goal.mean for standing in varied.standings}
    click(page, "#trials th[data-column=check]")
    assert page.ask(SHOWN)[: len(means)] == sorted(means, key=means.__getitem__)
    middle = sorted(means.values())[len(means) // 2]
    typed(page, "#filter", f"check<{middle!r}")
    assert sorted(page.ask(SHOWN)) == sorted(trial for trial, mean in means.items() if mean < middle)


def test_the_table_downloads_as_csv_in_full(page: Browser, varied: Result) -> None:
    page.ask("URL.createObjectURL = (blob) => { blob.text().then((text) => (window.saved = text)); return '#'; }")
    click(page, "#csv")
    rows = list(csv.DictReader(io.StringIO(page.wait_for("return window.saved"))))
    ranking = varied.ranking()
    assert list(rows[0]) == list(ranking.columns)
    assert [float(row["lr"]) for row in rows] == list(ranking["lr"])


def test_copy_buttons_copy(page: Browser) -> None:
    page.ask("window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text); }")
    click(page, "[data-tab=torch]")
    for selector in ("#provenance .copy", ".tab[data-tab=torch] .copy"):
        click(page, selector)
    page.wait_for("return window.copied.length === 2")
    toml, torch = page.ask("return window.copied")
    assert '[study]\nname = "varied"' in toml
    assert "import torch" in torch


def test_a_legend_fades_the_others_everywhere(page: Browser) -> None:
    faint = (
        "return document.querySelectorAll('[data-figure=progress] svg .layer_0_marks path[opacity=\"0.06\"]').length"
    )
    assert page.ask(faint) == 0
    click(page, ".legend [data-focus=adam]")
    page.wait_for(f"{faint} > 10")
    assert page.ask("return document.querySelectorAll('.legend [aria-pressed=true]').length") > 1


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_its_window(chromium: Browser, varied_page: Path, width: int, scheme: str) -> None:
    chromium.size(width)
    chromium.prefer(scheme)
    chromium.open(varied_page)
    assert chromium.ask("return document.documentElement.scrollWidth") <= width
    widths = "return [...document.querySelectorAll('.chart svg')].map((svg) => svg.getBoundingClientRect().width)"
    assert max(chromium.ask(widths)) <= width
    ground = chromium.ask("return getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}[scheme]
    assert chromium.complaints() == []


def test_without_scripts_there_are_pictures_and_tables(chromium: Browser, varied_page: Path) -> None:
    chromium.scripts(False)
    try:
        chromium.open(varied_page, wait=False)
        tree = chromium.driver.page_source
        assert tree.count('<noscript class="static"><svg') == tree.count('class="chart"')
        assert chromium.driver.find_element("css selector", ".static svg").is_displayed()
        assert len(chromium.driver.find_elements("css selector", "#trials tbody tr")) == 50
        assert not chromium.driver.find_element("css selector", ".controls").is_displayed()
    finally:
        chromium.scripts(True)


def test_print_shows_the_pictures(page: Browser) -> None:
    assert page.ask("return document.querySelector('.static svg')") is None  # nothing is laid out that is not seen
    page.driver.execute_cdp_cmd("Page.printToPDF", {})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        drawn = "return [...document.querySelectorAll('.static svg')].length"
        assert page.ask(drawn) == page.ask("return document.querySelectorAll('.chart').length")
        assert page.ask("return getComputedStyle(document.querySelector('.static')).display") == "block"
        assert page.ask("return getComputedStyle(document.querySelector('.chart')).display") == "none"
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_browser_that_cannot_unpack_shows_the_pictures(chromium: Browser, varied_page: Path) -> None:
    source = {"source": "delete window.DecompressionStream"}
    added = chromium.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    try:
        chromium.open(varied_page)
        shown = "return getComputedStyle(document.querySelector(arguments[0])).display"
        assert chromium.ask(shown, ".static") == "block"
        assert chromium.ask(shown, ".chart") == "none"
        assert len(chromium.ask("return [...document.querySelectorAll('#trials tbody tr[data-trial]')]")) == 64
        assert chromium.complaints() == []
    finally:
        chromium.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_each_chart_is_one_picture_with_a_name(page: Browser) -> None:
    nameless = "return [...document.querySelectorAll('.chart svg.marks')].filter((svg) => !svg.ariaLabel).length"
    assert page.ask(nameless) == 0
    heard = "return [...document.querySelectorAll('.chart svg.marks > *')].filter((part) => !part.ariaHidden).length"
    assert page.ask(heard) == 0
    scrolled = """return [...document.querySelectorAll('body *')].filter((part) =>
      /auto|scroll/.test(getComputedStyle(part).overflowX) && part.scrollWidth > part.clientWidth + 1
      && part.tabIndex < 0 && !part.querySelector('button, a')).map((part) => part.outerHTML.slice(0, 80))"""
    page.size(400)
    assert page.ask(scrolled) == []
