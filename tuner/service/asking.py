"""Handlers for training code in any language: ask for a config, tell its metrics, or that it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from objectives.errors import Complaint
from tuner.errors import StudyError
from tuner.service.admission import table_of
from tuner.service.mailbox import Mailbox
from tuner.service.messages import Reply, Request, json_reply, problem_of, refused
from tuner.service.room import ServiceRoom

__all__ = ["ask", "fail", "tell"]

LEASE = 3600.0  # seconds that a config is a client's alone, unless it asks for another time
LONGEST = 200  # characters of a client's name
RETRY = "1"  # seconds after which to ask again


def ask(room: ServiceRoom, request: Request) -> Reply:
    """Return a config to train, {"client": NAME, "lease": SECONDS}: the same one again until it is told.

    While none waits, because others are being trained or the run begins, the answer is 503 with Retry-After.
    """
    asked, box = table_of(request), _box(room, request)
    client, lease = _client(asked), asked.get("lease", LEASE)
    if isinstance(lease, bool) or not isinstance(lease, int | float) or not 1 <= lease <= 10**7:
        raise StudyError(Complaint("lease", f"must be seconds in [1, 10000000], but got {str(lease)[:40]!r}"))
    found = box.ask(client, float(lease))
    if found is not None:
        return json_reply(found.document())
    waits = problem_of(refused(503, f"study {request.values['name']!r}", "has no config to train now", "ask again"))
    return Reply(waits.body, waits.kind, 503, {"Retry-After": RETRY})


def tell(room: ServiceRoom, request: Request) -> Reply:
    """Take the metrics of a config, {"client": NAME, "key": KEY, "metrics": {"loss": 0.25}}."""
    asked, box = table_of(request), _box(room, request)
    metrics = asked.get("metrics")
    good = isinstance(metrics, dict) and metrics and all(_is_number(value) for value in metrics.values())
    if not good:
        raise StudyError(Complaint("metrics", 'must be numbers by name, like {"loss": 0.25}'))
    return _told(box, asked, {"metrics": metrics})


def fail(room: ServiceRoom, request: Request) -> Reply:
    """Take that the training of a config failed, {"client": NAME, "key": KEY, "error": WHY}."""
    asked, box = table_of(request), _box(room, request)
    return _told(box, asked, {"error": str(asked.get("error", "failed"))[:2000]})


def _told(box: Mailbox, asked: dict[str, Any], answer: dict[str, Any]) -> Reply:
    key = str(asked.get("key", ""))
    try:
        box.tell(key, _client(asked), answer)
    except KeyError:
        raise refused(404, "key", f"{key[:40]!r} is no config of this study", "ask for one") from None
    return json_reply({"told": key})


def _box(room: ServiceRoom, request: Request) -> Mailbox:
    """Return the mailbox of a study that runs and whose trials others train. Raises Refused."""
    name = request.values["name"]
    job = room.known(name)
    where = f"study {name!r}"
    if job is None or not job.arguments.get("asked"):
        raise refused(409, where, "trains its trials itself", "create one with ?ask=true to ask for configs")
    if not job.active:
        raise refused(409, where, f"is {job.state}: nothing is left to train", "resume goes on with more trials")
    return Mailbox(Path(room.mailbox(name)))


def _client(asked: dict[str, Any]) -> str:
    name = asked.get("client")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
        raise StudyError(Complaint("client", f"must be a name of up to {LONGEST} letters", "one for each that trains"))
    return name


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
