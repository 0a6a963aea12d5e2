"""Texts that want to be more than text: shown as they are, in every field of a page, and nothing of them runs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest

from tests.support.browser import Browser
from tests.support.planted_studies import ended, reconfigured, sound, written
from tests.tuner.report.test_page import Elements
from tuner.api.import_optuna import import_study
from tuner.report.charts.sensitivity import sensitivity
from tuner.report.page import page
from tuner.report.pictures import inline_svg
from tuner.report.report_data import ReportData
from tuner.report.vega_data import Kept, script_json
from tuner.result import Result
from tuner.store.notes import StudyNotes
from tuner.study import Choices
from tuner.text import visible

PWN = "window.pwned=1"
PAYLOADS = [
    f"<script>{PWN}</script>",
    f"</script><script>{PWN}</script>",
    f"</style><script>{PWN}</script>",
    f"</title><script>{PWN}</script>",
    f"</svg></code></pre><script>{PWN}</script>",
    f"<!--<script>{PWN}",
    f"--><script>{PWN}</script>",
    f'"><img src=x onerror={PWN}>',
    f"'><img src=x onerror={PWN}>",
    f'" onmouseover="{PWN}" x="',
    f"' autofocus onfocus='{PWN}",
    f"<svg onload={PWN}>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    f"javascript:{PWN}",
    f"{{{{constructor.constructor('{PWN}')()}}}}",
    "{% raw %}{{ 7*7 }}",
    f"a\u2028{PWN}\u2029b",
    "\x1b[31mred\x1b[0m\x07\x00\x9b",
    "\u202eevil\u2066\ufeff\ud800",
    "x" * 10_000,
]


@dataclass
class Hostile:
    """A result of which every text that comes from outside is the payload."""

    inner: Result
    payload: str

    def __post_init__(self) -> None:
        text, study = self.payload, self.inner.study
        data = study.data.model_copy(update={"source": text, "target": text})
        model = study.model.model_copy(update={"activation": Choices((text, "y"))})
        self.study = replace(study, name=text, data=data, model=model)
        self.facts = {**self.inner.facts, "processor": text, text: text}
        told = {"origin": {"command": text, "commit": text}}
        self.generations = [replace(g, facts={**g.facts, **told}) for g in self.inner.generations]
        self.confirmed = self.inner.confirmed
        self.standings = self.inner.standings
        self.model_facts = self.inner.model_facts
        self.notes = StudyNotes(text, (text,))
        self.all_trials = [
            replace(reconfigured(t, activation=text if t.number % 2 else "y"), error=text if t.error else "")
            for t in self.inner.all_trials
        ]

    def ranking(self) -> Any:
        frame = self.inner.ranking()
        every = pd.Series([self.payload if number % 2 else "y" for number in frame["trial"]], dtype=object)
        return frame.assign(**{"activation": every, self.payload.replace("\ud800", "") + "_": range(len(frame))})

    def confirmation(self) -> Any:
        return self.inner.confirmation()

    def best(self, rank: int = 1, optimizer: str | None = None) -> Any:
        best = self.inner.best(rank, optimizer)
        return replace(best, study=self.payload, params={**best.params, "activation": self.payload, self.payload: 1})


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Result:
    trials = sound()[:24]
    trials[3] = ended(trials[3], "failed", "E")
    trials[5] = ended(trials[5], "diverged")
    return written(tmp_path_factory.mktemp("home"), trials)


@pytest.fixture(scope="module")
def harmless(inner: Result) -> str:
    return page(Hostile(inner, "x"))


def structure(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Tags of a page and the names of their attributes, its pictures left out."""
    bare = re.sub(r"<svg.*?</svg>", "<svg></svg>", text, flags=re.DOTALL)
    return [(tag, tuple(attributes)) for tag, attributes in Elements(bare).tags]


def check(text: str, harmless: str) -> None:
    assert structure(text) == structure(harmless)
    for picture in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        assert not [
            tag for tag, own in Elements(picture).tags if tag in ("script", "image") or any(n[:2] == "on" for n in own)
        ]
    for name in ("data", "specs", "settings"):
        json.loads(Elements(text).scripts[name])
    assert "\x1b" not in text
    assert not set("\u2028\u2029\u202e\ufeff") & set(re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))


def test_texts_of_all_kinds_stay_texts(inner: Result, harmless: str) -> None:
    check(page(Hostile(inner, " ".join(PAYLOADS))), harmless)


@pytest.mark.slow
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_nothing_runs_in_the_browser(
    inner: Result, harmless: str, payload: str, chromium: Browser, tmp_path: Path
) -> None:
    text = page(Hostile(inner, payload))
    check(text, harmless)
    place = tmp_path / "page.html"
    place.write_text(text, encoding="utf-8")
    chromium.size(1280)
    chromium.open(place)
    assert chromium.ask("return window.pwned") is None
    assert chromium.complaints() == []
    assert chromium.requests() == []


@pytest.mark.slow
def test_values_to_choose_from_are_drawn_as_texts(inner: Result) -> None:
    for payload in PAYLOADS:
        frames = ReportData(Hostile(inner, payload))
        (figure,) = (one for one in sensitivity(frames) if one.name == "sensitivity-activation")
        document, names = Kept(frames.trials).specification(figure.chart)
        svg = inline_svg(figure.name, document, dict.fromkeys(names, frames.trials))
        assert svg.count("<path") > 20  # a control character would end the process that draws
        assert set(frames.trials["activation"]) == {visible(payload), "y"}


def foreign(home: Path) -> Result:
    """A study of Optuna's with every payload among its names, choices and errors, imported."""
    usable = [text.replace("\x00", "").replace("\ud800", "") for text in PAYLOADS]
    study = optuna.create_study(storage=f"sqlite:///{home / 'o.db'}", study_name="theirs")
    study.set_metric_names([usable[1]])

    def objective(trial: optuna.Trial) -> float:
        value = sum(trial.suggest_float(f"{i}{text[:400]}", 0, 1) for i, text in enumerate(usable))
        trial.suggest_categorical("optimizer", usable)
        trial.suggest_categorical("kind", usable)
        if trial.number % 5 == 4:
            raise ValueError(usable[trial.number % len(usable)])
        trial.report(value, 0)
        return value

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study.optimize(objective, n_trials=30, catch=(ValueError,))
    return Result(import_study(f"sqlite:///{home / 'o.db'}", home=home))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")  # names of metrics
def test_nothing_runs_of_a_study_of_another_tool(chromium: Browser, tmp_path: Path) -> None:
    result = foreign(tmp_path)
    chromium.size(1280)
    chromium.open(result.report())
    assert chromium.ask("return document.querySelectorAll('.chart svg').length") > 20
    assert chromium.ask("return window.pwned") is None
    assert chromium.complaints() == []
    assert chromium.requests() == []


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_json_in_a_script_says_the_same(payload: str) -> None:
    text = script_json({payload: [payload, 1.5, None]})
    assert not set("<>&\u2028\u2029") & set(text)
    text.encode("utf-8")
    if "\ud800" not in payload:
        assert json.loads(text) == {payload: [payload, 1.5, None]}
