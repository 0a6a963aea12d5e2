"""Where somebody's objective is, and how it wants to be called. Importing it runs other people's code: workers do."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from objectives.errors import nearest
from tuner.engines import unpickled
from tuner.enums import ObjectiveForm
from tuner.trainables.custom.by_name import by_name
from tuner.trainables.custom.call_forms import form_of
from tuner.trainables.custom.invalid_objective import InvalidObjective
from tuner.trainables.optuna_script.main_block import handed_over

__all__ = [
    "ObjectiveInfo",
    "ObjectiveRef",
    "file_of",
    "inspect_objective",
    "load",
    "whereabouts",
]

T = TypeVar("T")
SKIPPED = re.compile(r"importlib|[/\\]argparse\.py$")  # frames that say nothing of where it was


@dataclass(frozen=True)
class ObjectiveRef:
    """What to call: "train.py:train" or "package.module:train", relative to a folder; or pickled, a function given.

    `names` are those that a config may have: a function whose parameters they are is called with them by name.
    """

    objective: str
    folder: str = ""
    code: bytes = b""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectiveInfo:
    """What is known of an objective once it was imported: its form and the digest of its source."""

    form: ObjectiveForm
    source: str


@lru_cache(maxsize=8)
def load(reference: ObjectiveRef) -> Callable[..., Any]:
    """Load the function. Raises InvalidObjective where it is missing, cannot be imported, or is no function."""
    if reference.code:
        function = _guarded(lambda: unpickled(reference.code), f"{reference.objective}: unpickling it")
    else:
        where, _, name = reference.objective.rpartition(":")
        module = module_of(where, reference.folder)
        function = _handed_over(module, where, name) or _named(module, where, name)
    if not callable(function):
        raise InvalidObjective(f"{reference.objective} is {_kind(function)}, not a function", "name a function")
    return by_name(function, reference.names)


def file_of(reference: ObjectiveRef) -> Path | None:
    """Return the file that an objective is named in; None where it is named in none."""
    where = reference.objective.rpartition(":")[0]
    path = Path(reference.folder) / Path(where).expanduser()
    return path if where.endswith(".py") and not reference.code and path.is_file() else None


def _named(module: ModuleType, where: str, name: str) -> Any:
    """Look a name up in a module, making the object of a method or a class. Raises InvalidObjective."""
    found: Any = module
    for part in name.split("."):
        holder, found = found, getattr(found, part, None)
        if found is None:
            names = [key for key, value in vars(holder).items() if callable(value) and not key.startswith("_")]
            raise InvalidObjective(f"{where} has no {name!r}", nearest(part, names))
        if inspect.isclass(holder) and inspect.isfunction(inspect.getattr_static(holder, part)):
            found = getattr(_made(holder, where), part)
    if inspect.isclass(found) and "__call__" in vars(found):
        return _made(found, where)
    return found


def _made(kind: type, where: str) -> Any:
    """Make an object of a class that needs no arguments. Raises InvalidObjective."""
    needed = _needed(kind)
    if needed:
        hint = f"make one in {where}, objective = {kind.__name__}(...), and name that"
        raise InvalidObjective(f"{kind.__name__} of {where} takes ({', '.join(needed)}) to be made", hint)
    return _guarded(kind, f"making {kind.__name__} of {where}")


def _needed(function: Any) -> list[str]:
    """Name the parameters without a default; none where they cannot be inspected."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in several]


