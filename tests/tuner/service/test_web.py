"""A service on the network: what it answers, and what attackers send it."""

from __future__ import annotations

import importlib.util
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.command import Shell, complete, made_up
from tests.support.served import Client, served
from tuner.errors import StudyError
from tuner.service.admission import MOST_BODY
from tuner.service.guard import COOKIE, session_of
from tuner.service.routes import ROUTES
from tuner.service.settings import ServiceSettings
from tuner.store.ledger import Ledger

if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
    pytest.skip("pip install 'tuner[serve]'", allow_module_level=True)

TOKEN = "a-token-of-some-length"
SUITED = {"name": "small", "trial": "0", "id": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    made_up(home)
    return home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Client]:
    with served(ServiceSettings(home, base=home)) as found:
        yield found


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("locked")
    made_up(home)
    with served(ServiceSettings(home, base=home, token=TOKEN)) as found:
        yield found


def test_it_answers(client: Client) -> None:
    assert client("GET", "/api/v1/health").json == {"status": "ok", "queued": 0, "running": 0}
    assert [one["name"] for one in client("GET", "/api/v1/studies").json] == ["small"]
    answer = client("GET", "/api/v1/studies/small/ranking?format=csv&rows=1")
    assert answer.headers["content-type"] == "text/csv"
    assert len(answer.body.splitlines()) == 2
    assert client("GET", "/api/v1/openapi.json").json["openapi"].startswith("3.")


def test_what_is_not_offered_is_a_problem_too(client: Client) -> None:
    for method, path, status in (("GET", "/api/v1/nothing", 404), ("PUT", "/api/v1/studies", 405)):
        answer = client(method, path)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert "openapi.json lists what is" in answer.json["detail"]


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row.method} {row.path}")
def test_every_route_is_closed_to_strangers(client: Client, locked: Client, row: object) -> None:
    path = f"/api/v1{row.path.format(**SUITED)}"  # type: ignore[attr-defined]
    method = row.method  # type: ignore[attr-defined]
    open_to_all = path == "/api/v1/health"
    assert client(method, path, Host="evil.example").status == 421
    assert client(method, path, Origin="https://evil.example").status == 403
    assert locked(method, path).status == (200 if open_to_all else 401)
    assert locked(method, path, Authorization="Bearer wrong-token-of-length").status == (200 if open_to_all else 401)
    assert locked(method, path, Authorization=f"Bearer {TOKEN}").status not in (401, 403, 421)


