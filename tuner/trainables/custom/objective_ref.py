"""Where somebody's objective is, and how it wants to be called. Importing it runs other people's code: workers do."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from objectives.errors import nearest
from tuner.engines import unpickled

__all__ = ["FORMS", "Introduction", "Reference", "Unusable", "form_of", "introduce", "load", "whereabouts"]

T = TypeVar("T")

# What each form is called with, and how it is cut at a rung.
FORMS = {
    "value": "train(config), which returns a number or metrics; started over at each rung, with that many epochs",
    "steps": "train(config), which yields epoch, metrics; started over at each rung, and stopped there",
    "run": "train(config, run), which goes on from its own checkpoint",
    "trial": "objective(trial), as Optuna calls it; started over at each rung, and stopped there by should_prune",
}


class Unusable(Exception):
    """An objective, or something it did, that cannot be used: what, and what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint
        super().__init__(f"{what}; {hint}" if hint else what)


@dataclass(frozen=True)
class Reference:
    """What to call: "train.py:train" or "package.module:train", relative to a folder; or pickled, a function given."""

    objective: str
    folder: str = ""
    code: bytes = b""


@dataclass(frozen=True)
class Introduction:
    """What is known of an objective once it was imported: its form and the digest of its source."""

    form: str
    source: str


@lru_cache(maxsize=8)
def load(reference: Reference) -> Callable[..., Any]:
    """The function. Raises Unusable: it is not there, cannot be imported, or is no function."""
    if reference.code:
        function = _guarded(lambda: unpickled(reference.code), f"{reference.objective}: unpickling it")
    else:
        where, _, name = reference.objective.rpartition(":")
        module = _module(where, reference.folder)
        function = getattr(module, name, None)
        if function is None:
            names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            raise Unusable(f"{where} has no {name!r}", nearest(name, names))
    if not callable(function):
        raise Unusable(f"{reference.objective} is {_kind(function)}, not a function", "name a function")
    return function  # type: ignore[no-any-return]


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _module(where: str, folder: str) -> ModuleType:
    """The module of a name or of a file, whose folder comes first on the path."""
    if not where.endswith(".py"):
        if folder not in sys.path:
            sys.path.append(folder)
        return _guarded(lambda: importlib.import_module(where), f"importing {where}")
    path = Path(folder) / Path(where).expanduser()
    if not path.is_file():
        raise Unusable(f"{where}: there is no such file in {folder}", "check the path")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Unusable(f"{where} is no Python file", "name a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    loader = spec.loader
    _guarded(lambda: loader.exec_module(module), f"importing {where}")
    return module


def _guarded(call: Callable[[], T], doing: str) -> T:
    try:
        return call()
    # other people's code: it may raise anything, SystemExit too
    except BaseException as error:
        said = (str(error).splitlines() or [""])[0][:300]
        hint = "run it by itself in Python to see where"
        raise Unusable(f"{doing} raised {type(error).__name__}: {said}{whereabouts(error)}", hint) from error


def whereabouts(error: BaseException) -> str:
    """The last line of somebody else's code that an exception came through, " (train.py:12)"; empty where none did."""
    own = str(Path(__file__).parents[2])
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((own, "<frozen")) and "importlib" not in frame.filename
    ]
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({Path(error.filename).name}:{error.lineno})"
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def form_of(function: Callable[..., Any]) -> str:
    """Which of the forms a function has, by its parameters. Raises Unusable for one that has none of them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return "value"  # written in C: it is called with a config
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    several = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    named = [p.name for p in parameters if p.kind == p.KEYWORD_ONLY and p.default is p.empty]
    needed = [p for p in plain if p.default is p.empty]
    if len(needed) > 2 or named or not (plain or several):
        shown = ", ".join(p.name for p in (*needed, *(p for p in parameters if p.name in named)))
        raise Unusable(f"takes ({shown})", "write train(config) or train(config, run)")
    if inspect.iscoroutinefunction(inspect.unwrap(function)) or inspect.isasyncgenfunction(inspect.unwrap(function)):
        raise Unusable("is asynchronous", "write a function that runs it: return asyncio.run(...)")
    if len(needed) == 2 or (len(plain) > 1 and plain[1].name == "run"):
        return "run"
    if len(needed) == 1 and is_trial(needed[0]):
        return "trial"
    inner = inspect.unwrap(function)
    return "steps" if inspect.isgeneratorfunction(inner) else "value"


def is_trial(parameter: inspect.Parameter) -> bool:
    """Whether a parameter is a trial of Optuna's, by its name or its annotation."""
    said = parameter.annotation
    kind = said if isinstance(said, str) else getattr(said, "__name__", "")
    return parameter.name == "trial" or kind.rpartition(".")[2] in ("Trial", "BaseTrial")


def introduce(reference: Reference) -> Introduction | Unusable:
    """Import an objective and look at it; what is wrong with it is returned."""
    try:
        function = load(reference)
        return Introduction(form_of(function), source_of(function))
    except Unusable as unusable:
        return Unusable(unusable.what, unusable.hint)


def source_of(function: Callable[..., Any]) -> str:
    """Digest of the text of the file that a function is in, or of the function itself."""
    inner = inspect.unwrap(function)
    file = getattr(sys.modules.get(getattr(inner, "__module__", "")), "__file__", None)
    try:
        text = Path(file).read_bytes() if file else inspect.getsource(inner).encode()
    except (OSError, TypeError):
        code = getattr(inner, "__code__", None)
        text = code.co_code + repr(code.co_consts).encode() if code else repr(type(inner)).encode()
    return hashlib.sha256(text).hexdigest()[:16]
