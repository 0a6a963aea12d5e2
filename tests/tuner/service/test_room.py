"""What a service answers, handler by handler: the documents of the command line, and refusals in its words."""

from __future__ import annotations

import inspect
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.command import Shell, made_up
from tests.tuner.api.test_run import small
from tuner.best.exporters import EXPORTERS
from tuner.errors import StudyBusy, TunerError, UnknownStudy
from tuner.service import openapi
from tuner.service.mailbox import ASKED
from tuner.service.messages import Reply, Request, problem_of
from tuner.service.room import ServiceRoom
from tuner.service.routes import EVENTS, ROUTES, ServiceRoute
from tuner.service.settings import ServiceSettings

TOML = '[study]\nname = "new"\ntrials = 8\n[data]\nsource = "sklearn:iris"\n[optimizers.adam]\n'
Ask = Callable[..., Reply]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ServiceRoom]:
    """The room of a service that does not listen and runs nothing, with the study `small`."""
    made_up(tmp_path / "home")
    with ServiceRoom(ServiceSettings(tmp_path / "home", base=tmp_path)) as opened:
        yield opened


@pytest.fixture
def ask(room: ServiceRoom) -> Ask:
    """Answer a request to a route by its method and path; refusals are answered as on the network."""

    def asking(method: str, path: str, body: Any = b"", kind: str = "application/json", **query: str) -> Reply:
        content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        for row in ROUTES:
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", row.path), path)
            if found and row.method == method:
                try:
                    return row.handler(room, Request(found.groupdict(), query, content, kind))
                except TunerError as error:
                    return problem_of(error)
        raise AssertionError(f"{method} {path} is no route")

    return asking


def told(reply: Reply, status: int = 200) -> Any:
    assert reply.status == status, reply.body
    return json.loads(reply.body)


