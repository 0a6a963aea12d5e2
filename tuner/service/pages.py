"""The pages: a list of the studies, one study as it grows, and the question for the token.

They are made here, whole; the script asks for the live part again whenever an event says that something has changed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from tuner.best.exporters import EXPORTERS
from tuner.errors import NoResult, TunerError
from tuner.report.conclusion import Conclusion
from tuner.report.page.shell import template, variables
from tuner.report.report_data import ReportData
from tuner.report.theme import DARK, LIGHT
from tuner.result import Result
from tuner.service.chart import HEIGHT, LEFT, WIDTH, curve_chart
from tuner.service.guard import COOKIE, is_token, session_of
from tuner.service.jobs import Job
from tuner.service.messages import Reply, Request
from tuner.service.readers import progress_of, study_lines
from tuner.service.room import ServiceRoom
from tuner.service.routes import ServiceRoute
from tuner.text import cell_text, interval_text
from tuner.views.overview import STATES, age_text, states_of
from tuner.views.ranking import ranking_sheet
from tuner.views.sheet import filtered

__all__ = ["PAGES", "to_login"]

HERE = Path(__file__).parent / "page"
HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
ROWS, COLUMNS, FINDINGS, LINES = 10, 10, 5, 40
EXAMPLE = """[study]
name = "iris"
trials = 64

[data]
source = "sklearn:iris"

