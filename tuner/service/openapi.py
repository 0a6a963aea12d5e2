"""The OpenAPI document, made from the table of routes and the tables of a study file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tuner.service.messages import JSON, PROBLEM
from tuner.service.routes import API, EVENTS, ServiceRoute

__all__ = ["openapi"]

# What the parts of a path and of a query mean.
MEANINGS = {
    "name": "Name of the study.",
    "trial": "Number of the trial.",
    "id": "Number of the job.",
    "trials": "How many trials in all.",
    "priority": "Of jobs that wait, the highest goes first.",
    "format": "json, csv or parquet.",
    "rows": "So many of the first.",
    "optimizer": "Only trials of this optimizer.",
    "to": "toml, json, args, or a framework: torch, keras, optax, sklearn.",
    "rank": "Rank of the config.",
    "nearest": "true: the nearest optimizer where the framework cannot make the same steps.",
    "confirm": "The study's name again.",
    "studies": "Names, with commas between them.",
    "by": "study or optimizer.",
    "ask": "true: others ask for the configs, train them, and tell.",
}
STUDY = {
    "application/toml": {"schema": {"type": "string", "description": "A study file."}},
    JSON: {"schema": {"type": "object", "description": "The tables of a study file."}},
}
BODIES: dict[str, Any] = {"study": STUDY, "json": {JSON: {"schema": {"type": "object"}}}}
NUMBERS = ("id", "rank", "rows", "trial", "trials", "priority")


def openapi(routes: Sequence[ServiceRoute], version: str) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"{API}{route.path}", {})[route.method.lower()] = operation(route)
    for path, words in EVENTS.items():
        paths[f"{API}{path}"] = {"get": stream(path, words)}
    fields = {"title": "string", "status": "integer", "kind": "string", "detail": "string", "problems": "array"}
    problem = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}
    problem["properties"]["problems"]["items"] = {"type": "object"}  # type: ignore[index]
    token = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "tuner", "version": version},
        "paths": paths,
        "components": {"schemas": {"Problem": problem}, "securitySchemes": {"token": token}},
        "security": [{}, {"token": []}],
    }


def operation(route: ServiceRoute) -> dict[str, Any]:
    """Describe one route."""
    words = " ".join((route.handler.__doc__ or "").split())
    inside = re.findall(r"{(\w+)}", route.path)
    parameters = [parameter(name, "path") for name in inside] + [parameter(name, "query") for name in route.query]
    problem = {
        "description": "What is wrong.",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    found: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": words.partition(".")[0],
        "description": words,
        "parameters": parameters,
        "responses": {str(route.status): {"description": "Done.", "content": {route.kind: {}}}, "default": problem},
    }
    if route.body:
        found["requestBody"] = {"required": route.body == "study", "content": BODIES[route.body]}
    return found


def stream(path: str, words: str) -> dict[str, Any]:
    """Describe one stream of events."""
    return {
        "summary": words.rstrip("."),
        "description": words,
        "parameters": [parameter(name, "path") for name in re.findall(r"{(\w+)}", path)],
        "responses": {"200": {"description": "Server-sent events.", "content": {"text/event-stream": {}}}},
    }


def parameter(name: str, place: str) -> dict[str, Any]:
    """Describe one parameter."""
    schema = {"type": "integer" if name in NUMBERS else "string"}
    return {"name": name, "in": place, "required": place == "path", "description": MEANINGS[name], "schema": schema}
