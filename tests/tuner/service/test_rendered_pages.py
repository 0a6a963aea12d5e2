"""The pages as the service makes them: whole without the script, and safe whatever a study is called or says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import complete, made_up
from tests.support.planted_studies import sound, written
from tuner.result import Result
from tuner.service.chart import HEIGHT, WIDTH, curve_chart
from tuner.service.guard import COOKIE, admit, session_of
from tuner.service.messages import Reply, Request
from tuner.service.pages import PAGES
from tuner.service.room import ServiceRoom
from tuner.service.settings import ServiceSettings

TOKEN = "a-token-of-some-length"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ServiceRoom]:
    made_up(tmp_path, error=HOSTILE)
    with ServiceRoom(ServiceSettings(tmp_path, base=tmp_path, token=TOKEN)) as opened:
        yield opened


def shown(room: ServiceRoom, path: str, method: str = "GET", body: str = "", **values: str) -> Reply:
    row = next(row for row in PAGES if (row.method, row.path) == (method, path))
    return row.handler(room, Request(values, {}, body.encode()))


def test_the_list_shows_every_study(room: ServiceRoom) -> None:
    room.queue.add("waiting", "run", {})
    text = shown(room, "/").body.decode()
    assert re.findall(r'href="/studies/(\w+)"', text) == ["waiting", "small"]
    assert re.findall(r'class="state (\w+)"', text) == ["queued", "complete"]
    assert "6 of 6" in text
    assert shown(room, "/part").body.decode() in text


def test_a_study_shows_what_it_found(room: ServiceRoom) -> None:
    text = shown(room, "/studies/{name}", name="small").body.decode()
    for words in ("Best:", "Learning curves", "Ranking", "What to do next", "/api/v1/studies/small/report"):
        assert words in text
    assert shown(room, "/studies/{name}/part", name="small").body.decode().strip() in text


def test_a_study_that_has_not_begun_shows_its_state(room: ServiceRoom) -> None:
    room.queue.add("waiting", "run", {})
    text = shown(room, "/studies/{name}/part", name="waiting").body.decode()
    assert 'data-active="yes"' in text
    room.queue.change(1, state="failed", message=f"no such thing {HOSTILE}")
    text = shown(room, "/studies/{name}/part", name="waiting").body.decode()
    assert 'data-active="no"' in text
    assert "no such thing &lt;script&gt;" in text


def test_no_text_becomes_part_of_the_page(room: ServiceRoom) -> None:
    room.queue.add(f'{HOSTILE}" onload="x', "run", {})
    for path, name in (("/", ""), ("/studies/{name}", f'{HOSTILE}" onload="x')):
        text = shown(room, path, name=name).body.decode()
        assert "<script>alert" not in text
        assert '" onload' not in text


def test_pages_run_their_own_script_alone(room: ServiceRoom) -> None:
    for path in ("/", "/login"):
        policy = shown(room, path).headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy
    text = shown(room, "/").body.decode() + shown(room, "/studies/{name}", name="small").body.decode()
    assert not re.search(r"""\son\w+=|style=|https?://|javascript:""", text)


def test_a_session_is_given_for_the_token_alone(room: ServiceRoom) -> None:
    for wrong in ("", "token=", "token=wrong", "token=%ff", f"tokens={TOKEN}"):
        reply = shown(room, "/login", "POST", wrong)
        assert (reply.status, "Set-Cookie" in reply.headers) == (401, False)
    reply = shown(room, "/login", "POST", f"token={TOKEN}")
    cookie = reply.headers["Set-Cookie"]
    assert (reply.status, reply.headers["Location"]) == (303, "/")
    assert cookie == f"{COOKIE}={session_of(TOKEN)}; Path=/; HttpOnly; SameSite=Strict"
    assert TOKEN not in cookie
    head = {"host": "127.0.0.1", "cookie": cookie.partition(";")[0]}
    assert admit(room.settings, "GET", "/", head) is None


def test_the_best_curve_is_drawn_last_and_all_are_inside(tmp_path: Path) -> None:
    result = written(tmp_path, sound(), [])
    chart = curve_chart(result)
    assert chart is not None
    assert [line.kind for line in chart.lines].count("best") == 1
    assert (chart.lines[-1].kind, chart.lines[-1].trial) == ("best", result.best().trial)
    for line in chart.lines:
        for point in line.points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


@pytest.mark.parametrize(
    "values", [[math.nan] * 4, [math.inf, 1.0, math.nan, 2.0], [0.0, 0.0, 0.0, 0.0], [-1.0, 5.0, 1e300, 2]]
)
def test_odd_values_are_drawn_or_left_out(tmp_path: Path, values: list[float]) -> None:
    result = Result(made_up(tmp_path))
    odd = complete(6, [0.5, 0.4, 0.3, 0.2], 0.9)
    result.all_trials = [replace(odd, curves={"valid_loss": np.array([values])})]
    chart = curve_chart(result)
    assert chart is None or not re.search("nan|inf", " ".join(line.points for line in chart.lines))