[optimizers.momentum]
[optimizers.adam]
"""


def _page(name: str, values: dict[str, Any], status: int = 200) -> Reply:
    text = template(name, HERE).render(values)
    return Reply(text.encode("utf-8", "replace"), HTML, status, {"Content-Security-Policy": POLICY})


def overview_page(room: ServiceRoom, request: Request) -> Reply:
    """Show the list of the studies, and the form that starts one."""
    del request
    return _page("list.html", {"studies": [_row(room, line) for line in study_lines(room)], "example": EXAMPLE})


def overview_part(room: ServiceRoom, request: Request) -> Reply:
    """Show the list alone."""
    del request
    return _page("list_part.html", {"studies": [_row(room, line) for line in study_lines(room)]})


def _row(room: ServiceRoom, line: dict[str, Any]) -> dict[str, Any]:
    """Return a study of the list as the page shows it."""
    job, found = line.get("job"), {"name": line["name"], "best": "", "final": "", "age": ""}
    progress = progress_of(room, room.job(line["name"])) if job and job["state"] == "running" else {}
    done, total = progress.get("worth", line.get("trials", 0)), progress.get("total", line.get("planned", 0))
    found |= {"state": _state(job["state"] if job else None, line), "done": done, "total": total or 1}
    found["words"] = f"{int(done)} of {total}" if total else ""
    if "planned" in line:
        final = interval_text(line["confirmed"], line["low"], line["high"])
        found |= {"best": cell_text(line["best"]), "final": final, "age": f"{age_text(line['age'])} ago"}
    return found


def _state(state: str | None, line: dict[str, Any]) -> str:
    if "damaged" in line:
        return "damaged"
    ended = state in (None, "done")
    return ("complete" if line.get("trials", 0) >= line.get("planned", 0) else "paused") if ended else str(state)


def study_page(room: ServiceRoom, request: Request) -> Reply:
    """Show one study."""
    return _page("study.html", study_view(room, request.values["name"]))


def study_part(room: ServiceRoom, request: Request) -> Reply:
    """Show what changes of one study."""
    return _page("study_part.html", study_view(room, request.values["name"]))


def study_view(room: ServiceRoom, name: str) -> dict[str, Any]:
    """Return what the page of a study shows. Raises UnknownStudy."""
    job = room.known(name)
    view: dict[str, Any] = {"name": name, "description": "", "question": "", "winner": None, "chart": None, "log": ""}
    view |= {
        "left": LEFT,
        "width": WIDTH,
        "height": HEIGHT,
        "ranking": None,
        "findings": [],
        "links": [],
        "line": "",
        "message": "",
    }
    view |= {"active": job is not None and job.active, "done": 0, "total": 1, "words": ""}
    view["state"] = job.state if job is not None else "complete"
    try:
        result = room.result(name)
    except TunerError as error:
        if job is None:
            view |= {"state": "damaged", "message": str(error)}
    else:
        view |= _found(result)
        if job is None or job.state == "done":
            view["state"] = "complete" if len(result.all_trials) >= result.study.trials else "paused"
    return view if job is None else view | _running(room, job)


def _found(result: Result) -> dict[str, Any]:
    """Return what is known of a study that has begun."""
    study, trials = result.study, result.all_trials
    counts = {state: sum(trial.state == state for trial in trials) for state in STATES}
    found: dict[str, Any] = {"description": study.description, "question": study.question, "chart": curve_chart(result)}
    found |= {"done": len(trials), "total": study.trials, "ranking": _ranking(result), "links": _links(result)}
    found["words"] = f"{len(trials)} of {study.trials} trials: {states_of(counts)}"
    if trials:
        found["findings"] = [
            {"sentence": one.sentence, "command": one.command, "worth": one.worth}
            for one in list(result.findings())[:FINDINGS]
        ]
    try:
        best = result.best()
    except NoResult:
        return found
    words = Conclusion(ReportData(result), best).winner
    low, high = best.interval or (None, None)
    value = interval_text(best.confirmation.get("mean"), low, high) or cell_text(best.value)
    return found | {"winner": {"words": words, "trial": best.trial, "value": f"{study.metric} {value}"}}


def _ranking(result: Result) -> dict[str, Any] | None:
    sheet, _ = filtered(ranking_sheet(result, ROWS))
    if not sheet.rows:
        return None
    shown = sheet.only(sheet.columns[:COLUMNS])
    titles = [shown.title(name).lower() for name in shown.columns]
    return {"titles": titles, "rows": [[cell_text(cell) for cell in row] for row in shown.rows]}


def _links(result: Result) -> list[tuple[str, str]]:
    place = f"/api/v1/studies/{quote(result.study.name, safe='')}"
    found = [("Report", f"{place}/report")] if result.all_trials else []
    found += [("Ranking as CSV", f"{place}/ranking?format=csv"), ("Log", f"{place}/log")]
    if result.study.custom is None and any(trial.state == "complete" for trial in result.all_trials):
        found += [(f"Best for {name}", f"{place}/best?to={name}&nearest=true") for name in EXPORTERS]
    return [*found, ("Best config", f"{place}/best")]


def _running(room: ServiceRoom, job: Job) -> dict[str, Any]:
    """Return what the newest job of a study adds."""
    progress = progress_of(room, job)
    found: dict[str, Any] = {"message": job.message}
    if job.active or job.state == "failed":
        found["log"] = "\n".join(room.supervisor.folder_of(job).log().splitlines()[-LINES:])
    if "total" in progress and progress.get("stage") == "search":
        left = _left(progress)
        found |= {"done": progress["worth"], "total": progress["total"]}
        found["line"] = f"{progress['line']}{f', about {age_text(left)} left' if left else ''}"
    elif progress:
        found["line"] = progress["line"]
    return found


def _left(progress: dict[str, Any]) -> float:
    """Return about how many seconds a search has left, from its own pace; 0 where that is unknown."""
    gone, worth = time.time() - progress["began"], progress["worth"]
    return max(0.0, gone * (progress["total"] - worth) / worth) if worth > 0 else 0.0


def login_page(room: ServiceRoom, request: Request) -> Reply:
    """Ask for the token."""
    del request
    return _page("login.html", {"wrong": False}) if room.settings.token else _redirect("/")


def login(room: ServiceRoom, request: Request) -> Reply:
    """Take the token, and give the browser a session in its place."""
    token = room.settings.token
    given = parse_qs(request.body.decode("utf-8", "replace")).get("token", [""])[0]
    if not token or not is_token(token, given.strip()):
        return _page("login.html", {"wrong": True}, 401)
    return _redirect("/", **{"Set-Cookie": f"{COOKIE}={session_of(token)}; Path=/; HttpOnly; SameSite=Strict"})


def to_login() -> Reply:
    """Lead a browser without a session to the question for the token."""
    return _redirect("/login")


def _redirect(place: str, **headers: str) -> Reply:
    return Reply(b"", HTML, 303, {"Location": place, **headers})


def style(room: ServiceRoom, request: Request) -> Reply:
    """Return the style sheet, with the colours of the report."""
    del room, request
    light, dark = (f"{variables(theme)} --bad: {theme.bad};" for theme in (LIGHT, DARK))
    colours = f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    return Reply((colours + (HERE / "service.css").read_text(encoding="utf-8")).encode(), "text/css; charset=utf-8")


def script(room: ServiceRoom, request: Request) -> Reply:
    """Return the script."""
    del room, request
    return Reply((HERE / "service.js").read_bytes(), "text/javascript; charset=utf-8")


PAGES: tuple[ServiceRoute, ...] = (
    ServiceRoute("GET", "/", overview_page),
    ServiceRoute("GET", "/part", overview_part),
    ServiceRoute("GET", "/studies/{name}", study_page),
    ServiceRoute("GET", "/studies/{name}/part", study_part),
    ServiceRoute("GET", "/login", login_page),
    ServiceRoute("POST", "/login", login),
    ServiceRoute("GET", "/service.css", style),
    ServiceRoute("GET", "/service.js", script),
)
