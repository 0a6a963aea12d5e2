"""Handlers that act: studies are checked, created, confirmed, cancelled, resumed and deleted."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.api.confirm import MOST_TOP
from tuner.api.remove import remove
from tuner.errors import StudyBusy, StudyError
from tuner.service.admission import admitted, check_code, source_of, table_of
from tuner.service.jobs import Job
from tuner.service.mailbox import ASKED
from tuner.service.messages import Reply, Request, json_reply, refused
from tuner.service.readers import number_of, one_of
from tuner.service.room import ServiceRoom
from tuner.store.directory import study_directory
from tuner.store.stored import stored_study
from tuner.study import MOST_SEEDS, Study, not_run

__all__ = ["cancel", "confirm", "create", "delete", "prioritise", "resume", "validate"]

MOST_PRIORITY = 1000
OPEN, MOST_OPEN = 4, 64  # trials that others train at once: each is a process that waits
PRIORITY = re.compile(r"-?[0-9]{1,4}")


def validate(room: ServiceRoom, request: Request) -> Reply:
    """Check a study and its data; returns it with all defaults, the columns of its table, and notes."""
    checked = admitted(source_of(request), room.settings, _settings(request))
    study = checked.study
    document = {"study": study.name, "settings": study.to_table(), "toml": study.to_toml()}
    return json_reply(document | {"columns": [asdict(one) for one in checked.columns], "notes": list(checked.notes)})


def create(room: ServiceRoom, request: Request) -> Reply:
    """Check a study as `validate` does, and queue its run."""
    source, given = source_of(request), _settings(request)
    study = admitted(source, room.settings, given).study
    if study_directory(study.name, room.settings.home).exists:
        hint = f"POST to .../studies/{study.name}/resume goes on with it; or choose another name"
        raise refused(409, f"study {study.name!r}", "is there already", hint)
    arguments = {"source": source, "settings": given, "retry_failed": False, **_asked(study)}
    job = room.queue.add(study.name, "run", arguments, _priority(request.query.get("priority", "0")))
    return _accepted(job)


def resume(room: ServiceRoom, request: Request) -> Reply:
    """Queue a run that goes on with a study: {"trials": N} for more, {"retry_failed": true} for those that failed."""
    name, asked = request.values["name"], table_of(request)
    _only(asked, "trials", "retry_failed", "priority")
    retry = asked.get("retry_failed", False)
    if not isinstance(retry, bool):
        raise StudyError(Complaint("retry_failed", f"must be true or false, but got {retry!r}"))
    given = {} if asked.get("trials") is None else {"study.trials": _count(asked, "trials", 1, 10**6)}
    before = room.known(name)
    arguments: dict[str, Any] = {"settings": given, "retry_failed": retry}
    if study_directory(name, room.settings.home).exists:
        study = stored_study(room.directory(name))
        arguments |= _asked(study)
        if study.imported:
            raise not_run(study.name, study.imported)
        check_code(study, room.settings)
    elif before is not None and "source" in before.arguments:  # it was stopped before its first trial
        earlier = before.arguments
        arguments["settings"] = {**earlier["settings"], **given}
        study = admitted(
            earlier["source"], room.settings, arguments["settings"]
        ).study  # what is allowed may differ now
        arguments |= {"source": earlier["source"], **_asked(study)}
    else:
        room.directory(name)
    return _accepted(room.queue.add(name, "run", arguments, _priority(asked.get("priority", 0))))


def confirm(room: ServiceRoom, request: Request) -> Reply:
    """Queue a confirmation: {"top": how many of the best, "seeds": on how many fresh seeds}."""
    directory, asked = room.directory(request.values["name"]), table_of(request)
    _only(asked, "top", "seeds", "priority")
    top, seeds = _count(asked, "top", 1, MOST_TOP), _count(asked, "seeds", 2, MOST_SEEDS)
    study = stored_study(directory)
    check_code(study, room.settings)
    room.result(directory.name).best()  # raises NoResult before anything is queued
    arguments = {"top": top, "seeds": seeds, **_asked(study)}
    return _accepted(room.queue.add(directory.name, "confirm", arguments, _priority(asked.get("priority", 0))))


def cancel(room: ServiceRoom, request: Request) -> Reply:
    """Cancel the job of a study that waits or runs; what was finished is kept, and resume goes on."""
    job = room.known(request.values["name"])
    if job is None or not job.active:
        raise refused(409, f"study {request.values['name']!r}", "has no job that waits or runs")
    room.supervisor.cancel(job)
    return json_reply(room.queue.job(job.id).document(), 202)


def prioritise(room: ServiceRoom, request: Request) -> Reply:
    """Set the priority of a study's job, {"priority": N}: of those that wait, the highest goes first."""
    name, asked = request.values["name"], table_of(request)
    _only(asked, "priority")
    job = room.known(name)
    if job is None or not job.active:
        raise refused(409, f"study {name!r}", "has no job that waits or runs")
    room.queue.change(job.id, priority=_priority(asked.get("priority")))
    return json_reply(room.queue.job(job.id).document())


def delete(room: ServiceRoom, request: Request) -> Reply:
    """Remove a study with all it found, for good; its name has to be repeated: ?confirm=NAME."""
    name = request.values["name"]
    job = room.known(name)
    if request.query.get("confirm") != name:
        hint = f"repeat the name: ?confirm={name}"
        raise refused(422, "confirm", f"is not {name!r}; nothing was removed", hint)
    if job is not None and job.active:
        raise StudyBusy(f"study {name!r} is {job.state} as job {job.id}; cancel it first")
    if job is None or study_directory(name, room.settings.home).exists:
        remove(room.directory(name))
    room.supervisor.forget(name)
    Path(room.mailbox(name)).unlink(missing_ok=True)
    return json_reply({"removed": name})


def _accepted(job: Job) -> Reply:
    return json_reply(job.document(), 202, Location=f"/api/v1/jobs/{job.id}")


def _settings(request: Request) -> dict[str, Any]:
    """Return what the query sets of a study: its name, its number of trials, and whether others train them."""
    name, trials = request.query.get("name"), number_of(request, "trials")
    asked = {"true": ASKED, "false": None}[one_of(request, "ask", {"true": "", "false": ""}, "false")]
    given = {"study.name": name, "study.trials": trials, "study.objective": asked}
    return {key: value for key, value in given.items() if value is not None}


def _asked(study: Study) -> dict[str, int]:
    """Return how many trials of a study are open at once, if others train them; {} if not."""
    asked = study.custom is not None and study.custom.objective == ASKED
    return {"asked": min(study.search.parallel or OPEN, MOST_OPEN)} if asked else {}


def _priority(value: Any) -> int:
    text = str(value)
    if not PRIORITY.fullmatch(text) or abs(int(text)) > MOST_PRIORITY:
        what = f"must be a whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}, but got {text[:40]!r}"
        raise StudyError(Complaint("priority", what))
    return int(text)


def _count(asked: dict[str, Any], name: str, low: int, high: int) -> int | None:
    """Return a number of a body; None where it is not there. Raises StudyError."""
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise StudyError(Complaint(name, f"must be a whole number in [{low}, {high}], but got {str(value)[:40]!r}"))
    return value


def _only(asked: dict[str, Any], *known: str) -> None:
    """Raise StudyError for keys that mean nothing."""
    from objectives.errors import nearest

    wrong = [Complaint(key[:40], "unknown key", nearest(key, known)) for key in asked if key not in known]
    if wrong:
        raise StudyError(*wrong)