def test_documents_are_what_commands_print(ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(capsys)

    def printed(*words: str) -> Any:
        return shell(*words, "--home", tmp_path / "home").out

    shown = json.loads(printed("show", "small", "-f", "json"))
    study = told(ask("GET", "/studies/small"))
    assert {name: study[name] for name in shown} == shown
    assert told(ask("GET", "/studies/small/trials/1")) == json.loads(printed("show", "small/1", "-f", "json"))
    assert told(ask("GET", "/studies/small/ranking")) == json.loads(printed("top", "small", "-f", "json"))
    assert told(ask("GET", "/studies/small/findings")) == shown["findings"]
    for what in ("trials", "curves", "confirmations"):
        rows = ask("GET", f"/studies/small/{what}", format="csv").body.decode()
        assert rows == printed("export", "small", "--what", what)
    for form in ("toml", "json", "args", *EXPORTERS):
        text = ask("GET", "/studies/small/best", to=form, nearest="true").body.decode()
        assert text == printed("best", "small", "--to", form, "--nearest")


def test_tables_come_as_json_csv_and_parquet(ask: Ask) -> None:
    pytest.importorskip("pyarrow", reason="pip install 'tuner[parquet]'")
    rows = told(ask("GET", "/studies/small/ranking", rows="2"))
    csv = pd.read_csv(io.BytesIO(ask("GET", "/studies/small/ranking", rows="2", format="csv").body))
    parquet = pd.read_parquet(io.BytesIO(ask("GET", "/studies/small/ranking", rows="2", format="parquet").body))
    assert [row["trial"] for row in rows] == csv["trial"].tolist() == parquet["trial"].tolist()
    assert len(rows) == 2


def test_the_report_is_a_page_that_cannot_ask_the_service(ask: Ask) -> None:
    reply = ask("GET", "/studies/small/report")
    assert reply.body.startswith(b"<!doctype html>") or reply.body.startswith(b"<!DOCTYPE html>")
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy


def test_studies_are_compared(ask: Ask, tmp_path: Path) -> None:
    made_up(tmp_path / "home", "other")
    found = told(ask("GET", "/compare", studies="small,other"))
    assert [row["study"] for row in found["rows"]] == ["small", "other"]
    by = told(ask("GET", "/compare", studies="small", by="optimizer"))
    assert [row["optimizer"] for row in by["rows"]] == ["momentum", "adam"]
    assert "two or more are compared" in told(ask("GET", "/compare", studies="small"), 422)["detail"]


def test_a_study_is_checked_and_queued(ask: Ask, room: ServiceRoom) -> None:
    checked = told(ask("POST", "/validate", TOML, "application/toml"))
    assert (checked["study"], checked["settings"]["study"]["trials"]) == ("new", 8)
    assert room.queue.jobs() == []
    reply = ask("POST", "/studies", TOML, "application/toml", priority="3")
    job = told(reply, 202)
    assert (job["study"], job["state"], job["priority"]) == ("new", "queued", 3)
    assert reply.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert told(ask("GET", f"/jobs/{job['id']}"))["state"] == "queued"
    assert [line["name"] for line in told(ask("GET", "/studies"))] == ["new", "small"]
    assert told(ask("GET", "/studies/new"))["job"]["state"] == "queued"
    assert "is queued as job" in told(ask("POST", "/studies", TOML, "application/toml"), 409)["detail"]


def test_json_and_toml_say_the_same(ask: Ask) -> None:
    toml = told(ask("POST", "/validate", TOML, "application/toml"))
    tables = {"study": {"name": "new", "trials": 8}, "data": {"source": "sklearn:iris"}, "optimizers": {"adam": {}}}
    assert told(ask("POST", "/validate", tables)) == toml


def test_every_problem_is_told_in_the_words_of_the_command_line(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = TOML.replace("trials = 8", "trials = 0\nsead = 1")
    (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
    ended = Shell(capsys)("check", tmp_path / "wrong.toml")
    document = told(ask("POST", "/studies", wrong, "application/toml"), 422)
    said = [line.removeprefix("error: ").removeprefix(f"{tmp_path}/wrong.toml: ") for line in ended.err.splitlines()]
    assert document["detail"].splitlines() == said
    assert [one["where"] for one in document["problems"]] == ["study.trials", "study.sead"]


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "words"),
    [
        ("GET", "/studies/smal", {}, 404, "did you mean 'small'?"),
        ("GET", "/studies/small/trials/99", {}, 404, "has no trial 99"),
        ("GET", "/studies/small/trials/one", {}, 422, "must be a number"),
        ("GET", "/studies/small/ranking", {"format": "cvs"}, 422, "did you mean 'csv'?"),
        ("GET", "/studies/small/ranking", {"rows": "-1"}, 422, "must be a number"),
        ("GET", "/studies/small/best", {"rank": "9"}, 404, "there is no rank 9"),
        ("GET", "/jobs/7", {}, 404, "there is no job '7'"),
        ("POST", "/studies/small/cancel", {}, 409, "has no job that waits or runs"),
        ("POST", "/studies/none/resume", {}, 404, "no study 'none'"),
        ("DELETE", "/studies/small", {}, 422, "nothing was removed"),
        ("DELETE", "/studies/small", {"confirm": "smal"}, 422, "repeat the name: ?confirm=small"),
    ],
)
def test_what_cannot_be_is_refused(
    ask: Ask, method: str, path: str, query: dict[str, str], status: int, words: str
) -> None:
    assert words in told(ask(method, path, **query), status)["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (TOML, "text/plain", 415, "send application/toml or application/json"),
        (b"\xff", "application/toml", 400, "is not UTF-8"),
        ("[study", "application/toml", 422, "line 1"),
        ("{", "application/json", 400, "is not JSON"),
        ("[" * 100_000, "application/json", 400, "is not JSON"),
        ("[]", "application/json", 400, "is no JSON object"),
        ('{"study": 5}', "application/json", 422, "study"),
        ("[data]\nsource = 'sklearn:iris'\n[optimizers.adam]\n", "application/toml", 422, "study.name: is missing"),
    ],
)
def test_bodies_that_are_no_study_are_refused(ask: Ask, body: Any, kind: str, status: int, words: str) -> None:
    assert words in told(ask("POST", "/studies", body, kind), status)["detail"]