def _handed_over(module: ModuleType, where: str, name: str) -> Any:
    """Return what a script passes to Optuna's `optimize` when it runs as a program, if the name alone is not
    callable.
    """
    found = getattr(module, name, None)
    needed = _needed(found) if callable(found) else []
    few = not needed if inspect.isclass(found) else len(needed) < 2 or needed[1:] == ["run"]
    file = getattr(module, "__file__", None)
    if (callable(found) and few) or "." in name or not file:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    doing = f"what {where} does before it calls study.optimize"
    return _guarded(lambda: handed_over(module, text, name), doing)


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def module_of(where: str, folder: str) -> ModuleType:
    """Import the module of a name or of a file, whose folder comes first on the path."""
    if not where.endswith(".py"):
        if folder not in sys.path:
            sys.path.append(folder)
        return _guarded(lambda: importlib.import_module(where), f"importing {where}")
    path = Path(folder) / Path(where).expanduser()
    if not path.is_file():
        raise InvalidObjective(f"{where}: there is no such file in {folder}", "check the path")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    if (path.parent / "__init__.py").is_file():
        return _in_package(path.resolve(), where)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InvalidObjective(f"{where} is no Python file", "name a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    loader = spec.loader
    _guarded(lambda: _run_as(path, lambda: loader.exec_module(module)), f"importing {where}")
    return module


def _in_package(path: Path, where: str) -> ModuleType:
    """Import a file of a package as part of it, so that its relative imports work."""
    root, names = path.parent, [path.stem]
    while (root / "__init__.py").is_file():
        names.insert(0, root.name)
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    dotted = ".".join(names if path.stem != "__init__" else names[:-1])
    module = _guarded(lambda: _run_as(path, lambda: importlib.import_module(dotted)), f"importing {where}")
    file = getattr(module, "__file__", None)
    if file is None or Path(file).resolve() != path:
        raise InvalidObjective(
            f"{where} is {dotted} by its folder, and that is {file}", "give the package another name"
        )
    return module


def _run_as(path: Path, call: Callable[[], T]) -> T:
    """Call with the command line of a script that has no arguments."""
    before = sys.argv
    sys.argv = [str(path)]
    try:
        return call()
    finally:
        sys.argv = before


def _guarded(call: Callable[[], T], doing: str) -> T:
    try:
        return call()
    except SystemExit as error:
        hint = 'read the command line under `if __name__ == "__main__":` alone, or give every argument a default'
        told = f": {_of_argparse(error) or error.code}"
        raise InvalidObjective(f"{doing} ended the program{whereabouts(error)}{told}", hint) from error
    # other people's code: it may raise anything
    except BaseException as error:
        said = (str(error).splitlines() or [""])[0][:300]
        hint = "run it by itself in Python to see where"
        raise InvalidObjective(f"{doing} raised {type(error).__name__}: {said}{whereabouts(error)}", hint) from error


def _of_argparse(error: SystemExit) -> str:
    """Return argparse's message before it ended the program; "" where it did not."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_name == "error" and Path(code.co_filename).name == "argparse.py":
            return str(frame.f_locals.get("message", ""))[:300]
    return ""


def whereabouts(error: BaseException) -> str:
    """Return the last line of the user's code that an exception passed, " (train.py:12)"; "" where none did."""
    own = str(Path(__file__).parents[2])
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((own, "<frozen")) and not SKIPPED.search(frame.filename)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({Path(error.filename).name}:{error.lineno})"
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def inspect_objective(reference: ObjectiveRef) -> ObjectiveInfo | InvalidObjective:
    """Import an objective and look at it; what is wrong with it is returned."""
    try:
        function = load(reference)
        return ObjectiveInfo(form_of(function), source_of(function))
    except InvalidObjective as unusable:
        return InvalidObjective(unusable.what, unusable.hint)


def source_of(function: Callable[..., Any]) -> str:
    """Compute the digest of the file that a function is in, or of the function itself."""
    inner = inspect.unwrap(function)
    while isinstance(inner, partial):
        inner = inspect.unwrap(inner.func)
    file = getattr(sys.modules.get(getattr(inner, "__module__", "")), "__file__", None)
    try:
        text = Path(file).read_bytes() if file else inspect.getsource(inner).encode()
    except (OSError, TypeError):
        code = getattr(inner, "__code__", None)
        text = code.co_code + repr(code.co_consts).encode() if code else repr(type(inner)).encode()
    return hashlib.sha256(text).hexdigest()[:16]
