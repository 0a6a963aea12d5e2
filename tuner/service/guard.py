"""Who may ask: the checks that come before a request is looked at, as functions of its head.

A page of another site may make a browser ask this service: under its own name that resolves to this machine (DNS
rebinding), or across sites. Names are therefore checked, and origins have to be the service itself.
"""

from __future__ import annotations

import hashlib
import hmac
import platform
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import urlsplit

from tuner.service.messages import Refused, refused
from tuner.service.settings import ServiceSettings, is_loopback

__all__ = ["COOKIE", "OPEN", "admit", "is_token", "session_of"]

COOKIE = "tuner_session"
OPEN = ("/api/v1/health", "/login", "/service.css")  # what is answered without a token
LOCAL = ("localhost", "127.0.0.1", "::1")
SAFE = ("GET", "HEAD")


def admit(settings: ServiceSettings, method: str, path: str, headers: Mapping[str, str]) -> Refused | None:
    """Return why a request is refused, None where it is not. `headers` have names in small letters."""
    host = headers.get("host", "")
    if not _is_own(host, settings):
        return refused(421, "Host", f"{host[:80]!r} is not this service", "ask it by the address that it printed")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return refused(403, "Origin", f"{origin[:80]!r} is another site")
    if headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site") and method not in SAFE:
        return refused(403, "Sec-Fetch-Site", "the request comes from another site")
    if settings.token and path not in OPEN and not _is_known(settings.token, headers):
        return refused(401, "Authorization", "needs the service's token", "send it as: Authorization: Bearer TOKEN")
    return None


def _is_own(host: str, settings: ServiceSettings) -> bool:
    """Return True for a Host that names this service: never one that somebody else's name server can lead here."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower()
        urlsplit(f"//{host}").port  # noqa: B018  # one that is no number is a ValueError
    except ValueError:
        return False
    if name in LOCAL or name == settings.host.lower():
        return bool(name)
    return not is_loopback(settings.host) and (_is_address(name) or name == platform.node().lower())


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
        return True
    except ValueError:
        return False


def _is_known(token: str, headers: Mapping[str, str]) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return is_token(token, given.strip())
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and _same(cookie.value, session_of(token))


def is_token(token: str, given: str) -> bool:
    """Return True for the token, in a time that says nothing of it."""
    return _same(given, token)


def session_of(token: str) -> str:
    """Return what a browser keeps in the place of the token."""
    return hmac.new(token.encode(), b"tuner session", hashlib.sha256).hexdigest()


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode("utf-8", "replace"))