@pytest.mark.parametrize(
    ("key", "value"), [("top", 0), ("top", "2"), ("seeds", 1), ("seeds", True), ("priority", "x"), ("tpo", 2)]
)
def test_numbers_of_a_confirmation_are_checked(ask: Ask, key: str, value: object) -> None:
    assert key in told(ask("POST", "/studies/small/confirm", {key: value}), 422)["detail"]


def test_jobs_are_asked_for_and_taken_back(ask: Ask, room: ServiceRoom) -> None:
    job = told(ask("POST", "/studies/small/confirm", {"top": 2, "seeds": 3}), 202)
    assert (job["verb"], room.queue.job(job["id"]).arguments) == ("confirm", {"top": 2, "seeds": 3})
    assert told(ask("POST", "/studies/small/priority", {"priority": -4}))["priority"] == -4
    assert "cancel it first" in told(ask("DELETE", "/studies/small", confirm="small"), 409)["detail"]
    assert told(ask("POST", "/studies/small/cancel"), 202)["state"] == "cancelled"
    more = told(ask("POST", "/studies/small/resume", {"trials": 12, "retry_failed": True}), 202)
    assert room.queue.job(more["id"]).arguments == {"settings": {"study.trials": 12}, "retry_failed": True}


def test_a_study_that_was_cancelled_while_it_waited_is_resumed_from_what_was_handed_in(
    ask: Ask, room: ServiceRoom
) -> None:
    told(ask("POST", "/studies", TOML, "application/toml", trials="6"), 202)
    told(ask("POST", "/studies/new/cancel"), 202)
    again = room.queue.job(told(ask("POST", "/studies/new/resume", {"trials": 7}), 202)["id"])
    assert again.arguments == {"source": {"toml": TOML}, "settings": {"study.trials": 7}, "retry_failed": False}


def test_a_study_is_deleted_once_its_name_is_repeated(ask: Ask, room: ServiceRoom, tmp_path: Path) -> None:
    assert told(ask("DELETE", "/studies/small", confirm="small")) == {"removed": "small"}
    assert not (tmp_path / "home" / "small").exists()
    with pytest.raises(UnknownStudy, match="no study 'small'"):
        room.directory("small")


def test_a_study_that_failed_before_it_began_is_shown_resumed_and_deleted(ask: Ask, room: ServiceRoom) -> None:
    job = told(ask("POST", "/studies", TOML, "application/toml"), 202)
    room.queue.change(job["id"], state="failed", message="no such file")
    assert [line["name"] for line in told(ask("GET", "/studies"))] == ["new", "small"]
    assert told(ask("GET", "/studies/new"))["job"]["message"] == "no such file"
    again = told(ask("POST", "/studies/new/resume"), 202)["id"]
    room.supervisor.folder_of(room.queue.job(again)).prepare({})
    room.queue.change(again, state="failed")
    assert told(ask("DELETE", "/studies/new", confirm="new")) == {"removed": "new"}
    assert (room.queue.jobs(), list((room.settings.room / "jobs").iterdir())) == ([], [])
    assert "no study 'new'" in told(ask("GET", "/studies/new"), 404)["detail"]


@pytest.mark.parametrize(
    "name", ["..", ".", "../outside", "/etc", "~", ".service", "outside", "small/", "sm\0all", "C:\\small", ""]
)
def test_a_name_never_leaves_the_home(room: ServiceRoom, tmp_path: Path, name: str, monkeypatch) -> None:
    made_up(tmp_path, "outside")
    monkeypatch.chdir(tmp_path)  # where `tuner show outside` finds it by its path
    with pytest.raises(UnknownStudy, match="no study"):
        room.directory(name)
    with pytest.raises(UnknownStudy, match="no study"):
        room.result(name)


CODE = {
    "objective": '[study]\nname = "new"\nobjective = "train.py:train"\n[parameters]\nx = { low = 0.0, high = 1.0 }\n',
    "command": '[study]\nname = "new"\ncommand = ["touch", "ran"]\n[parameters]\nx = { low = 0.0, high = 1.0 }\n',
    "data": TOML.replace("sklearn:iris", "load.py:rows"),
    "module": TOML.replace("sklearn:iris", "os:getcwd"),
}


