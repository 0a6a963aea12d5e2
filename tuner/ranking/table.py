"""The ranking: the pandas table of trials, best first, with fixed columns and dtypes even for an empty study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.metrics import metrics_of
from objectives.optimizers import OPTIMIZERS
from objectives.training.hypers import Entry
from tuner.enums import TrialState
from tuner.ranking.confirmation_table import confirmed_columns
from tuner.ranking.goal import around, ranked, signed
from tuner.ranking.noise import Noise
from tuner.ranking.optimality_gap import MEASURES, gaps
from tuner.ranking.standings import ConfirmedTrial
from tuner.ranking.statistics import leader_groups, standard_error
from tuner.records import Trial
from tuner.study import CustomObjective, Domain, Study, TrainTable, kind_of, text_of, used_hypers, values_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FORMULA",
    "IMPORTED",
    "OF_SPLITS",
    "column",
    "csv_text",
    "evaluations",
    "hyper_kinds",
    "metric_names",
    "ranking",
    "ties",
]

Kind = str | tuple[str, ...]  # "float64", "Int64", "boolean", or categories
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of one
FLOAT32 = 4 * float(np.finfo(np.float32).eps)  # relative differences that say nothing
STATES = tuple(state.value for state in TrialState)
OF_SPLITS = ("se", "splits")  # what stands among the metrics of a trial and is none
IMPORTED = "imported"  # the task of a study that another tool ran


def ties(
    study: Study, best: Sequence[Trial], noise: Noise | None, standings: Sequence[ConfirmedTrial] = ()
) -> list[int | None]:
    """Return, for each stable trial, best first, the rank of the first trial it is statistically tied with, maybe
    its own.

    Confirmed trials lead and are compared on their fresh splits. Others are compared by their search values: within the
    measured noise, or within float32 where that is unknown; then a trial without ties is left open.
    """
    values = [signed(trial.value or 0.0, study.direction) for trial in best]
    known = {standing.trial: standing.tie for standing in standings}

    def alike(leader: int, i: int) -> bool:
        if best[i].number in known:
            return known[best[i].number] == leader + 1
        gap = values[i] - values[leader]
        exact = gap <= FLOAT32 * max(abs(values[i]), abs(values[leader]))
        return exact or (noise is not None and noise.alike(best[leader].number, best[i].number, gap))

    leaders = leader_groups(sum(trial.number in known for trial in best), alike)
    for i in range(len(leaders), len(best)):
        leaders.append(next((leader for leader in dict.fromkeys(leaders) if alike(leader, i)), i))
    shared = {leader for i, leader in enumerate(leaders) if leader != i}
    return [leader + 1 if noise is not None or leader in shared else None for leader in leaders]


def ranking(
    study: Study,
    trials: Sequence[Trial],
    metrics: Sequence[str],
    hypers: Mapping[str, Kind],
    noise: Noise | None = None,
    standings: Sequence[ConfirmedTrial] = (),
) -> pd.DataFrame:
    """Build one row for each trial: complete ones ranked, then pruned, diverged and failed ones in trial order,
    unranked.

    `standings` are those of a confirmation that is done: they lead, so that the first row is the best config.

    rank         Int64     from 1, best first; missing where the trial is not complete
    tie          Int64     rank of the first trial that it is statistically tied with; missing until noise is known
    trial        int64     number of the trial
    state        category  complete, pruned, diverged or failed
    value        float64   the goal at the trial's best epoch; missing where there is none
    se           float64   standard error of the value as the loss on new rows: over splits, corrected for the rows that
                           they share; of one split over replicates; missing for one of both
    splits       Int64     splits that it was judged on; missing where it has no value
    confirmed    float64   mean of the goal on all splits, those of the search and fresh ones; missing where there are
                           no fresh ones
    confirmed_low   float64   the ends of its 95 % interval, as the value on new rows
    confirmed_high  float64
    search_rank  Int64     its rank by the value of the search alone
    epoch        Int64     the best epoch, from 1
    rung         int64     how many rungs it passed
    stable       bool      whether it ended anywhere near its best epoch; those that did not rank last
    METRIC       float64   every metric at the best epoch: train_loss, valid_loss and those of the task (`metrics`)
    HYPER        float64, Int64, boolean or category: every hyperparameter under its own name (`hypers`),
                 missing where it does not apply
    epochs       int64     epochs that it trained
    steps        int64     updates that it made; of an objective of somebody's own, epochs, repeated ones included
    examples     Int64     rows that a replicate saw; missing where the train rows are not known
    evaluations  float64   of the gradient over all train rows, or as much work: see `evaluations`
    seconds      float64   of training, its share of a pack's
    generation   int64     trials of one were proposed together
    seed         int64     the study's
    """
    import pandas as pd

    searched = ranked(list(trials), study.direction)
    best = led_by(standings, searched)
    stable = list(takewhile(lambda trial: trial.stable or trial.number in {s.trial for s in standings}, best))
    rest = [trial for state in STATES[1:] for trial in trials if trial.state == state]
    rows = [*best, *rest]
    places = [*range(1, len(best) + 1), *[None] * len(rest)]
    groups = [*ties(study, stable, noise, standings), *[None] * (len(rows) - len(stable))]
    search_ranks = {trial.number: place for place, trial in enumerate(searched, start=1)}
    columns: dict[str, Any] = {
        "rank": pd.array(places, dtype="Int64"),
        "tie": pd.array(groups, dtype="Int64"),
        "trial": np.array([t.number for t in rows], dtype=np.int64),
        "state": pd.Categorical([t.state for t in rows], categories=list(STATES)),
        "value": np.array([np.nan if t.value is None else t.value for t in rows], dtype=np.float64),
        "se": spreads(study, rows),
        "splits": pd.array([splits_behind(t) for t in rows], dtype="Int64"),
        **confirmed_columns(standings, rows),
        "search_rank": pd.array([search_ranks.get(t.number) for t in rows], dtype="Int64"),
        "epoch": pd.array([t.epoch for t in rows], dtype="Int64"),
        "rung": np.array([t.rung for t in rows], dtype=np.int64),
        "stable": np.array([t.stable for t in rows], dtype=bool),
    }
    above = gaps(rows) if "gap" in metrics else {}
    for name in metrics:
        found = [above.get(t.number, np.nan) if name == "gap" else t.metrics.get(name, np.nan) for t in rows]
        columns[name] = np.array(found, dtype=np.float64)
    configs = [t.config for t in rows]
    for name, kind in hypers.items():
        columns[name] = column([config.get(name) for config in configs], kind)
    columns["epochs"] = np.array([t.epochs for t in rows], dtype=np.int64)
    columns["steps"] = np.array([t.steps for t in rows], dtype=np.int64)
    columns["examples"] = pd.array([t.epochs * study.rows if study.rows else None for t in rows], dtype="Int64")
    columns["evaluations"] = np.array([evaluations(study, t) for t in rows], dtype=np.float64)
    columns["seconds"] = np.array([t.seconds for t in rows], dtype=np.float64)
    columns["generation"] = np.array([t.generation for t in rows], dtype=np.int64)
    columns["seed"] = np.full(len(rows), study.seed, dtype=np.int64)
    return pd.DataFrame(columns)


def led_by(standings: Sequence[ConfirmedTrial], searched: Sequence[Trial]) -> list[Trial]:
    """Return complete trials, those that were confirmed first, in the order of their race."""
    own = {trial.number: trial for trial in searched}
    confirmed = [own.pop(standing.trial) for standing in standings if standing.trial in own]
    return [*confirmed, *own.values()]


def evaluations(study: Study, trial: Trial) -> float:
    """Count the gradients over all train rows that a replicate computed, or equivalent work; nan where the rows are
    unknown.

    With minibatches that is one an epoch; a whole-batch method counts its own, line searches included.
    """
    if not study.rows:
        return math.nan
    row = OPTIMIZERS.get(trial.config["optimizer"])
    if row is not None and row.whole and "evaluations" in trial.curves:
        return float(np.nan_to_num(trial.curves["evaluations"]).max(axis=1, initial=0.0).mean())
    return float(trial.epochs)


def spreads(study: Study, trials: Sequence[Trial]) -> Any:
    """Compute the standard errors of trials `(n,)`; nan where there is neither a second split nor a second
    replicate.
    """
    if study.splits > 1:
        return np.array([trial.metrics.get("se", math.nan) for trial in trials], dtype=np.float64)
    if study.train.replicates == 1:
        return np.full(len(trials), np.nan)
    return np.array([spread(study, trial) for trial in trials], dtype=np.float64)


def splits_behind(trial: Trial) -> int | None:
    """Return how many splits a trial's value is the mean of, without reading its curves."""
    return int(trial.metrics.get("splits", 1)) if trial.value is not None else None


