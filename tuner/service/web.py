"""The service on the network: the only module that knows Starlette and uvicorn."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl

from tuner.errors import NotInstalled
from tuner.service.admission import MOST_BODY
from tuner.service.guard import admit
from tuner.service.live import glance, glance_at_all, stream
from tuner.service.messages import Reply, Request, json_reply, problem_of, refused
from tuner.service.openapi import openapi
from tuner.service.pages import PAGES, to_login
from tuner.service.room import ServiceRoom
from tuner.service.routes import API, EVENTS, ROUTES, Handler
from tuner.service.settings import ServiceSettings

__all__ = ["WebService"]

MOST_AT_ONCE = 256  # connections
MOST_SECONDS = 20.0  # for a body to come
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
log = logging.getLogger("tuner.service")


class WebService:
    """A service that listens; `serve` runs until it is stopped.

    Raises NotInstalled with the install line, OSError where the port is taken, TunerError where another service has
    the home.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        try:
            import starlette  # noqa: F401
            import uvicorn
        except ImportError as error:
            raise NotInstalled("starlette and uvicorn", "pip install 'tuner[serve]'") from error
        self.settings, self._room = settings, ServiceRoom(settings)
        self._socket = listening(settings.host, settings.port)
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(self._room, lambda: bool(self._server.should_exit)),
                log_level="warning",
                access_log=False,
                server_header=False,
                limit_concurrency=MOST_AT_ONCE,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=2,
                lifespan="off",
                proxy_headers=False,
                ws="none",
            )
        )

    @property
    def url(self) -> str:
        """Return the service's address."""
        host, port = self.settings.host, self._socket.getsockname()[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Hold the home, call `ready`, and answer until SIGINT, SIGTERM or `stop`; runs are stopped tidily then."""
        with self._socket, self._room as room:
            room.supervisor.start()
            ready()
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Ask the service to end, from another thread."""
        self._server.should_exit = True


def listening(host: str, port: int) -> socket.socket:
    """Open the socket that listens. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


def application(room: ServiceRoom, ending: Callable[[], bool] = lambda: False) -> Any:
    """Build the ASGI application; streams of events end once the service is `ending`."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    routes = [Route(f"{API}{row.path}", _endpoint(room, row.handler), methods=[row.method]) for row in ROUTES]
    routes += [Route(row.path, _endpoint(room, row.handler), methods=[row.method]) for row in PAGES]
    routes += [
        Route(f"{API}/openapi.json", _endpoint(room, _document), methods=["GET"]),
        *(Route(f"{API}{path}", _events(partial(_watched, room), ending), methods=["GET"]) for path in EVENTS),
    ]
    handlers = {404: _nothing_there, 405: _nothing_there}
    return _guarded(Starlette(routes=routes, exception_handlers=handlers), room)


def _document(room: ServiceRoom, request: Request) -> Reply:
    """Return the OpenAPI document."""
    del room, request
    return json_reply(openapi(ROUTES, version("tuner")))


def _watched(room: ServiceRoom, values: dict[str, str]) -> Callable[[], dict[str, Any]]:
    """Return what looks at one study, or at all jobs where none is named. Raises UnknownStudy."""
    if "name" not in values:
        return partial(glance_at_all, room)
    room.known(values["name"])
    return partial(glance, room, values["name"])


async def _nothing_there(request: Any, error: Any) -> Any:
    what = f"{request.method} {request.url.path[:200]}"
    return _response(
        problem_of(refused(error.status_code, what, "is not offered", f"{API}/openapi.json lists what is"))
    )


def _endpoint(room: ServiceRoom, handler: Handler) -> Any:
    """Make an endpoint of a handler, which is called in a thread; whatever it raises is answered as a problem."""

    async def endpoint(web: Any) -> Any:
        query = dict(parse_qsl(web.url.query, keep_blank_values=True))
        kind = web.headers.get("content-type", "")
        request = Request(dict(web.path_params), query, await web.body(), kind)
        return _response(await asyncio.to_thread(answered, handler, room, request))

    return endpoint


def answered(handler: Handler, room: ServiceRoom, request: Request) -> Reply:
    """Call a handler; what it raises becomes a problem document."""
    try:
        return handler(room, request)
    except Exception as error:  # whatever it is: the service goes on
        return _problem(error)


def _problem(error: Exception) -> Reply:
    """Return the problem document of an error; what should not happen is logged too."""
    reply = problem_of(error)
    if reply.status == 500:
        log.error("%s", error, exc_info=error)
    return reply


def _events(watched: Callable[[dict[str, str]], Callable[[], dict[str, Any]]], ending: Callable[[], bool]) -> Any:
    """Make an endpoint that tells what `watched` sees."""
    from starlette.responses import StreamingResponse

    async def endpoint(web: Any) -> Any:
        try:
            look = await asyncio.to_thread(watched, dict(web.path_params))
        except Exception as error:  # as for every other request
            return _response(_problem(error))
        return StreamingResponse(stream(look, ending), media_type="text/event-stream")

    return endpoint


def _response(reply: Reply) -> Any:
    from starlette.responses import Response

    response = Response(reply.body, reply.status, dict(reply.headers))
    response.headers["Content-Type"] = reply.kind
    return response


def _guarded(app: Any, room: ServiceRoom) -> Any:
    """Wrap the application: who may not ask is refused before the body is read, and a body that is too large is cut
    off; every answer has the headers that keep pages of other sites out, and is counted.
    """

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = _heads(scope["headers"])
        refusal = admit(room.settings, scope["method"], scope["path"], headers) or _too_large(headers)
        body = None
        try:
            body = None if refusal else await asyncio.wait_for(_body(receive), MOST_SECONDS)
        except TimeoutError:
            refusal = refused(408, "body", f"did not come within {MOST_SECONDS:.0f} s")
        except ConnectionError:
            return
        if body is None:
            asks_page = scope["method"] == "GET" and not scope["path"].startswith(API)
            reply = to_login() if refusal and refusal.status == 401 and asks_page else problem_of(refusal or _of_size())
            await _response(reply)(scope, receive, _told(send, room))
            return
        await app(scope, _given(body, receive), _told(send, room))

    return guarded


def _heads(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by name; what is there twice is joined, so that no Host or Origin hides behind another."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _too_large(headers: dict[str, str]) -> Any:
    said = headers.get("content-length", "0")
    return _of_size() if not said.isdigit() or int(said[:18]) > MOST_BODY else None


def _of_size() -> Any:
    return refused(413, "body", f"is larger than {MOST_BODY // 1024} KiB", "is it a study?")


async def _body(receive: Any) -> bytes | None:
    """Read a body; None where it is too large, whatever its head said.

    Raises ConnectionError where the peer has gone before its end: half a study may be a study.
    """
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        more = message.get("more_body", False)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY:
            return None
    return b"".join(parts)


def _given(body: bytes, receive: Any) -> Any:
    """Return what hands on a body that was read, and then whatever comes."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Any:
        return first.pop() if first else await receive()

    return receiving


def _told(send: Any, room: ServiceRoom) -> Any:
    """Return what adds the headers of every answer, and counts it."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            room.requests[message["status"]] = room.requests.get(message["status"], 0) + 1
            known = {name.lower() for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in known)]
        await send(message)

    return sending