@pytest.mark.parametrize("kind", CODE)
@pytest.mark.parametrize("path", ["/studies", "/validate"])
def test_code_is_refused(ask: Ask, room: ServiceRoom, tmp_path: Path, kind: str, path: str) -> None:
    for file in ("train.py", "load.py"):
        (tmp_path / file).write_text("open('ran', 'w')\ndef train(config): ...\ndef rows(): ...\n", encoding="utf-8")
    document = told(ask("POST", path, CODE[kind], "application/toml"), 403)
    assert "is code, which this service does not run" in document["detail"]
    assert document["problems"][0]["hint"].startswith("start the service with --allow-code")
    assert room.queue.jobs() == []
    assert not (tmp_path / "ran").exists()


def test_a_study_that_others_train_runs_no_code_of_its_own(ask: Ask, room: ServiceRoom) -> None:
    study = {"name": "new", "minimize": "loss", "trials": 8}
    tables = {"study": study, "parameters": {"x": {"low": 0.0, "high": 1.0}}, "search": {"parallel": 6}}
    job = told(ask("POST", "/studies", tables, ask="true"), 202)
    assert room.queue.job(job["id"]).arguments["asked"] == 6
    together = tables | {"study": study | {"batched": 2}, "search": {"generation_size": 8}}
    assert (
        "study.batched: does not go with ?ask=true"
        in told(ask("POST", "/validate", together, ask="true"), 422)["detail"]
    )


@pytest.mark.parametrize(
    "more",
    [
        {"study": {"command": ["touch", "ran"]}},
        {"study": {"objective": "train.py:train"}},
        {"data": {"source": "load.py:rows"}},
        {"refit": {"keep": "../model.pt"}},
    ],
)
def test_a_study_that_others_train_cannot_bring_code_along(ask: Ask, room: ServiceRoom, more: dict[str, Any]) -> None:
    study = {"name": "new", "minimize": "loss", "trials": 8} | more.get("study", {})
    tables = {"parameters": {"x": {"low": 0.0, "high": 1.0}}} | more | {"study": study}
    for asked in ({"ask": "true"}, {}):
        if "objective" in study and asked:
            continue  # ?ask=true takes its place
        tables["study"] = study | ({} if asked else {"objective": study.get("objective", ASKED)})
        assert ask("POST", "/studies", tables, **asked).status in (403, 422)
    assert room.queue.jobs() == []


def test_code_is_taken_where_it_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def train(config): ...\n", encoding="utf-8")
    request = Request({}, {}, CODE["objective"].encode(), "application/toml")
    create = next(row.handler for row in ROUTES if (row.method, row.path) == ("POST", "/studies"))
    with ServiceRoom(ServiceSettings(tmp_path / "home", base=tmp_path, allow_code=True)) as room:
        assert create(room, request).status == 202


