"""Who may ask a service: names, origins, tokens; and how it may be started."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import StudyError
from tuner.service.guard import COOKIE, admit, session_of
from tuner.service.settings import ServiceSettings, is_loopback, read_token

TOKEN = "a-token-of-some-length"
HERE = ServiceSettings(port=8090)
THERE = ServiceSettings(host="0.0.0.0", port=8090, token=TOKEN)
OWN = {"host": "127.0.0.1:8090"}
KNOWN = {"authorization": f"Bearer {TOKEN}"}


def status(settings: ServiceSettings, method: str = "GET", path: str = "/api/v1/studies", **headers: str) -> int:
    found = admit(settings, method, path, {name.replace("_", "-"): value for name, value in headers.items()})
    return 200 if found is None else found.status


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost:8090", "[::1]:8090", "LOCALHOST", "127.0.0.1"])
def test_this_machine_is_answered(host: str) -> None:
    assert status(HERE, host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8090", "", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.7", "[", "a:b:c", "@"],
)
def test_other_names_that_lead_here_are_refused(host: str) -> None:
    assert status(HERE, host=host) == 421


@given(st.text(max_size=60))
def test_any_host_and_origin_is_judged(text: str) -> None:
    assert status(HERE, host=text) in (200, 421)
    assert status(HERE, host="localhost", origin=text) in (200, 403)


def test_an_address_cannot_be_led_elsewhere_and_a_name_can() -> None:
    assert status(THERE, host="192.168.0.7:8090", **KNOWN) == 200
    assert status(THERE, host="evil.example", **KNOWN) == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8091", "http://127.0.0.1", ""])
def test_pages_of_other_origins_are_refused(origin: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert status(HERE, method, **OWN, origin=origin) == 403


def test_the_own_page_is_answered() -> None:
    assert status(HERE, "POST", **OWN, origin="http://127.0.0.1:8090", sec_fetch_site="same-origin") == 200
    assert status(HERE, "POST", **OWN, sec_fetch_site="cross-site") == 403
    assert status(HERE, "POST", **OWN, sec_fetch_site="same-site") == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer no"},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer \xff"},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": f"{COOKIE}="},
        {"cookie": "\x00;;=,"},
    ],
)
def test_without_the_token_nothing_is_answered(headers: dict[str, str]) -> None:
    for method, path in (
        ("GET", "/"),
        ("GET", "/api/v1/studies"),
        ("DELETE", "/api/v1/studies/x"),
        ("GET", "/nothing"),
    ):
        assert status(THERE, method, path, **OWN, **headers) == 401


def test_the_token_or_a_session_is_asked_for() -> None:
    assert status(THERE, **OWN, **KNOWN) == 200
    assert status(THERE, **OWN, cookie=f"other=1; {COOKIE}={session_of(TOKEN)}") == 200
    assert status(THERE, path="/api/v1/health", **OWN) == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "tuner.example", "127.0.0.1.evil.example"])
def test_other_hosts_need_a_token(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(StudyError, match="there is no token; add --token-file FILE"):
        ServiceSettings(host=host)
    assert ServiceSettings(host=host, token=TOKEN).token == TOKEN


def test_a_token_is_never_shown() -> None:
    assert TOKEN not in repr(THERE)


def test_a_token_is_read_from_a_private_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNER_TOKEN", raising=False)
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(StudyError, match="can be read by others; chmod 600"):
        read_token(file)
    file.chmod(0o600)
    assert read_token(file) == TOKEN
    assert read_token(None) == ""
    monkeypatch.setenv("TUNER_TOKEN", TOKEN)
    assert read_token(None) == TOKEN


@pytest.mark.parametrize("text", ["", "short", "with a space in the middle of it", "ünïcödé-of-some-length"])
def test_a_weak_token_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(StudyError, match="needs one word of 16 ASCII characters or more"):
        read_token(file)


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        read_token(tmp_path / "none")
