"""What may be handed in: a study as TOML or JSON, of data that this service may read, and of no code unless allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from objectives.data.sources import is_function
from objectives.errors import Complaint
from tuner.api.check import CheckedStudy, check_study
from tuner.api.read_study import read_study
from tuner.errors import StudyError
from tuner.service.mailbox import ASKED
from tuner.service.messages import JSON, Refused, Request, refused
from tuner.service.settings import ServiceSettings
from tuner.study import Study, parse_toml

__all__ = ["MOST_BODY", "Source", "admitted", "check_code", "source_of", "table_of", "tables_of"]

Source = Mapping[str, Any]  # {"toml": the text} or {"tables": the tables}: a study as it was handed in
MOST_BODY = 256 * 1024  # bytes
TOML = ("application/toml", "text/toml", "application/x-toml")


def source_of(request: Request) -> Source:
    """Return the study in the body of a request. Raises Refused for what is neither TOML nor JSON."""
    kind = request.kind.partition(";")[0].strip().lower()
    if kind in TOML:
        return {"toml": _decoded(request.body)}
    if kind == JSON:
        return {"tables": table_of(request)}
    raise refused(415, "Content-Type", f"{kind or 'nothing'} is no study", f"send {TOML[0]} or {JSON}")


def tables_of(source: Source) -> dict[str, Any]:
    """Return the tables of a study that was handed in. Raises StudyError."""
    return parse_toml(source["toml"]) if "toml" in source else dict(source["tables"])


def table_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request; {} where there is no body. Raises Refused."""
    if not request.body:
        return {}
    if request.kind.partition(";")[0].strip().lower() != JSON:
        raise refused(415, "Content-Type", f"{request.kind or 'nothing'} is not {JSON}", f"send {JSON}")
    try:
        found = json.loads(_decoded(request.body))
    except (ValueError, RecursionError) as error:
        raise refused(400, "body", f"is not JSON: {type(error).__name__}: {str(error)[:100]}") from error
    if not isinstance(found, dict):
        raise refused(400, "body", "is no JSON object", 'send {"study": {...}, ...}')
    return found


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(400, "body", "is not UTF-8 text", "send it as UTF-8") from error


def admitted(source: Source, settings: ServiceSettings, given: Mapping[str, Any]) -> CheckedStudy:
    """Check all of a study that was handed in, with settings that take precedence, and what it would read or run.

    Nothing outside the service's folder is looked at, not even whether it is there. Raises StudyError, DataError,
    Refused.
    """
    tables = tables_of(source)
    if "study.name" not in given and not _named(tables):
        raise StudyError(Complaint("study.name", "is missing", 'write name = "..." in [study], or add ?name='))
    draft = read_study(tables, settings=given, base=settings.base, needs_data=False)
    check_code(draft, settings)
    if complaints := [*_outside(draft, settings.base), *_elsewhere(draft), *_together(draft)]:
        raise StudyError(*complaints)
    return check_study(read_study(tables, settings=given, base=settings.base))


def _named(tables: Mapping[str, Any]) -> bool:
    study = tables.get("study", {})
    return not isinstance(study, Mapping) or study.get("name") is not None


def check_code(study: Study, settings: ServiceSettings) -> None:
    """Refuse a study that runs code of its author's, unless the service was started to allow that. Raises Refused."""
    source = str(study.data.source)
    if study.custom and study.custom.objective == ASKED:
        return  # it waits for others, who run what they like
    what = study.custom.words if study.custom else source if is_function(source) else ""
    if what and not settings.allow_code:
        where = "study.objective" if study.custom else "data.source"
        hint = "start the service with --allow-code, if you trust everybody who can reach it"
        complaint = Complaint(where, f"{what!r} is code, which this service does not run", hint)
        raise Refused(403, complaint)


def _outside(study: Study, base: Path) -> list[Complaint]:
    """Complain about data outside of the folder that the service was started in."""
    source = study.data.source
    if study.custom or source is None or source.startswith(("sklearn:", "surface:")) or is_function(source):
        return []
    if source == "-":
        return [Complaint("data.source", "is standard input, which a request does not have", "name a file")]
    try:
        inside = (base / Path(source).expanduser()).resolve().is_relative_to(base.resolve())
    except (OSError, RuntimeError, ValueError):
        inside = False
    what = "lies outside of the folder that the service was started in"
    return [] if inside else [Complaint("data.source", f"{source!r} {what}", "name a file below it")]


def _together(study: Study) -> list[Complaint]:
    """Complain about configs that would be handed out several at once."""
    many = study.custom is not None and study.custom.objective == ASKED and study.custom.batched > 1
    return [Complaint("study.batched", "does not go with ?ask=true: configs are asked for one by one")] if many else []


def _elsewhere(study: Study) -> list[Complaint]:
    """Complain about studies to begin with that are named by a path."""
    named = enumerate(study.search.warm_start)
    hint = "name a study of this service's home"
    return [
        Complaint(f"search.warm_start[{i}]", f"{name!r} is a path", hint)
        for i, name in named
        if Path(name).name != name or name.startswith((".", "~"))
    ]