def test_code_that_was_allowed_before_is_not_resumed_where_it_is_not(
    ask: Ask, room: ServiceRoom, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text("def train(config): ...\n", encoding="utf-8")
    arguments = {"source": {"toml": CODE["objective"]}, "settings": {}, "retry_failed": False}
    room.queue.change(room.queue.add("new", "run", arguments).id, state="cancelled")
    assert "is code" in told(ask("POST", "/studies/new/resume"), 403)["detail"]
    assert [job.state for job in room.queue.jobs()] == ["cancelled"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("/etc/passwd", "lies outside"),
        ("../secret.csv", "lies outside"),
        ("~/secret.csv", "lies outside"),
        ("link.csv", "lies outside"),
        ("-", "is standard input"),
    ],
)
def test_data_outside_of_the_folder_are_not_looked_at(ask: Ask, tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    document = told(ask("POST", "/validate", TOML.replace("sklearn:iris", source), "application/toml"), 422)
    assert words in document["detail"]
    assert "there is no" not in document["detail"]  # whether a file is there is nobody's business


def test_data_inside_of_the_folder_are_read(ask: Ask, tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 7},{'ab'[i % 2]}\n" for i in range(80))
    (tmp_path / "data.csv").write_text(f"x,z,y\n{rows}", encoding="utf-8")
    toml = TOML.replace('"sklearn:iris"', '"data.csv"\ntarget = "y"')
    assert [one["name"] for one in told(ask("POST", "/validate", toml, "application/toml"))["columns"]] == [
        "x",
        "z",
        "y",
    ]


def test_a_warm_start_names_studies_of_the_home_alone(ask: Ask) -> None:
    toml = f'{TOML}[search]\nwarm_start = ["../outside", "small"]\ngeneration_size = 8\n'
    document = told(ask("POST", "/validate", toml, "application/toml"), 422)
    assert [one["where"] for one in document["problems"]] == ["search.warm_start[0]"]


def test_one_service_has_a_home(room: ServiceRoom) -> None:
    with pytest.raises(TunerError, match=r"is served by process .* stop it, or name another home"):
        ServiceRoom(room.settings).__enter__()


def test_one_job_of_a_study_waits_or_runs(room: ServiceRoom) -> None:
    room.queue.add("new", "run", {"source": {"tables": small()}})
    with pytest.raises(StudyBusy, match="'new' is queued as job 1"):
        room.queue.add("new", "run", {})
    room.queue.change(1, state="done")
    assert room.queue.add("new", "run", {}).id == 2


def test_high_priority_goes_first_then_the_oldest(room: ServiceRoom) -> None:
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        room.queue.add(name, "run", {}, priority)
    assert [job.study for job in room.queue.in_state("queued")] == ["b", "d", "a", "c"]


def test_metrics_count_jobs_studies_and_trials(ask: Ask, room: ServiceRoom) -> None:
    room.queue.add("new", "run", {})
    room.requests[200] = 4
    lines = ask("GET", "/metrics").body.decode().splitlines()
    assert {'tuner_jobs{state="queued"} 1', "tuner_studies 2", 'tuner_http_requests_total{status="200"} 4'} <= set(
        lines
    )
    assert 'tuner_trials{study="small",state="complete"} 3' in lines
    assert all(re.fullmatch(r'# (HELP|TYPE) .+|\w+({(\w+="[^"]*",?)+})? [\d.]+', line) for line in lines)


def test_every_route_is_described() -> None:
    document = openapi.openapi(ROUTES, "1")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    streams = {("GET", f"/api/v1{path}") for path in EVENTS}
    assert described == {(row.method, f"/api/v1{row.path}") for row in ROUTES} | streams
    for row in ROUTES:
        found = document["paths"][f"/api/v1{row.path}"][row.method.lower()]
        assert found["summary"]
        assert found["responses"]["default"]
        assert {one["name"] for one in found["parameters"]} == {*re.findall(r"{(\w+)}", row.path), *row.query}
        taken = set(
            re.findall(r'(?:query\.get|number_of|one_of)\((?:request, )?"(\w+)"', inspect.getsource(row.handler))
        )
        assert taken <= set(row.query)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
TABLE = st.sampled_from(
    ["study", "data", "model", "train", "optimizers", "search", "confirm", "parameters", "limits", "x"]
)
KEY = st.sampled_from(
    ["name", "trials", "source", "target", "adam", "epochs", "warm_start", "objective", "command", "top"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.dictionaries(TABLE, st.dictionaries(KEY, VALUES, max_size=4) | VALUES, max_size=4))
def test_any_body_is_answered(ask: Ask, body: dict[str, Any]) -> None:
    for path in ("/validate", "/studies", "/studies/small/confirm", "/studies/small/resume", "/studies/small/priority"):
        assert ask("POST", path, body).status in (200, 202, 400, 403, 404, 409, 422)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.sampled_from([row for row in ROUTES if row.method == "GET"]), st.text(max_size=20), st.text(max_size=20))
def test_any_query_is_answered(ask: Ask, row: ServiceRoute, word: str, other: str) -> None:
    name = other.replace("/", "") or "small"
    path = row.path.format(name=name, trial=name, id=name)
    query = dict.fromkeys(row.query, word)
    assert ask("GET", path.replace("\n", " "), **query).status in (200, 404, 422)
