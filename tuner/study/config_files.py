"""Files of settings that programs read: YAML, JSON and TOML, with values laid over them by dotted names."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

__all__ = ["CONFIG_FORMS", "InvalidConfig", "config_text", "laid_over", "read_config"]

CONFIG_FORMS = ("yaml", "json", "toml")


class InvalidConfig(ValueError):
    """A file of settings that cannot be read or written, in words."""


def read_config(place: Path) -> dict[str, Any]:
    """Read a file of settings, by its suffix: .yaml, .yml, .json or .toml. Raises InvalidConfig."""
    import yaml

    try:
        text = place.read_text(encoding="utf-8")
        if place.suffix in (".yaml", ".yml"):
            found = yaml.safe_load(text)
        elif place.suffix in (".json", ".toml"):
            found = json.loads(text) if place.suffix == ".json" else tomllib.loads(text)
        else:
            raise InvalidConfig(f"{place.name} is neither .yaml nor .json nor .toml")
    except OSError as error:
        raise InvalidConfig(f"{place.name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidConfig(f"{place.name} cannot be read: {str(error).splitlines()[0][:200]}") from error
    if not isinstance(found, dict | None):
        raise InvalidConfig(f"{place.name} holds no table of settings")
    return found or {}


def laid_over(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with values laid over them: `model.depth` is the key `depth` of the table `model`.

    A key that has a dot in its name stays what it is. Raises InvalidConfig where a name leads into what is no table.
    """
    found = deepcopy(dict(base))
    for name, value in values.items():
        table, *parts = found, *([name] if name in found else name.split("."))
        *tables, key = parts
        for part in tables:
            inner = table.setdefault(part, {})
            if not isinstance(inner, dict):
                raise InvalidConfig(f"{name} leads into {part}, which is no table")
            table = inner
        table[key] = list(value) if isinstance(value, tuple) else value
    return found


def config_text(settings: Mapping[str, Any], form: str) -> str:
    """Write settings as YAML, JSON or TOML, keys in their order. Raises InvalidConfig."""
    if form == "yaml":
        import yaml

        return str(yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True))
    if form == "json":
        return json.dumps(settings, indent=2) + "\n"
    import tomli_w

    try:
        return tomli_w.dumps(dict(settings))
    except TypeError as error:
        raise InvalidConfig(f"TOML cannot hold its values: {error}") from error
