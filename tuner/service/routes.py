"""The table of routes: a row for each, from which the service and its OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuner.service import actions, asking, readers
from tuner.service.messages import Reply, Request
from tuner.service.metrics import metrics
from tuner.service.room import ServiceRoom

__all__ = ["API", "EVENTS", "ROUTES", "Handler", "ServiceRoute"]

API = "/api/v1"
Handler = Callable[[ServiceRoom, Request], Reply]
OF_TABLE, OF_STUDY = ("format",), ("name", "trials", "ask")


@dataclass(frozen=True)
class ServiceRoute:
    """A route below `/api/v1`: what it takes in its query, as its body ("study" or "json"), and what answers it."""

    method: str
    path: str
    handler: Handler
    query: tuple[str, ...] = ()
    body: str = ""
    status: int = 200
    kind: str = "application/json"


ROUTES: tuple[ServiceRoute, ...] = (
    ServiceRoute("GET", "/health", readers.health),
    ServiceRoute("GET", "/version", readers.version),
    ServiceRoute("GET", "/metrics", metrics, kind="text/plain"),
    ServiceRoute("POST", "/validate", actions.validate, OF_STUDY, "study"),
    ServiceRoute("GET", "/studies", readers.listed),
    ServiceRoute("POST", "/studies", actions.create, (*OF_STUDY, "priority"), "study", 202),
    ServiceRoute("GET", "/studies/{name}", readers.study),
    ServiceRoute("DELETE", "/studies/{name}", actions.delete, ("confirm",)),
    ServiceRoute("GET", "/studies/{name}/ranking", readers.ranking, ("rows", "optimizer", *OF_TABLE)),
    ServiceRoute("GET", "/studies/{name}/trials", readers.trials, OF_TABLE),
    ServiceRoute("GET", "/studies/{name}/trials/{trial}", readers.trial),
    ServiceRoute("GET", "/studies/{name}/curves", readers.curves, OF_TABLE),
    ServiceRoute("GET", "/studies/{name}/confirmations", readers.confirmations, OF_TABLE),
    ServiceRoute(
        "GET", "/studies/{name}/best", readers.best, ("to", "rank", "optimizer", "nearest"), kind="application/toml"
    ),
    ServiceRoute("GET", "/studies/{name}/report", readers.page_of_report, kind="text/html"),
    ServiceRoute("GET", "/studies/{name}/findings", readers.findings),
    ServiceRoute("GET", "/studies/{name}/log", readers.log, kind="text/plain"),
    ServiceRoute("POST", "/studies/{name}/confirm", actions.confirm, (), "json", 202),
    ServiceRoute("POST", "/studies/{name}/resume", actions.resume, (), "json", 202),
    ServiceRoute("POST", "/studies/{name}/cancel", actions.cancel, (), "json", 202),
    ServiceRoute("POST", "/studies/{name}/priority", actions.prioritise, (), "json"),
    ServiceRoute("POST", "/studies/{name}/ask", asking.ask, (), "json"),
    ServiceRoute("POST", "/studies/{name}/tell", asking.tell, (), "json"),
    ServiceRoute("POST", "/studies/{name}/fail", asking.fail, (), "json"),
    ServiceRoute("GET", "/compare", readers.compared, ("studies", "by")),
    ServiceRoute("GET", "/jobs", readers.jobs),
    ServiceRoute("GET", "/jobs/{id}", readers.job),
)
# Streams of server-sent events, which `live` tells: what each is, by its path.
EVENTS = {
    "/events": "Tell which jobs wait and run, whenever that changes.",
    "/studies/{name}/events": "Tell where a study stands, whenever that changes.",
}
