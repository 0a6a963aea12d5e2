"""The base of all tables of a study file, and the hyperparameters of training that some of them hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from objectives.training.hypers import TRAINING_HYPERS
from tuner.study.domains import Domain, numbers_of
from tuner.study.fields import searched

__all__ = ["FileTable", "Fraction", "Text", "with_hypers"]

Fraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]


class FileTable(BaseModel):
    """A table of a study file: no unknown keys, no conversions ("5" is not 5), no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def domain(self, key: str) -> Domain:
        """Return the value or values of a key that a study may search."""
        return cast(Domain, getattr(self, key))


T = TypeVar("T", bound=FileTable)


def with_hypers(name: str) -> Callable[[type[T]], type[T]]:
    """Add the hyperparameters of training that table `name` holds, each where its row says; `domain` reads them."""
    rows = [row for row in TRAINING_HYPERS.values() if row.table == name]

    def extended(table: type[T]) -> type[T]:
        types, fields = get_type_hints(table, include_extras=True), dict[str, Any]()
        for key, field in table.model_fields.items():
            fields[key] = (types[key], field.default)
            for row in [row for row in rows if row.after == key]:
                meaning = f"{row.hyper.meaning[:1].upper()}{row.hyper.meaning[1:]}."
                kind = Annotated[Domain, searched(numbers_of(row.hyper))]
                fields[row.name] = (kind, Field(row.hyper.default, description=meaning))
        place, words = table.__module__, table.__doc__
        made = create_model(table.__name__, __base__=FileTable, __doc__=words, __module__=place, **fields)
        return cast(type[T], made)

    return extended