def spread(study: Study, trial: Trial) -> float:
    """Compute a trial's standard error over its replicates around its best epoch; nan where there is none."""
    if trial.epoch is None or study.metric not in trial.curves:
        return math.nan
    curve = trial.curves[study.metric]
    return standard_error(curve[:, around(trial.epoch, study.window, curve.shape[1])].mean(axis=1).tolist())


def column(values: Sequence[Any], kind: Kind) -> Any:
    """Build the column of one hyperparameter; missing where it does not apply."""
    import pandas as pd

    if kind == "Int64":
        return pd.array(list(values), dtype="Int64")
    if kind == "boolean":
        return pd.array(list(values), dtype="boolean")
    if kind == "float64":
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    codes = {label: code for code, label in enumerate(kind)}
    found = [-1 if v is None else codes.get(v if type(v) is str else text_of(v), -1) for v in values]
    return pd.Categorical.from_codes(found, categories=pd.Index(list(kind), dtype="str"))


def metric_names(study: Study, task: str, trials: Sequence[Trial] = ()) -> list[str]:
    """Name the metrics that every trial of a study has, losses first; for whole-batch methods also those of `MEASURES`.

    An imported study has its goal alone; a custom objective has what its `trials` reported.
    """
    if task == IMPORTED:
        return [study.metric] if study.metric != "value" else []
    if study.custom:
        reported = [name for trial in trials for name in trial.metrics if name not in OF_SPLITS]
        return list(dict.fromkeys([study.metric, *reported]))
    whole = any(OPTIMIZERS[name].whole for name in study.optimizers)
    followed = metrics_of(task, study.followed)
    own = ["distance"] if task == "surface" else [f"valid_{metric.name}" for metric in followed]
    return ["train_loss", "valid_loss", *own, *(MEASURES if whole else ())]