def test_every_answer_keeps_other_sites_out(locked: Client) -> None:
    for answer in (locked("GET", "/api/v1/studies"), locked("GET", "/api/v1/health"), locked("GET", "/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in answer.headers
    assert locked("GET", "/api/v1/studies").headers["www-authenticate"] == "Bearer"


def test_a_session_is_as_good_as_the_token(locked: Client) -> None:
    assert locked("GET", "/api/v1/studies", Cookie=f"{COOKIE}={session_of(TOKEN)}").status == 200


def test_large_bodies_are_refused_whatever_their_head_says(client: Client) -> None:
    kind = {"Content_Type": "application/toml"}
    assert client("POST", "/api/v1/studies", b" " * (MOST_BODY + 1), **kind).status == 413
    connection = HTTPConnection(client.netloc, timeout=60)
    connection.putrequest("POST", "/api/v1/studies")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Content-Type", "application/toml")
    connection.endheaders()
    for _ in range(MOST_BODY // 65536 + 1):
        connection.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
    connection.send(b"0\r\n\r\n")
    assert connection.getresponse().status == 413
    connection.close()


def test_a_study_that_is_cut_off_is_not_taken(client: Client) -> None:
    part = b'[study]\nname = "half"\n[data]\nsource = "sklearn:iris"\n[optimizers.adam]\n'
    head = f"POST /api/v1/studies HTTP/1.1\r\nHost: {client.netloc}\r\nContent-Type: application/toml\r\n"
    host, _, port = client.netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        peer.sendall(f"{head}Content-Length: {len(part) + 30}\r\n\r\n".encode() + part)
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(65536) == b""
    assert client("GET", "/api/v1/jobs").json == []


def test_a_host_does_not_hide_behind_another(client: Client) -> None:
    host, _, port = client.netloc.partition(":")
    for first, second in ((client.netloc, "evil.example"), ("evil.example", client.netloc)):
        with socket.create_connection((host, int(port)), timeout=60) as peer:
            peer.sendall(f"GET /api/v1/studies HTTP/1.1\r\nHost: {first}\r\nHost: {second}\r\n\r\n".encode())
            assert int(peer.recv(65536).split()[1]) in (400, 421)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/studies/..",
        "/api/v1/studies/../../etc/passwd",
        "/api/v1/studies/..%2F..%2Fetc",
        "/api/v1/studies/%2e%2e/ranking",
        "/api/v1/studies/.service/log",
        "/api/v1/studies/%00/ranking",
        "/api/v1/studies/%2Fetc%2Fpasswd/report",
        "/api/v1/studies/small%0d%0aX-Evil:%201",
        "//etc/passwd",
    ],
)
def test_paths_lead_nowhere(client: Client, path: str) -> None:
    for method in ("GET", "DELETE"):
        answer = client(method, path)
        assert answer.status in (404, 405)
        assert "x-evil" not in answer.headers
        assert b"Traceback" not in answer.body


@pytest.mark.parametrize(
    "raw", [b"GET / HTTP/9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET /\r\n\r\n" * 9, b"A" * 70_000]
)
def test_what_is_no_http_ends_the_connection_alone(client: Client, raw: bytes) -> None:
    host, _, port = client.netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        peer.sendall(raw)
        peer.shutdown(socket.SHUT_WR)
        answer = peer.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert client("GET", "/api/v1/health").status == 200


def test_an_unexpected_error_says_no_more_than_its_kind(client: Client, home: Path, monkeypatch, caplog) -> None:
    def fault(*given: object) -> None:
        raise RuntimeError("a secret")

    made_up(home, "faulty")
    monkeypatch.setattr("tuner.service.room.Result", fault)
    answer = client("GET", "/api/v1/studies/faulty/confirmations")
    assert answer.status == 500
    assert answer.json["detail"] == "RuntimeError: this should not happen; the service's log has it"
    assert "a secret" in caplog.text


def test_events_follow_the_ledger(client: Client, home: Path) -> None:
    made_up(home, "followed")
    with urlopen(f"{client.url}api/v1/studies/followed/events", timeout=60) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        first = json.loads(stream.readline().removeprefix(b"data: "))
        assert (first["study"], first["job"], stream.readline()) == ("followed", None, b"\n")
        with Ledger.open(home / "followed" / "ledger.db") as ledger:
            ledger.commit_generation(1, [replace(complete(6, [0.5, 0.4], 0.9), generation=1)])
        second = json.loads(stream.readline().removeprefix(b"data: "))
    assert second["changed"] > first["changed"]
    assert client("GET", "/api/v1/studies/none/events").status == 404


def test_a_port_that_is_taken_is_told(tmp_path: Path, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    port = client.netloc.partition(":")[2]
    ended = Shell(capsys)("serve", "--port", port, "--home", tmp_path)
    assert ended.code == 2
    assert f"--port {port}: " in ended.err
    assert "name another" in ended.err


def test_a_home_that_is_served_is_told(home: Path, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Shell(capsys)("serve", "--port", "0", "--home", home)
    assert (ended.code, ended.out) == (1, "")
    assert "is served by process" in ended.err


def test_another_host_needs_a_token(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.delenv("TUNER_TOKEN", raising=False)
    ended = Shell(capsys)("serve", "--host", "0.0.0.0", "--port", "0", "--home", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "can be reached from other machines, and there is no token" in ended.err
    with pytest.raises(StudyError, match="there is no token"):
        ServiceSettings(host="0.0.0.0")


def test_many_ask_at_once(client: Client) -> None:
    found: list[int] = []
    began = threading.Barrier(16)

    def work() -> None:
        began.wait()
        found.extend(client("GET", "/api/v1/studies/small").status for _ in range(4))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 64
