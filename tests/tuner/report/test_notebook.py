"""In a notebook: charts are drawn by what draws Altair's, progress is one line, written over."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest

from objectives.errors import InvalidInput
from tests.support.browser import Browser
from tests.support.planted_studies import sound, written
from tuner.report.charts import CHARTS
from tuner.report.conclusion import Conclusion
from tuner.report.report_data import ReportData
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


def test_a_notebook_shows_the_words_that_a_run_ends_with(tmp_path: Path) -> None:
    varied = written(tmp_path / "sound", sound(), [])
    shown = varied._repr_html_()
    told = Conclusion(ReportData(varied), varied.best())
    for label, sentence in told.sentences:
        assert f"<th>{label}</th><td><span>{escape(sentence)}</span></td>" in shown
    assert f"<code>{told.use}</code>" in shown
    first = varied.findings()[0]
    assert f"<code>{escape(first.command)}</code>" in shown
    assert varied.findings()._repr_html_().count("<li>") == len(varied.findings())
    assert escape(first.sentence) in first._repr_html_()
    assert escape(first.worth) in first._repr_html_()
    nothing = written(tmp_path / "none", [], [])._repr_html_()
    assert "has 0 complete trials" in nothing


def test_what_comes_from_outside_is_escaped_in_a_notebook(tmp_path: Path) -> None:
    trials = [replace(trial, config={**trial.config, "optimizer": "<b>x</b>"}) for trial in sound()]
    shown = written(tmp_path / "<i>", trials, [])._repr_html_()
    assert "&lt;b&gt;x" in shown
    assert "<b>x" not in shown
    assert "<i>" not in shown
