"""Runs of a service: child processes that outlive it, are cancelled, and end with the same bytes as `tuner run`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.support.served import Client, process, served
from tests.tuner.api.test_run import outputs, small
from tuner.service.jobs import Job
from tuner.service.room import ServiceRoom
from tuner.service.settings import ServiceSettings

pytest.importorskip("starlette", reason="pip install 'tuner[serve]'")
pytest.importorskip("uvicorn", reason="pip install 'tuner[serve]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="a job's lock and its signals are those of POSIX"),
]
PATIENCE = 120.0


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the command writes."""
    home = tmp_path_factory.mktemp("by_command")
    tuner.run(small(), jobs=1, home=home)
    return outputs(home)


def waited(look: Callable[[], Any]) -> Any:
    """Look until there is something."""
    began = time.monotonic()
    while not (found := look()):
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.05)
    return found


def ended(client: Client, number: int) -> dict[str, Any]:
    """Wait until a job is over."""
    return waited(lambda: (job := client("GET", f"/api/v1/jobs/{number}").json)["ended"] and job)


def handed_in(client: Client, study: dict[str, Any], **query: object) -> int:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = client("POST", f"/api/v1/studies?{words}", study)
    assert answer.status == 202, answer.body
    return int(answer.json["id"])


def test_a_run_has_the_same_bytes_as_the_command(tmp_path: Path, by_command: dict[str, bytes]) -> None:
    with served(ServiceSettings(tmp_path / "there", base=tmp_path, jobs=2)) as client:
        job = ended(client, handed_in(client, small()))
        assert (job["state"], job["message"]) == ("done", "")
        assert outputs(tmp_path / "there") == by_command
        assert "search" in client("GET", "/api/v1/studies/small/log").body.decode()
        again = client("POST", "/api/v1/studies/small/confirm", {"top": 3, "seeds": 3})
        assert ended(client, again.json["id"])["state"] == "done"
        assert len(client("GET", "/api/v1/studies/small").json["confirmation"]) >= 3


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    study = small() | {"confirm": {"enabled": False}}
    with served(ServiceSettings(tmp_path / "home", base=tmp_path, jobs=1)) as client:
        (tmp_path / "data.csv").write_text(
            "x,z,y\n" + "".join(f"{i % 9},{i % 7},{i % 2}\n" for i in range(90)), encoding="utf-8"
        )
        number = handed_in(client, study | {"data": {"source": "data.csv", "target": "y"}})
        (tmp_path / "data.csv").unlink()
        job = ended(client, number)
    assert job["state"] == "failed"
    assert "data.csv" in job["message"]


def test_a_run_goes_on_after_the_service_was_killed(tmp_path: Path, by_command: dict[str, bytes]) -> None:
    home = tmp_path / "home"
    with process(home) as (service, client):
        number = handed_in(client, small())
        second = handed_in(client, small(name="second"))
        waited(lambda: client("GET", f"/api/v1/jobs/{number}").json["progress"])
        service.send_signal(signal.SIGKILL)
        service.wait()
    with process(home) as (_, client):
        assert ended(client, number)["state"] == "done"
        assert ended(client, second)["state"] == "done"
    assert outputs(home) == by_command


def test_a_run_whose_process_was_killed_too_begins_again_where_it_was(
    tmp_path: Path, by_command: dict[str, bytes]
) -> None:
    home = tmp_path / "home"
    with process(home) as (service, client):
        number = handed_in(client, small())
        waited(lambda: client("GET", f"/api/v1/jobs/{number}").json["progress"].get("done"))
        pid = (home / ".service" / "jobs" / str(number) / "pid").read_text(encoding="utf-8")
        service.send_signal(signal.SIGKILL)
        service.wait()
        os.kill(int(pid), signal.SIGKILL)
    with process(home) as (_, client):
        job = ended(client, number)
    assert (job["state"], job["starts"]) == ("done", 2)
    assert outputs(home) == by_command


def test_a_service_that_is_stopped_stops_its_runs_and_goes_on_with_them(tmp_path: Path) -> None:
    settings = ServiceSettings(tmp_path / "home", base=tmp_path, jobs=1)
    with served(settings) as client:
        number = handed_in(client, small(trials=2000))
        waited(lambda: client("GET", f"/api/v1/jobs/{number}").json["progress"].get("done"))
    with ServiceRoom(settings) as room:
        job = room.queue.job(number)
        assert (job.state, room.supervisor.folder_of(job).alive()) == ("queued", False)
    with served(settings) as client:
        waited(lambda: client("GET", f"/api/v1/jobs/{number}").json["state"] == "running")
        assert client("POST", "/api/v1/studies/small/cancel").status == 202
        assert ended(client, number)["state"] == "cancelled"
        kept = client("GET", "/api/v1/studies/small").json["trials"]
        assert 0 < kept < 2000
        more = client("POST", "/api/v1/studies/small/resume", {"trials": kept + 8}).json["id"]
        assert ended(client, more)["state"] == "done"
        assert client("GET", "/api/v1/studies/small").json["trials"] == kept + 8


def test_at_most_so_many_run_at_once_and_high_priority_goes_first(tmp_path: Path) -> None:
    with served(ServiceSettings(tmp_path / "home", base=tmp_path, jobs=1)) as client:
        first = handed_in(client, small(name="a", trials=2000))
        low = handed_in(client, small(name="b", trials=8))
        high = handed_in(client, small(name="c", trials=8), priority=7)
        waited(lambda: client("GET", "/api/v1/health").json["running"])
        assert client("GET", "/api/v1/health").json == {"status": "ok", "queued": 2, "running": 1}
        client("POST", "/api/v1/studies/a/cancel")
        jobs = [ended(client, number) for number in (first, high, low)]
    assert [job["state"] for job in jobs] == ["cancelled", "done", "done"]
    assert jobs[1]["started"] < jobs[2]["started"]


def test_a_job_whose_process_never_says_a_word_fails_in_the_end(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tuner.service.job_folder.sys.executable", "/bin/false")
    with ServiceRoom(ServiceSettings(tmp_path, base=tmp_path)) as room:
        room.queue.add("new", "run", {"source": {"tables": small()}, "settings": {}, "retry_failed": False})

        def over() -> Job | None:
            room.supervisor.step()
            job = room.queue.job(1)
            return None if job.active else job

        job = waited(over)
    assert (job.state, job.starts) == ("failed", 5)
    assert "ended without a word 5 times" in job.message
