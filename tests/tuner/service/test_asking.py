"""Trials that others train: who gets which config, what is taken, and a table that does not depend on them."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.served import Client, process, served
from tuner.errors import StudyBusy, StudyError, TunerError
from tuner.service import asking
from tuner.service.mailbox import VARIABLE, Mailbox, train
from tuner.service.messages import Refused, Request
from tuner.service.room import ServiceRoom
from tuner.service.settings import ServiceSettings

STUDY = {
    "study": {"name": "asked", "trials": 12, "minimize": "loss"},
    "parameters": {"rate": {"low": 1e-3, "high": 1.0, "log": True}, "kind": ["a", "b"]},
}
CLIENT = """
const [url, name] = process.argv.slice(2), headers = {"Content-Type": "application/json"};
const place = url + "api/v1/studies/asked/";
const ask = (what, body) => fetch(place + what, {method: "POST", headers, body: JSON.stringify(body)});
for (;;) {
  const answer = await ask("ask", {client: name});
  if (answer.status === 503) { await new Promise((done) => setTimeout(done, 50)); continue; }
  if (!answer.ok) break;
  const {key, config} = await answer.json();
  const loss = Math.abs(config.rate - 0.125) + (config.kind === "a" ? 0.5 : 0.25);
  await ask("tell", {client: name, key, metrics: {loss}});
}
"""


def loss_of(config: dict[str, Any]) -> float:
    return abs(config["rate"] - 0.125) + (0.5 if config["kind"] == "a" else 0.25)


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "box.db")


def test_a_client_gets_the_same_config_until_it_is_told(box: Mailbox) -> None:
    keys = [box.put({"rate": rate}) for rate in (0.1, 0.2)]
    first = box.ask("a", 60)
    assert first is not None
    assert (first.key, first.config) == (keys[0], {"rate": 0.1})
    assert box.ask("a", 60).key == keys[0]  # type: ignore[union-attr]
    assert box.ask("b", 60).key == keys[1]  # type: ignore[union-attr]
    assert box.ask("c", 60) is None
    box.tell(keys[0], "a", {"metrics": {"loss": 1.0}})
    assert box.answer(keys[0]) == {"metrics": {"loss": 1.0}}
    assert box.ask("a", 60) is None


def test_a_lease_that_has_ended_goes_to_others(box: Mailbox) -> None:
    key = box.put({"rate": 0.1})
    assert box.ask("a", -1.0) is not None
    assert box.ask("b", 60).key == key  # type: ignore[union-attr]
    with pytest.raises(StudyBusy, match="is another client's"):
        box.tell(key, "a", {"metrics": {"loss": 1.0}})
    box.tell(key, "b", {"metrics": {"loss": 1.0}})


def test_what_was_told_stays(box: Mailbox) -> None:
    key = box.put({"rate": 0.1})
    box.ask("a", 60)
    for _ in range(2):
        box.tell(key, "a", {"metrics": {"loss": 1.0}})
    with pytest.raises(StudyBusy, match="was told already, and something else"):
        box.tell(key, "a", {"metrics": {"loss": 2.0}})
    assert box.put({"rate": 0.1}) == key
    assert box.answer(key) == {"metrics": {"loss": 1.0}}
    with pytest.raises(KeyError, match="none"):
        box.tell("none", "a", {})


def test_no_config_goes_to_two_clients(box: Mailbox) -> None:
    keys = {box.put({"rate": rate}) for rate in range(24)}
    found: list[str] = []

    def work(name: str) -> None:
        while (trial := box.ask(name, 60)) is not None:
            found.append(trial.key)
            box.tell(trial.key, name, {"metrics": {"loss": 1.0}})

    threads = [threading.Thread(target=work, args=(str(i),)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(keys)


def test_the_objective_waits_for_the_answer(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(box.path))
    key = box.put({"rate": 0.1})
    box.ask("a", 60)
    box.tell(key, "a", {"metrics": {"loss": 2}})
    assert train({"rate": 0.1}) == {"loss": 2.0}


def test_a_config_that_failed_is_handed_out_again_when_it_is_tried_again(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(box.path))
    said = ["out of memory"]

    def client() -> None:
        while (trial := box.ask("a", 60)) is None:
            time.sleep(0.01)
        box.tell(trial.key, "a", {"error": said.pop()} if said else {"metrics": {"loss": 2}})

    for expected in ("out of memory", ""):
        thread = threading.Thread(target=client)
        thread.start()
        if expected:
            with pytest.raises(TunerError, match=expected):
                train({"rate": 0.2})
        else:
            assert train({"rate": 0.2}) == {"loss": 2.0}
        thread.join()


def test_elsewhere_the_objective_says_who_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(TunerError, match="go on with it in `tuner serve`"):
        train({"rate": 0.2})


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ServiceRoom]:
    with ServiceRoom(ServiceSettings(tmp_path, base=tmp_path)) as opened:
        opened.queue.add("asked", "run", {"asked": 4})
        opened.queue.add("own", "run", {})
        yield opened


def request(body: dict[str, Any], name: str = "asked") -> Request:
    return Request({"name": name}, {}, json.dumps(body).encode(), "application/json")


def test_requests_are_checked(room: ServiceRoom) -> None:
    key = Mailbox(Path(room.mailbox("asked"))).put({"rate": 0.1})
    for body in ({}, {"client": ""}, {"client": 5}, {"client": "a", "lease": 0}, {"client": "a", "lease": "x"}):
        with pytest.raises(StudyError, match=r"client|lease"):
            asking.ask(room, request(body))
    assert json.loads(asking.ask(room, request({"client": "a"})).body)["key"] == key
    for metrics in (None, {}, [1], {"loss": "low"}, {"loss": True}):
        with pytest.raises(StudyError, match="must be numbers by name"):
            asking.tell(room, request({"client": "a", "key": key, "metrics": metrics}))
    with pytest.raises(Refused, match="is no config of this study"):
        asking.tell(room, request({"client": "a", "key": "none", "metrics": {"loss": 1}}))
    with pytest.raises(Refused, match="trains its trials itself"):
        asking.ask(room, request({"client": "a"}, "own"))
    assert asking.fail(room, request({"client": "a", "key": key, "error": "no"})).status == 200
    empty = asking.ask(room, request({"client": "a"}))
    assert (empty.status, empty.headers["Retry-After"]) == (503, "1")
    room.queue.change(1, state="done")
    with pytest.raises(Refused, match="is done: nothing is left to train"):
        asking.ask(room, request({"client": "a"}))


def told_by(client: Client, name: str, most: int) -> list[str]:
    """Ask, train and tell until the study has ended, or so many were told; returns the keys."""
    keys: list[str] = []
    while len(keys) < most:
        answer = client("POST", "/api/v1/studies/asked/ask", {"client": name})
        if answer.status == 503:
            time.sleep(0.05)
            continue
        if answer.status != 200:
            break
        key, metrics = answer.json["key"], {"loss": loss_of(answer.json["config"])}
        told = client("POST", "/api/v1/studies/asked/tell", {"client": name, "key": key, "metrics": metrics})
        assert told.status == 200, told.body
        keys.append(key)
    return keys


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a job's lock and its signals are those of POSIX")
@pytest.mark.parametrize("language", ["python", "node"])
def test_the_table_is_that_of_a_run_at_home(tmp_path: Path, language: str) -> None:
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        pytest.skip("pip install 'tuner[serve]'")
    if language == "node" and shutil.which("node") is None:
        pytest.skip("node not found")
    home = tuner.run(STUDY, home=tmp_path / "here", objective=loss_of_config, jobs=1)
    with served(ServiceSettings(tmp_path / "there", base=tmp_path)) as client:
        assert client("POST", "/api/v1/studies?ask=true", STUDY).status == 202
        if language == "node":
            (tmp_path / "client.mjs").write_text(CLIENT, encoding="utf-8")
            words = ["node", str(tmp_path / "client.mjs"), client.url]
            started = [subprocess.Popen([*words, name]) for name in ("a", "b")]
            assert [one.wait(300) for one in started] == [0, 0]
        else:
            threads = [threading.Thread(target=told_by, args=(client, name, 100)) for name in ("a", "b", "c")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert client("GET", "/api/v1/jobs/1").json["state"] == "done"
    there = tuner.open("asked", tmp_path / "there")
    columns = ["trial", "state", "loss", "rate", "kind"]
    assert there.ranking()[columns].equals(home.ranking()[columns])


def loss_of_config(config: dict[str, Any]) -> dict[str, float]:
    return {"loss": loss_of(config)}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a job's lock and its signals are those of POSIX")
def test_what_was_told_is_not_asked_again_after_everything_was_killed(tmp_path: Path) -> None:
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        pytest.skip("pip install 'tuner[serve]'")
    home = tuner.run(STUDY, home=tmp_path / "here", objective=loss_of_config, jobs=1)
    there = tmp_path / "there"
    with process(there) as (service, client):
        assert client("POST", "/api/v1/studies?ask=true", STUDY).status == 202
        before = told_by(client, "a", 5)
        service.kill()
        service.wait()
        os.kill(int((there / ".service" / "jobs" / "1" / "pid").read_text(encoding="utf-8")), signal.SIGKILL)
    with process(there) as (_, client):
        after = told_by(client, "b", 100)
        assert client("GET", "/api/v1/jobs/1").json["state"] == "done"
    assert len({*before, *after}) == len(before) + len(after) == 12
    columns = ["trial", "state", "loss", "rate", "kind"]
    assert tuner.open("asked", there).ranking()[columns].equals(home.ranking()[columns])
