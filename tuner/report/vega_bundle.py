"""The scripts that draw charts: Vega, Vega-Lite and Vega-Embed as one text, from the installed vl-convert, offline.

Making it takes more than a second, so it is kept in the user's cache, under its own digest: what was cut short or
changed is made again.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from tuner.store.directory import write_atomic

__all__ = ["script_bundle"]

SNIPPET = "window.vegaEmbed=vegaEmbed;"


def script_bundle() -> str:
    """Return the scripts that define `vegaEmbed`."""
    stem = f"vega-{version('vl-convert-python')}-"
    place = cache_directory()
    for kept in sorted(place.glob(f"{stem}*.js")) if place.is_dir() else []:
        with suppress(OSError, UnicodeDecodeError):
            text = kept.read_text(encoding="utf-8")
            if kept.stem == stem + digest(text):
                return text
    import vl_convert

    text = str(vl_convert.javascript_bundle(SNIPPET))
    with suppress(OSError):  # a cache that cannot be written only costs time
        place.mkdir(parents=True, exist_ok=True)
        write_atomic(place / f"{stem}{digest(text)}.js", text)
    return text


def cache_directory() -> Path:
    """Return the tuner's folder among the user's caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tuner"


def digest(text: str) -> str:
    """Compute a digest for a file's name."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