def hyper_kinds(study: Study) -> dict[str, Kind]:
    """Return the hyperparameters of a study's trials with their kind of column: the optimizers' own, then the
    shared ones.
    """
    if study.imported:
        return dict(study.imported.columns)
    rows = [row for name, row in OPTIMIZERS.items() if name in study.optimizers]
    if study.custom:
        return _own_kinds(study, study.custom)
    own: dict[str, Kind] = {name: "float64" for row in rows for name in row.names}
    own |= {flag.name: "boolean" for row in rows for flag in row.flags}
    train, model = study.train, study.model
    shared = {"schedule": train.schedule, "model": model.kind, "hidden": model.hidden, "activation": model.activation}
    if model.kind != "mlp":
        del shared["hidden"], shared["activation"]
    shared |= {} if model.kind == "surface" else {"init": model.init}
    shared |= {"framework": train.framework, **_named_losses(train)}
    texts = {name: tuple(map(text_of, values_of(domain))) for name, domain in shared.items()}
    step, loss, layers = (
        dict.fromkeys(used_hypers(model, train, entry), "float64") for entry in (Entry.STEP, Entry.LOSS, Entry.LAYERS)
    )
    moving: dict[str, Kind] = {"batch_size": "Int64", "schedule": texts.pop("schedule"), **step}
    if all(row.whole for row in rows):
        moving = {}
    return {"optimizer": tuple(study.optimizers), **own, **moving, **loss, **texts, **layers}


def _named_losses(train: TrainTable) -> dict[str, Domain]:
    """Return the loss and the class weights of a study that names them."""
    found = {"loss": train.loss, "class_weight": train.class_weight}
    return {name: domain for name, domain in found.items() if domain is not None}


def _own_kinds(study: Study, own: CustomObjective) -> dict[str, Kind]:
    """Return the optimizers' hyperparameters, if there are any, those that [train] adds, then the study's own."""
    rows = [row for name, row in OPTIMIZERS.items() if name in study.optimizers]
    found: dict[str, Kind] = {"optimizer": tuple(study.optimizers)} if rows else {}
    found |= {name: "float64" for row in rows for name in row.names}
    found |= {flag.name: "boolean" for row in rows for flag in row.flags}
    found |= {name: kind_of(getattr(study.train, name)) for name in own.trained}
    found |= {name: kind_of(domain) for name, domain in own.parameters.items()}
    return found | ({"framework": (study.train.framework,)} if rows else {})


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV at full precision, with texts that a spreadsheet would run as a formula made harmless."""
    frame = frame.copy()
    for name in frame.columns:
        if frame[name].dtype.name in ("category", "object", "str"):
            frame[name] = [f"'{cell}" if str(cell)[:1] in FORMULA else cell for cell in frame[name]]
    return str(frame.to_csv(index=False, lineterminator="\n"))
