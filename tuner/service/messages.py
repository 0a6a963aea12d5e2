"""Requests and answers as plain values, and what went wrong as a problem document (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from objectives.errors import Complaint, InvalidInput
from tuner.errors import (
    ChangedStudy,
    InexactMapping,
    LedgerError,
    NoResult,
    NotInstalled,
    StudyBusy,
    TunerError,
    UnknownStudy,
    UnknownTrial,
)
from tuner.masking import shown
from tuner.views.json_values import json_value

__all__ = ["JSON", "PROBLEM", "Request", "Refused", "Reply", "json_reply", "problem_of", "refused", "text_reply"]

JSON, PROBLEM = "application/json", "application/problem+json"
STATUSES: tuple[tuple[type[BaseException], int], ...] = (
    (UnknownStudy, 404),
    (UnknownTrial, 404),
    (NoResult, 404),
    (StudyBusy, 409),
    (ChangedStudy, 409),
    (InexactMapping, 422),
    (InvalidInput, 422),
    (NotInstalled, 501),
    (LedgerError, 503),
)


@dataclass(frozen=True)
class Request:
    """A request: `values` are the parts of its path, `query` what stands after its `?`, `kind` its content type."""

    values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    kind: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    body: bytes
    kind: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(TunerError):
    """A request that is not answered, with the status that says why."""

    exit_code = 2

    def __init__(self, status: int, what: Complaint) -> None:
        self.status, self.complaint = status, what
        super().__init__(str(what))


def refused(status: int, where: str, what: str, hint: str = "") -> Refused:
    """Build a refusal from its three parts."""
    return Refused(status, Complaint(where, what, hint))


def json_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    """Answer with a document as JSON at full precision."""
    text = json.dumps(json_value(document), default=str)
    return Reply(text.encode(), JSON, status, headers)


def text_reply(text: str, kind: str = "text/plain") -> Reply:
    """Answer with text."""
    return Reply(text.encode("utf-8", "replace"), f"{kind}; charset=utf-8")


def problem_of(error: BaseException) -> Reply:
    """Return the problem document of an error, in the words of the command line; of one that is unexpected, no more
    than its kind.
    """
    status = error.status if isinstance(error, Refused) else _status(error)
    complaints = (error.complaint,) if isinstance(error, Refused) else getattr(error, "complaints", ())
    known = isinstance(error, TunerError | InvalidInput)
    detail = shown(str(error)) if known else f"{type(error).__name__}: this should not happen; the service's log has it"
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "kind": type(error).__name__,
        "detail": detail,
        "problems": [{"where": c.where, "what": shown(c.what), "hint": shown(c.hint)} for c in complaints],
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Reply(json.dumps(document).encode(), PROBLEM, status, headers)


def _status(error: BaseException) -> int:
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status
    return 422 if isinstance(error, TunerError) else 500
