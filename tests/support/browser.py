"""A headless Chromium on pages from disk, watched: what it logs, and what it asks the network for."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
PATIENCE = 60.0  # seconds for a page to draw its charts


def why_not() -> str:
    """Why there is no browser to test with; empty where there is one."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed: pip install selenium"
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found: apt-get install chromium chromium-driver" if missing else ""


class Browser:
    """Opens pages and asks them things."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, wait: bool = True) -> float:
        """Open a page of a file and wait until its charts are drawn; returns seconds until the first one was shown."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        began = time.monotonic()
        self.driver.get(page.as_uri())
        while wait and not self.ask("return document.documentElement.dataset.drawn"):
            assert time.monotonic() - began < PATIENCE, self.complaints()
            time.sleep(0.05)
        # While charts are drawn nobody answers: the page itself notes the moment.
        marks = "return performance.getEntriesByName('first chart').map((mark) => mark.startTime / 1000)"
        return float(self.ask(marks)[0]) if wait else 0.0

    def ask(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, script: str, *arguments: Any) -> Any:
        """Ask until the answer is true."""
        began = time.monotonic()
        while not (answer := self.ask(script, *arguments)):
            assert time.monotonic() - began < PATIENCE, (script, self.complaints())
            time.sleep(0.05)
        return answer

    def size(self, width: int, height: int = 900) -> None:
        """Make the window as wide as a screen of that size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Prefer light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def scripts(self, on: bool) -> None:
        """Turn scripts of pages on or off."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})

    def complaints(self) -> list[str]:
        """Warnings and errors that pages have logged."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self) -> list[str]:
        """What pages have asked for, beside themselves."""
        sent = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [one["params"]["request"]["url"] for one in sent if one["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("file:", "data:", "blob:", "chrome:"))]


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = str(shutil.which("chromium"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
