"""In a notebook: charts are drawn by what draws Altair's, progress is one line, written over."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from objectives.errors import InvalidInput
from tests.support.browser import Browser
from tuner.report.charts import CHARTS
from tuner.result import Result

KERNEL = all(importlib.util.find_spec(name) is not None for name in ("nbclient", "ipykernel"))
STUDY = """
study = {
    "study": {"name": "notebook", "trials": 8},
    "data": {"source": "sklearn:iris"},
    "train": {"epochs": 4, "batch_size": [16, 32]},
    "optimizers": {"momentum": {}, "adam": {}},
    "search": {"generation_size": 4},
    "confirm": {"top": 2, "seeds": 2},
}
"""


def test_charts_hold_their_data(varied: Result) -> None:
    for name in CHARTS:
        if name == "course":
            continue
        document = varied.chart(name).to_dict()
        assert "datasets" in document or "data" in document, name
        assert {"bad", "quiet"} <= set(document["config"]["style"]), f"{name} would be saved in other colours"
    rows = varied.chart("progress").to_dict()["datasets"]
    assert max(map(len, rows.values())) == 64


def test_a_chart_is_drawn_by_whom_its_reader_has_chosen(varied: Result) -> None:
    import altair

    chart = varied.chart("time")
    assert set(chart._repr_mimebundle_()) == {"text/html", "text/plain"}
    with altair.renderers.enable("json"):
        assert "application/json" in chart._repr_mimebundle_()[0]


@pytest.mark.slow
def test_a_chart_in_a_notebook_needs_no_network(varied: Result, tmp_path: Path, chromium: Browser) -> None:
    for name in ("progress", "optimizers"):
        page = tmp_path / f"{name}.html"
        page.write_text(varied.chart(name)._repr_mimebundle_()["text/html"], encoding="utf-8")
        chromium.open(page, wait=False)
        inside = "document.querySelector('iframe').contentDocument"
        chromium.wait_for(f"return {inside}.querySelectorAll('canvas, svg').length > 0")
        chromium.wait_for("return parseInt(document.querySelector('iframe').style.height) !== 340")
        assert chromium.complaints() == []
        assert chromium.requests() == []


def test_a_chart_that_is_not_there_is_told(varied: Result) -> None:
    with pytest.raises(InvalidInput, match=r"chart: 'sensitivty' is not known; did you mean 'sensitivity'\?"):
        varied.chart("sensitivty")
    with pytest.raises(InvalidInput, match="chart: 'course' has nothing to draw; this study has none of its kind"):
        varied.chart("course")


@pytest.mark.slow
@pytest.mark.skipif(not KERNEL, reason="pip install nbclient ipykernel")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_notebook_runs(tmp_path: Path) -> None:
    import nbclient
    import nbformat

    cells = [f"{STUDY}\nimport tuner\nresult = tuner.run(study, jobs=1, home={str(tmp_path)!r})"]
    cells += ['result.chart("sensitivity")', 'result.report("report.html").stat().st_size > 500_000']
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    ran, drawn, written = (cell["outputs"] for cell in book.cells)
    lines: list[Any] = [output["data"]["text/plain"] for output in ran if output["output_type"] == "display_data"]
    assert lines == ["done"]
    html = drawn[0]["data"]["text/html"]
    assert "vegaEmbed" in html
    assert not re.search(r"src\s*=\s*(&quot;|&#x27;|['\"])?\s*https?:", html)
    assert written[0]["data"]["text/plain"] == "True"
    assert json.dumps(book)
