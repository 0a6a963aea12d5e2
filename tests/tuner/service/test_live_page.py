"""The live page in a browser: it grows with a study, starts one, and works by keyboard, narrow and dark."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.browser import Browser, browser, why_not
from tests.support.command import complete, made_up
from tests.support.served import Client, served
from tuner.service.settings import ServiceSettings
from tuner.store.ledger import Ledger

pytestmark = pytest.mark.slow
MISSING = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
if MISSING:
    pytest.skip("pip install 'tuner[serve]'", allow_module_level=True)
if why_not():
    pytest.skip(why_not(), allow_module_level=True)

TOKEN = "a-token-of-some-length"
DROP = """
const file = new File([arguments[0]], "study.toml"), carried = new DataTransfer();
carried.items.add(file);
dispatchEvent(new DragEvent("drop", {dataTransfer: carried, cancelable: true}));
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made_up(tmp_path / "home")
    with served(ServiceSettings(tmp_path / "home", base=tmp_path, jobs=1)) as found:
        yield found


def open_page(page: Browser, url: str) -> None:
    page.complaints()
    page.driver.get(url)
    page.wait_for("return document.body.dataset.shown")


def test_a_study_grows_on_the_page(page: Browser, client: Client, tmp_path: Path) -> None:
    open_page(page, f"{client.url}studies/small")
    lines = page.ask("return document.querySelectorAll('polyline').length")
    page.ask("document.getElementById('link-1').focus()")
    with Ledger.open(tmp_path / "home" / "small" / "ledger.db") as ledger:
        ledger.commit_generation(1, [replace(complete(6, [0.5, 0.4, 0.3, 0.2], 0.9), generation=1)])
    page.wait_for("return document.querySelectorAll('polyline').length > arguments[0]", lines)
    assert page.ask("return document.activeElement.id") == "link-1"
    assert "7 of 6 trials" in page.ask("return document.getElementById('live').textContent")
    assert page.complaints() == []


def test_a_dropped_study_is_checked_started_and_followed_to_its_end(page: Browser, client: Client) -> None:
    open_page(page, client.url)
    page.ask(
        DROP, '[study]\nname = "dropped"\ntrials = 8\nsead = 1\n[data]\nsource = "sklearn:iris"\n[optimizers.adam]\n'
    )
    page.wait_for("return document.getElementById('toml').value.includes('sead')")
    page.ask("document.querySelector('[value=studies]').click()")
    page.wait_for("return document.getElementById('said').className === 'problem'")
    assert "did you mean 'seed'?" in page.ask("return document.getElementById('said').textContent")
    page.ask("const field = document.getElementById('toml'); field.value = field.value.replace('sead', 'seed')")
    page.ask("document.querySelector('[value=studies]').click()")
    page.wait_for("return location.pathname === '/studies/dropped'")
    page.wait_for("return document.querySelector('#part .state')?.textContent === 'complete'")
    text = page.ask("return document.getElementById('live').textContent")
    assert "8 of 8 trials" in text
    assert "Best:" in text


def test_a_study_is_removed_once_its_name_is_written(page: Browser, client: Client, tmp_path: Path) -> None:
    open_page(page, f"{client.url}studies/small")
    page.ask("document.getElementById('remove').click()")
    page.ask("document.getElementById('again').value = 'smal'; document.querySelector('dialog [value=yes]').click()")
    page.wait_for("return document.getElementById('said').textContent.includes('nothing was removed')")
    page.ask("document.getElementById('remove').click()")
    page.ask("document.getElementById('again').value = 'small'; document.querySelector('dialog [value=yes]').click()")
    page.wait_for("return location.pathname === '/'")
    assert not (tmp_path / "home" / "small").exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1100])
def test_it_fits_any_window_in_both_themes(page: Browser, client: Client, scheme: str, width: int) -> None:
    page.size(width)
    page.prefer(scheme)
    page.driver.get("about:blank")
    page.requests()
    for path in ("", "studies/small"):
        open_page(page, client.url + path)
        assert page.ask("return document.documentElement.scrollWidth") <= width
        ground = page.ask("return getComputedStyle(document.body).backgroundColor")
        assert (max(map(int, ground[4:-1].split(","))) < 100) == (scheme == "dark")
        asked = [url for url in page.requests() if url.startswith("http")]
        assert asked
        assert all(url.startswith(client.url) for url in asked)


def test_everything_is_reached_by_keyboard(page: Browser, client: Client) -> None:
    from selenium.webdriver import ActionChains, Keys

    open_page(page, client.url)
    reached = []
    while "Check" not in reached:
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        reached.append(page.ask("return document.activeElement.id || document.activeElement.textContent.trim()"))
        if reached[-1] == "Start a study":
            ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    wanted = ("To the content", "study-1", "Start a study", "file", "toml", "priority", "Start", "Check")
    assert [name for name in reached if name in wanted] == list(wanted)


def test_the_report_is_drawn_and_cannot_ask_the_service(page: Browser, client: Client) -> None:
    page.driver.get("about:blank")
    page.complaints()
    page.driver.get(f"{client.url}api/v1/studies/small/report")
    page.wait_for("return document.documentElement.dataset.drawn")
    assert page.ask("return window.origin") == "null"
    assert page.complaints() == []


def test_the_token_is_asked_for_once(page: Browser, tmp_path: Path) -> None:
    made_up(tmp_path)
    with served(ServiceSettings(tmp_path, base=tmp_path, token=TOKEN)) as client:
        page.driver.get(f"{client.url}studies/small")
        assert page.ask("return location.pathname") == "/login"
        page.ask(
            "document.getElementById('token').value = arguments[0]; document.querySelector('form').submit()", TOKEN
        )
        page.wait_for("return location.pathname === '/' && document.body.dataset.shown")
        assert "small" in page.ask("return document.getElementById('live').textContent")
