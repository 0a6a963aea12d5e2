"""Mutations of what comes from outside, read in this process: how many end in anything but an answer or a plain error.

    python -m tests.benchmarks.fuzz [--count 20000] [--kinds study,data,ledger,best,optuna] [--seed 0]

Bytes are flipped, cut, doubled, put elsewhere and replaced by tokens that have broken readers before. A mutation of a
ledger is read to its last curve: an answer that differs from the whole one's is silent damage. What breaks is kept in a
folder that is named.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna

import tuner
from objectives import DataError
from objectives.data import load_table
from objectives.errors import InvalidInput
from tuner.api.import_optuna import import_study
from tuner.errors import TunerError
from tuner.result import Result
from tuner.store.stored import stored_text
from tuner.study import read_study

TOKENS = (
    b"nan", b"inf", b"-1", b"1e999", b"1e308", b"{{7*7}}", b"\xff", b"\0", b"[", b"]", b"{", b'"', b"'", b"=", b",",
    b"\n", b"\r", b"true", b"9" * 30, b"../x", b"<script>", b"0", b"1.5", b"[[1], [2]]", b"null", b";", b"\t",
)  # fmt: skip
STUDY = {
    "study": {"name": "small", "trials": 8, "seed": 1},
    "data": {"source": "sklearn:iris"},
    "model": {"hidden": [4]},
    "train": {"epochs": 2, "schedule": ["constant", "cosine"]},
    "optimizers": {"sgd": {"lr": {"low": 0.01, "high": 0.5}}, "adam": {}},
    "search": {"generation_size": 4},
    "confirm": {"top": 2, "seeds": 2},
}
Look = Callable[[Path], object]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to three changes."""
    for _ in range(rng.randint(1, 3)):
        at, to = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        part = data[at : min(to, at + rng.choice((1, 4, 40, 400)))]
        how = rng.randrange(6)
        if how == 0 and data:
            place = rng.randrange(len(data))
            data = data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]
        elif how == 1:
            data = data[:at] + rng.choice(TOKENS) + data[at:]
        elif how == 2:
            data = data[:at] + rng.choice(TOKENS) + data[at + len(part) :]
        elif how == 3:
            data = data[:at] + data[at + len(part) :]
        elif how == 4:
            data = data[:to] + part + data[to:]
        else:
            data = data[: max(1, at)] if rng.random() < 0.2 else data
    return data


def answer(path: Path) -> object:
    """Return what a study says, to its last curve."""
    result = Result(tuner.open(path.parent.name, home=path.parent.parent).directory)
    curves = [(t.number, {name: c.tobytes() for name, c in t.curves.items()}) for t in result.all_trials]
    told = [(t.state, t.value, dict(t.config), t.seconds, t.error) for t in result.all_trials]
    fresh = [(c.trial, c.replicate, dict(c.metrics), c.seconds, c.blocks.tobytes()) for c in result.confirmed]
    runs = [dict(generation.facts) for generation in result.generations]
    return repr((curves, told, fresh, runs, dict(result.facts), result.study.to_toml()))


def made(folder: Path) -> dict[str, tuple[Path, Look]]:
    """Make one whole input of each kind, with what looks at it."""
    result = tuner.run(STUDY, home=folder / "runs", jobs=1)
    study, rows, storage = folder / "study.toml", folder / "rows.csv", folder / "o.db"
    study.write_text(result.study.to_toml(), encoding="utf-8")
    lines = [f"{i},{i * i % 7},{'ab'[i % 2]},2024-01-{1 + i % 28:02d},{i % 2}" for i in range(60)]
    rows.write_text("\n".join(["x,y,kind,day,goal", *lines]) + "\n", encoding="utf-8")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    theirs = optuna.create_study(storage=f"sqlite:///{storage}", study_name="theirs")
    for value in range(5):
        asked = theirs.ask()
        asked.suggest_float("lr", 1e-4, 1.0, log=True)
        asked.suggest_categorical("kind", ["a", "b"])
        asked.report(float(value), 0)
        theirs.tell(asked, float(value))

    def imported(path: Path) -> object:
        home = folder / "imported"
        shutil.rmtree(home, ignore_errors=True)
        return Result(import_study(str(path), home=home)).trials()

    return {
        "study": (study, lambda path: stored_text(read_study(path, needs_data=False))),
        "data": (rows, lambda path: load_table(path.name, "goal", base=path.parent)),
        "ledger": (result.directory.ledger, answer),
        "best": (result.directory.best, lambda path: dict(tuner.load_best(path))),
        "optuna": (storage, imported),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--kinds", default="study,data,ledger,best,optuna")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("error")
    kept = Path(tempfile.mkdtemp(prefix="tuner-fuzz-"))
    with tempfile.TemporaryDirectory() as folder:
        inputs = made(Path(folder))
        for kind in given.kinds.split(","):
            path, look = inputs[kind]
            whole, counts, slowest = path.read_bytes(), Counter[str](), 0.0
            right, rng = look(path) if kind == "ledger" else None, random.Random(f"{given.seed} {kind}")
            for number in range(given.count):
                data = mutated(whole, rng)
                path.write_bytes(data)
                for beside in path.parent.glob(f"{path.name}-*"):
                    beside.unlink()
                began = time.perf_counter()
                try:
                    said = look(path)
                    end = "silent" if kind == "ledger" and said != right else "answered"
                except (InvalidInput, DataError, TunerError, FileNotFoundError):
                    end = "refused"
                except Exception as error:
                    end = f"broke: {type(error).__name__}: {str(error)[:80]}"
                slowest = max(slowest, time.perf_counter() - began)
                counts[end] += 1
                if end not in ("answered", "refused"):
                    (kept / f"{kind}-{number}{path.suffix}").write_bytes(data)
            path.write_bytes(whole)
            print(f"{kind}: {given.count} mutations, slowest {slowest:.2f} s: {dict(counts)}", flush=True)
    print(f"what broke: {kept}" if any(kept.iterdir()) else "nothing broke")


if __name__ == "__main__":
    main()
