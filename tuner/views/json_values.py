"""Documents as JSON: numbers at full precision, and what JSON has no number for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["document_json", "json_value"]


def json_value(value: Any) -> Any:
    """Convert a value to JSON at full precision: nan becomes null, infinities become "inf" and "-inf"."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value


def document_json(document: Mapping[str, Any]) -> str:
    """Write a document as indented JSON, with numbers at full precision."""
    return json.dumps(json_value(document), indent=2) + "\n"
