"""The site builds without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.generated import PAGES, pages

ROOT = PAGES.parents[1]


@pytest.mark.slow
def test_the_site_builds(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="pip install -e '.[docs]'")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", "tuner/docs/mkdocs.yml"]
    done = subprocess.run([*line, "--site-dir", str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = {path.name for path in tmp_path.glob("*.html")}
    assert {f"{page.stem}.html" for page in pages()} <= built
    assert not list(tmp_path.rglob("*.py"))
