"""A trained model as a folder of files: written whole or not at all, read without trust.

Everything is data: JSON, arrays that are never unpickled, and Markdown for people. `model.json` holds the digests of
the files that predictions follow from, and its own, so that one that is torn or was edited is known. The same model
gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from objectives.data.preparation import Preparation
from objectives.errors import Complaint, InvalidInput
from tuner.model.network import Network
from tuner.model.trained import ConfirmationNoise, TrainedModel

__all__ = ["CARD", "FOLDER", "MANIFEST", "VERSION", "facts_in", "load_model", "model_in", "replaced", "write_model"]

VERSION = 1
FOLDER = "model"  # in a study's directory
MANIFEST, PREPARATION, WEIGHTS, CARD = "model.json", "preparation.json", "weights.npz", "card.md"
AGAIN = "tuner refit writes it again"


def write_model(model: TrainedModel, card: str, folder: Path, more: Mapping[str, bytes] = MappingProxyType({})) -> None:
    """Write a model's files to `folder`, in the place of what was there: readers find the old ones or the new ones.

    `more` files stand beside them. Raises OSError where that is not possible; what was there is then as it was.
    """
    files = files_of(model) | {CARD: card.encode(), **more}
    with replaced(folder) as draft:
        for name, content in files.items():
            with open(draft / name, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Make a folder that takes the place of another one once it is filled; where that fails, the other one stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".tmp", dir=folder.parent))
    try:
        yield draft
        draft.chmod(0o755)
        _swap(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _swap(draft: Path, folder: Path) -> None:
    """Give a folder the place of another; where that fails, the other is put back."""
    if not folder.exists():
        os.rename(draft, folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".old", dir=folder.parent))
    try:
        os.rename(folder, aside / "old")
        try:
            os.rename(draft, folder)
        except OSError:
            os.rename(aside / "old", folder)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def files_of(model: TrainedModel) -> dict[str, bytes]:
    """Return the files of a model by name; the same model gives the same bytes."""
    arrays = model.network.arrays()
    if model.noise is not None:
        arrays |= {"residuals": model.noise.residuals, "spread": model.noise.spread}
    files = {PREPARATION: _json(model.preparation.document()), WEIGHTS: _npz(arrays)}
    document = {
        "version": VERSION,
        **model.facts,
        "network": {"hidden": list(model.network.hidden), "activation": model.network.activation},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return {**files, MANIFEST: _json({**document, "digest": digest_of(document)})}


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest of a manifest, without its own."""
    own = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def load_model(path: str | Path) -> TrainedModel:
    """Return the model of a study's directory, or of a folder that holds one. Needs NumPy and nothing else.

    Raises FileNotFoundError where there is none, InvalidInput for one that is damaged, was edited, or is newer.
    """
    place = Path(path)
    folder = place if (place / MANIFEST).exists() else place / FOLDER
    if not (folder / MANIFEST).is_file():
        known = " there: that is no study" if not place.is_dir() else f": tuner refit {place.name} makes one"
        raise FileNotFoundError(f"{place}: there is no model{known}")
    return model_in(folder)


def model_in(folder: Path) -> TrainedModel:
    """Return the model of a folder. Raises InvalidInput naming the file."""
    facts = facts_in(folder)
    contents = {name: _checked(folder, name, digest) for name, digest in facts["files"].items()}
    try:
        preparation = Preparation.of(json.loads(contents[PREPARATION]))
        with np.load(io.BytesIO(contents[WEIGHTS]), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        noise = ConfirmationNoise(arrays.pop("residuals"), arrays.pop("spread")) if "residuals" in arrays else None
        network = Network.of_arrays(preparation.task, facts["network"]["activation"], arrays)
        _check_sizes(preparation, network)
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, EOFError) as error:
        raise InvalidInput(Complaint(str(folder), f"is no model, or damaged ({error})", AGAIN)) from error
    return TrainedModel(preparation, network, noise, facts)


def facts_in(folder: Path) -> dict[str, Any]:
    """Return what `model.json` says. Raises InvalidInput where it is damaged, edited, or of a newer version."""
    file = folder / MANIFEST
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        version = facts["version"]
        whole = (
            type(version) is int and facts["digest"] == digest_of(facts) and {PREPARATION, WEIGHTS} <= {*facts["files"]}
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(Complaint(str(file), "is damaged", AGAIN)) from error
    if type(version) is int and version > VERSION:
        what = f"is of version {version}, but this tuner reads up to {VERSION}"
        raise InvalidInput(Complaint(str(file), what, "install a newer tuner"))
    if not whole:
        raise InvalidInput(Complaint(str(file), "was edited: it is not what was written", AGAIN))
    return dict(facts)


def _checked(folder: Path, name: str, digest: str) -> bytes:
    """Return the content of a file with that digest."""
    try:
        content = (folder / Path(name).name).read_bytes()
    except OSError as error:
        raise InvalidInput(Complaint(str(folder / name), f"is missing ({error.strerror})", AGAIN)) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise InvalidInput(Complaint(str(folder / name), "was edited, or is torn: not what was written", AGAIN))
    return content


def _check_sizes(preparation: Preparation, network: Network) -> None:
    """Raise ValueError where network and preparation are not of one model."""
    outputs = 1 if preparation.task == "binary" else len(preparation.labels) or len(preparation.y_scale)
    if (network.inputs, network.outputs) != (preparation.inputs, outputs):
        sizes = f"{network.inputs} inputs and {network.outputs} outputs"
        raise ValueError(f"a network of {sizes} for {preparation.inputs} and {outputs}")


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()


def _npz(arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
