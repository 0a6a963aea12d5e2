"""Handlers that look: studies, their tables and texts, jobs and the service itself. They change nothing."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tuner.api.side_by_side import compare
from tuner.best.exporters import EXPORTERS
from tuner.errors import NoResult, TunerError, UnknownStudy
from tuner.service.jobs import Job
from tuner.service.messages import Reply, Request, json_reply, refused, text_reply
from tuner.service.room import ServiceRoom
from tuner.store.directory import studies
from tuner.views.best_text import best_as
from tuner.views.documents import list_document, study_document, trial_document
from tuner.views.exports import SHEETS
from tuner.views.overview import DAMAGED, overview
from tuner.views.ranking import ranking_sheet
from tuner.views.sheet import Sheet, formatted, parquet, sheet_of

__all__ = [
    "FORMS",
    "best",
    "compared",
    "confirmations",
    "curves",
    "findings",
    "health",
    "job",
    "jobs",
    "listed",
    "log",
    "number_of",
    "one_of",
    "page_of_report",
    "progress_of",
    "ranking",
    "study",
    "study_lines",
    "trial",
    "trials",
    "version",
]

FORMS = {"json": "application/json", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
BEST = {"toml": "application/toml", "json": "application/json", "args": "text/plain"}
# What the report may do: run its own scripts on its own data, as a page of no site, so that it cannot ask the service.
SANDBOX = "sandbox allow-scripts allow-downloads allow-popups"


def listed(room: ServiceRoom, request: Request) -> Reply:
    """Return a line for each study, with its newest job; those that wait for their first trial are there too."""
    del request
    return json_reply(study_lines(room))


def study_lines(room: ServiceRoom) -> list[dict[str, Any]]:
    """List the studies of the home, after those that were asked for and have not begun, or failed before that."""
    newest: dict[str, Job] = {}
    for one in room.queue.jobs():
        newest.setdefault(one.study, one)
    lines = []
    for directory in studies(room.settings.home):
        try:
            (line,) = list_document([overview(directory)])
        except (*DAMAGED, TunerError) as error:
            line = {"name": directory.name, "damaged": (str(error).splitlines() or [""])[0]}
        lines.append(line | {"job": _document(newest.pop(directory.name, None))})
    begun_not = [{"name": one.study, "trials": 0, "job": one.document()} for one in newest.values()]
    return [*begun_not, *lines]


def study(room: ServiceRoom, request: Request) -> Reply:
    """Return a study: settings, trials by state, best config, confirmation, findings, its newest job and progress."""
    name = request.values["name"]
    newest = room.known(name)
    try:
        document = study_document(room.result(name))
    except TunerError as error:
        if newest is None or not (newest.active or isinstance(error, UnknownStudy)):
            raise
        document = {"study": name, "trials": 0}
    return json_reply(document | {"job": _document(newest), "progress": progress_of(room, newest)})


def progress_of(room: ServiceRoom, job: Job | None) -> dict[str, Any]:
    """Return where a job that runs stands; {} for others."""
    return room.supervisor.folder_of(job).progress if job is not None and job.state == "running" else {}


def _document(job: Job | None) -> dict[str, Any] | None:
    return None if job is None else job.document()


def ranking(room: ServiceRoom, request: Request) -> Reply:
    """Return the ranking, best first, with every column."""
    rows, optimizer = number_of(request, "rows"), request.query.get("optimizer")
    return _sheet(ranking_sheet(room.result(request.values["name"]), rows, optimizer), request)


def trials(room: ServiceRoom, request: Request) -> Reply:
    """Return all trials with every column, those that do not rank too."""
    return _sheet(SHEETS["trials"](room.result(request.values["name"])), request)


def curves(room: ServiceRoom, request: Request) -> Reply:
    """Return the learning curves: a row for each trial, metric, replicate and epoch."""
    return _sheet(SHEETS["curves"](room.result(request.values["name"])), request)


def confirmations(room: ServiceRoom, request: Request) -> Reply:
    """Return every training of the confirmation."""
    return _sheet(SHEETS["confirmations"](room.result(request.values["name"])), request)


def _sheet(sheet: Sheet, request: Request) -> Reply:
    form = one_of(request, "format", FORMS, "json")
    body = parquet(sheet) if form == "parquet" else formatted(sheet, form).encode()
    return Reply(body, FORMS[form])


def trial(room: ServiceRoom, request: Request) -> Reply:
    """Return one trial: its config, metrics, and mean learning curves."""
    text = request.values["trial"]
    if not (text.isascii() and text.isdigit()):
        raise refused(422, "trial", f"must be a number, but got {text!r}")
    return json_reply(trial_document(room.result(request.values["name"]), int(text[:18])))


def best(room: ServiceRoom, request: Request) -> Reply:
    """Return the best config: as a file, as JSON, as arguments, or as code of a framework."""
    form = one_of(request, "to", {**BEST, **dict.fromkeys(EXPORTERS, "text/x-python")}, "toml")
    rank, nearest = number_of(request, "rank") or 1, request.query.get("nearest") == "true"
    found = room.result(request.values["name"]).best(rank, request.query.get("optimizer"))
    text, differences = best_as(found, form, nearest)
    reply = text_reply(text, BEST.get(form, "text/x-python"))
    said = " ".join("; ".join(differences).split()).encode("ascii", "replace").decode()
    return Reply(reply.body, reply.kind, headers={"X-Differences": said} if said else {})


def page_of_report(room: ServiceRoom, request: Request) -> Reply:
    """Return the report: one HTML page, complete offline."""
    found = room.result(request.values["name"])
    if not found.all_trials:
        raise NoResult(f"study {found.study.name!r} has no trial yet")
    with TemporaryDirectory(prefix="tuner-", ignore_cleanup_errors=True) as folder:
        text = found.report(Path(folder) / "report.html").read_bytes()
    return Reply(text, "text/html; charset=utf-8", headers={"Content-Security-Policy": SANDBOX})


def findings(room: ServiceRoom, request: Request) -> Reply:
    """Return what to do next, most urgent first."""
    return json_reply([finding.document() for finding in room.result(request.values["name"]).findings()])


def compared(room: ServiceRoom, request: Request) -> Reply:
    """Compare studies (?studies=A,B), or the optimizers of one (?studies=A&by=optimizer): a row for each, and notes."""
    names = [name for name in request.query.get("studies", "").split(",") if name]
    frame = compare(*map(room.result, names), by=request.query.get("by", "study"))
    sheet = sheet_of(frame)
    rows = [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]
    return json_reply({"rows": rows, "notes": list(frame.attrs["notes"])})


def jobs(room: ServiceRoom, request: Request) -> Reply:
    """Return the jobs, the newest first."""
    del request
    return json_reply([one.document() for one in room.queue.jobs()])


def job(room: ServiceRoom, request: Request) -> Reply:
    """Return a job, with where it stands if it runs."""
    number = request.values["id"]
    try:
        found = room.queue.job(int(number[:18]) if number.isascii() and number.isdigit() else -1)
    except KeyError:
        raise refused(404, "job", f"there is no job {number!r}", "/api/v1/jobs lists them") from None
    return json_reply(found.document() | {"progress": progress_of(room, found)})


def log(room: ServiceRoom, request: Request) -> Reply:
    """Return the end of what the newest job of a study has said."""
    newest = room.known(request.values["name"])
    return text_reply("" if newest is None else room.supervisor.folder_of(newest).log())


def health(room: ServiceRoom, request: Request) -> Reply:
    """Say that the service answers, and how many jobs wait and run."""
    del request
    counts = {state: len(room.queue.in_state(state)) for state in ("queued", "running")}
    return json_reply({"status": "ok", **counts})


def version(room: ServiceRoom, request: Request) -> Reply:
    """Return the version of the tuner and of this interface."""
    del room, request
    return json_reply({"tuner": metadata.version("tuner"), "api": "v1"})


def number_of(request: Request, name: str) -> int | None:
    """Return a number of the query that is 1 or more; None where it is not there. Raises Refused."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:18]) <= 10**9):
        raise refused(422, name, f"must be a number from 1 to 1,000,000,000, but got {text[:40]!r}")
    return int(text[:18])


def one_of(request: Request, name: str, known: dict[str, str], default: str) -> str:
    """Return a word of the query that is one of those known. Raises Refused with the nearest."""
    from objectives.errors import nearest

    word = request.query.get(name, default)
    if word not in known:
        raise refused(422, name, f"{word[:40]!r} is not known", nearest(word, known))
    return word
