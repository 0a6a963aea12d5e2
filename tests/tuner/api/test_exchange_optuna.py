"""Optuna and MLflow: what goes out comes back, and what they wrote, in any version, comes in."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import sqlite3
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import optuna
import pandas as pd
import pytest

from tests.support.command import FACTS, STUDY, Shell, complete, made_up
from tests.support.trials import trial
from tuner.api.export_optuna import axes_of, optuna_study
from tuner.api.import_optuna import import_study
from tuner.errors import NoResult, StudyError, TunerError
from tuner.optuna_bridge.storage import load, store
from tuner.optuna_bridge.study import Distribution
from tuner.orchestrator.warm_start import warm_start
from tuner.report.report_data import ReportData
from tuner.report.sections import best_config
from tuner.result import Result
from tuner.space import space_of
from tuner.store.directory import StudyDirectory, study_directory
from tuner.store.ledger import Ledger
from tuner.study import read_study

DATA = Path(__file__).parent / "data"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyDirectory:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path))
    return made_up(tmp_path)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], small: StudyDirectory) -> Shell:
    del small
    return Shell(capsys)


def opened(place: str, name: str = "small") -> optuna.Study:
    """A study as an Optuna user opens it."""
    if place.endswith(".log"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            backend = optuna.storages.journal.JournalFileBackend(place)
            return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(backend))
    return optuna.load_study(study_name=name, storage=f"sqlite:///{place}")


# Out


@pytest.mark.parametrize("file", ["optuna.db", "optuna.log"])
def test_optuna_opens_what_was_exported(shell: Shell, small: StudyDirectory, tmp_path: Path, file: str) -> None:
    place = str(tmp_path / file)
    ended = shell("export", "small", "--to", "optuna", "--storage", place)
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote study 'small', 6 trials, into {place}\n")
    study, result = opened(place), Result(small)
    assert (study.direction.name, study.metric_names) == ("MINIMIZE", ["valid_loss"])
    first = result.ranking().iloc[0]
    assert study.best_trial.number == first["trial"] == study.user_attrs["best_trial"]
    assert study.best_value == first["value"]
    assert [t.state.name for t in study.trials] == ["COMPLETE", "COMPLETE", "COMPLETE", "PRUNED", "COMPLETE", "FAIL"]
    first = study.trials[0]
    assert first.params == {"optimizer": "momentum", "lr": 0.01, "batch_size": 32}
    assert first.distributions["lr"] == optuna.distributions.FloatDistribution(1e-5, 3.0, log=True)
    assert first.distributions["batch_size"] == optuna.distributions.CategoricalDistribution((16, 32))
    assert first.intermediate_values == {1: 0.9, 2: 0.5, 3: 0.25, 4: 0.3}
    assert first.user_attrs["config"] == dict(result.all_trials[0].config)
    assert first.user_attrs["metrics"] == {"train_loss": 0.5, "valid_loss": 0.25, "valid_accuracy": 0.875}
    assert first.user_attrs["confirmed"]["mean"] == 0.03125
    named = {"epoch": 3, "seconds": 0.01, "seed": 0, "framework": "torch", "state": "complete", "steps": 40}
    assert {key: first.user_attrs[key] for key in named} == named
    finite = [t.value for t in study.trials if t.number != 4 and t.value is not None]
    assert max(finite) < study.trials[4].value < np.inf
    assert study.trials[4].user_attrs["capped"]
    assert study.trials[5].user_attrs["error"] == "ValueError: no"
    assert first.duration is not None
    assert first.duration.total_seconds() == 0.01


def test_optuna_draws_every_figure_of_a_study_with_diverged_trials(small: StudyDirectory, tmp_path: Path) -> None:
    store(optuna_study(Result(small)), str(tmp_path / "o.db"))
    study = opened(str(tmp_path / "o.db"))
    values = [t.value for t in study.get_trials(states=[optuna.trial.TrialState.COMPLETE])]
    reports = [v for t in study.trials for v in t.intermediate_values.values()]
    assert np.isfinite(values).all()
    assert np.isfinite(reports).all()


def test_a_note_says_what_was_confirmed(small: StudyDirectory, tmp_path: Path) -> None:
    store(optuna_study(Result(small)), str(tmp_path / "o.db"))
    study = opened(str(tmp_path / "o.db"))
    attrs, best = study._storage.get_study_system_attrs(study._study_id), study.best_trial
    assert attrs["dashboard:note_str:0"].startswith(f"**Best: trial {best.number}**, final valid_loss 0.04688")
    assert attrs[f"dashboard:{best._trial_id}:note_str:0"] == attrs["dashboard:note_str:0"]


def test_each_optimizer_has_its_own_parameters(tmp_path: Path) -> None:
    tables = STUDY | {"study": {"name": "own", "trials": 40}, "optimizers": {"momentum": {}, "adam": {}, "sgd": {}}}
    axes = axes_of(read_study(tables))
    assert set(axes) == {"optimizer", "lr", "momentum", "beta1", "batch_size"}
    assert (axes["momentum"].kind, axes["momentum"].log) == ("float", False)
    directory = made_up(tmp_path, "own")
    directory.study.write_text(read_study(tables).to_toml(), encoding="utf-8")
    store(optuna_study(Result(directory)), str(tmp_path / "o.db"))
    params = [set(t.params) for t in opened(str(tmp_path / "o.db"), "own").trials]
    assert params[0] == {"optimizer", "lr", "momentum", "batch_size"}
    assert params[2] == {"optimizer", "lr", "beta1", "batch_size"}


def test_what_a_condition_left_at_its_default_is_not_in_a_trial(tmp_path: Path) -> None:
    warmup = {"choices": [0.05, 0.1], "when": {"schedule": ["cosine"]}}
    asked = read_study(STUDY | {"train": {"epochs": 4, "schedule": ["constant", "cosine"], "warmup": warmup}})
    directory = study_directory("small", tmp_path)
    directory.path.mkdir()
    directory.study.write_text(asked.to_toml(), encoding="utf-8")
    shared = {"batch_size": 16, "lr": 0.1, "momentum": 0.9}
    schedules = [("constant", 0.0), ("cosine", 0.1)]
    with Ledger.create(directory.ledger, FACTS) as ledger:
        trials = [complete(i, [0.5], 0.9, schedule=s, warmup=w, **shared) for i, (s, w) in enumerate(schedules)]
        ledger.commit_generation(0, trials)
    store(optuna_study(Result(directory)), str(tmp_path / "o.db"))
    back = optuna.load_study(study_name="small", storage=f"sqlite:///{tmp_path / 'o.db'}").trials
    assert [trial.params.get("warmup") for trial in back] == [None, 0.1]
    assert [trial.params["schedule"] for trial in back] == ["constant", "cosine"]


@pytest.mark.parametrize("file", ["o.db", "o.log"])
def test_nothing_is_written_of_a_study_that_is_none_to_optuna(
    small: StudyDirectory, tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, wrong = optuna_study(Result(small)), Distribution("categorical", choices=("other",))
    with pytest.raises(TunerError, match=f"{file}: '.*' not in \\('other',\\)"):
        store(replace(study, axes=study.axes | {"optimizer": wrong}), str(tmp_path / file))
    monkeypatch.setattr("tuner.optuna_bridge.storage._created", full_disk)
    with pytest.raises(TunerError, match=f"{file}: the disk is full"):
        store(study, str(tmp_path / file))
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def full_disk(*given: object) -> None:
    raise OSError("the disk is full")


def test_one_distribution_serves_all_optimizers() -> None:
    optimizers = {"momentum": {"lr": {"low": 0.01, "high": 0.5}}, "adam": {"lr": 0.001}, "sgd": {"lr": [0.1, 1.0]}}
    tables = STUDY | {"optimizers": optimizers, "model": {"hidden": [[8], [8, 4]]}}
    axes = axes_of(read_study(tables))
    assert axes["lr"] == Distribution("float", 0.001, 1.0, log=False)
    assert axes["hidden"] == Distribution("categorical", choices=("8", "8x4"))


def test_a_run_that_ended_far_from_its_best_epoch_is_not_the_best_in_optuna(tmp_path: Path) -> None:
    directory = study_directory("small", tmp_path)
    directory.path.mkdir()
    directory.study.write_text(read_study(STUDY).to_toml(), encoding="utf-8")
    spike = replace(complete(1, [0.5, 0.01, 9.0, 99.0], 0.5), stable=False)
    with Ledger.create(directory.ledger, FACTS) as ledger:
        ledger.commit_generation(0, [complete(0, [0.9, 0.5], 0.8), spike, trial(2, value=0.75)])
    store(optuna_study(Result(directory)), str(tmp_path / "o.db"))
    assert opened(str(tmp_path / "o.db")).best_trial.number == Result(directory).best().trial == 0


def test_exporting_again_is_refused_without_force(shell: Shell, tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path / 'optuna.db'}"
    assert shell("export", "small", "--to", "optuna", place).code == 0
    again = shell("export", "small", "--to", "optuna", place)
    way = "name another --study-name, or add --force to replace it"
    assert (again.code, again.err) == (2, f"error: {place}: has a study 'small' already; {way}\n")
    assert shell("export", "small", "--to", "optuna", place, "--study-name", "other").code == 0
    assert shell("export", "small", "--to", "optuna", place, "--force").code == 0
    assert sorted(optuna.get_all_study_names(place)) == ["other", "small"]
    assert len(opened(str(tmp_path / "optuna.db")).trials) == 6


def call(app: Any, path: str, **query: Any) -> Any:
    """The JSON that a WSGI application answers a GET with."""
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": urlencode(query), "SERVER_NAME": "x",
        "SERVER_PORT": "80", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    body = b"".join(app(environ, lambda status, headers, *rest: said.append(status)))
    assert said == ["200 OK"]
    return json.loads(body)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.skipif(not importlib.util.find_spec("optuna_dashboard"), reason="pip install 'tuner[dashboard]'")
def test_the_dashboard_lists_the_trials(shell: Shell, tmp_path: Path) -> None:
    import optuna_dashboard

    shell("export", "small", "--to", "optuna", tmp_path / "optuna.db")
    app = optuna_dashboard.wsgi(f"sqlite:///{tmp_path / 'optuna.db'}")
    (summary,) = call(app, "/api/studies")["study_summaries"]
    assert (summary["study_name"], summary["directions"]) == ("small", ["minimize"])
    detail = call(app, f"/api/studies/{summary['study_id']}", after=0)
    states = ["Complete", "Complete", "Complete", "Pruned", "Complete", "Fail"]
    assert [t["state"] for t in detail["trials"]] == states
    assert [p["name"] for p in detail["trials"][0]["params"]] == ["optimizer", "lr", "batch_size"]
    assert [step["step"] for step in detail["trials"][0]["intermediate_values"]] == [1, 2, 3, 4]


# In


def database(tmp_path: Path, version: int) -> Path:
    """The storage that a version of Optuna wrote, from its SQL."""
    place = tmp_path / f"optuna{version}.db"
    with sqlite3.connect(place) as connection:
        connection.executescript((DATA / f"optuna{version}.sql").read_text(encoding="utf-8"))
    connection.close()
    return place


@pytest.mark.parametrize("version", [2, 3, 4])
def test_storages_of_older_versions_are_read_and_not_touched(tmp_path: Path, version: int) -> None:
    place = database(tmp_path, version)
    before = hashlib.sha256(place.read_bytes()).hexdigest()
    directory = import_study(str(place), home=tmp_path / "home", study_name="old")
    assert hashlib.sha256(place.read_bytes()).hexdigest() == before
    assert [path.name for path in place.parent.glob("optuna*")] == [place.name]
    result = Result(directory)
    assert len(result.all_trials) == 9
    states = {"complete", "pruned", "failed"} | ({"diverged"} if version > 2 else set())
    assert {t.state for t in result.all_trials} == states
    table = result.ranking()
    assert table["lr"].dtype == np.float64
    assert table["layers"].dtype == "Int64"
    assert set(table["act"].cat.categories) == {"relu", "tanh"}
    assert table["value"][0] == table["value"].min()
    assert result.curves()["trial"].nunique() >= 5


def test_what_was_exported_comes_back(small: StudyDirectory, tmp_path: Path) -> None:
    for file in ("o.db", "o.log"):
        store(optuna_study(Result(small)), str(tmp_path / file))
        directory = import_study(str(tmp_path / file), f"back from {file}", tmp_path)
        ours, theirs = (Result(one).ranking().sort_values("trial") for one in (small, directory))
        assert Result(directory).best().trial == Result(small).best().trial
        for name in ("trial", "state", "value", "epoch", "epochs", "optimizer", "lr", "batch_size"):
            assert ours[name].astype("str").tolist() == theirs[name].astype("str").tolist(), name
        same = ours["state"] != "failed"
        a, b = Result(small).curves(), Result(directory).curves()
        loss = a[(a["metric"] == "valid_loss") & a["trial"].isin(ours["trial"][same])]
        finite = np.isfinite(loss["value"])
        assert b["value"][: len(loss)][finite.to_numpy()].tolist() == loss["value"][finite].tolist()


@pytest.mark.parametrize("metric", ["valid_loss", "value"])
def test_an_imported_study_has_a_report_whatever_its_goal_is_called(metric: str, shell: Shell, tmp_path: Path) -> None:
    shell("import", database(tmp_path, 4), "--study-name", "old", "--metric", metric)
    table = shell("top", "old")
    assert table.out.split()[:3] == ["RANK", metric.upper(), "TRIAL"]
    assert "tuner confirm" not in table.err  # there is nothing to train again
    assert (shell("report", "old").code, shell("show", "old").code) == (0, 0)
    assert metric in (tmp_path / "old" / "report.html").read_text(encoding="utf-8")


def test_an_imported_study_is_looked_at_and_not_run(shell: Shell, tmp_path: Path) -> None:
    source = database(tmp_path, 4)
    made = shell("import", source, "--study-name", "old", "--metric", "valid_loss", "--optimizer", "adam")
    assert (made.code, made.err) == (0, "look at it with: tuner top old\n")
    for args in (("top", "old"), ("show", "old"), ("show", "old/1"), ("best", "old"), ("list",), ("export", "old")):
        ended = shell(*args)
        assert (ended.code, ended.out != "") == (0, True), args
    assert shell("top", "old", "--optimizer", "adam").code == 0
    stored = read_study(tmp_path / "old" / "study.toml", needs_data=False)
    assert (stored.metric, stored.direction) == ("valid_loss", "minimize")
    file = tmp_path / "mine.toml"
    file.write_text('[data]\nsource = "sklearn:iris"\n[optimizers.sgd]\n', encoding="utf-8")
    for args in (("run", "old"), ("run", file, "--name", "old"), ("check", tmp_path / "old" / "study.toml")):
        ended = shell(*args)
        assert ended.code == 2, args
        assert f"error: study 'old': was imported from Optuna, {source}: what it tried is known, " in ended.err
    again = shell("import", source, "--study-name", "old")
    assert again.code == 2
    assert again.err.startswith("error: study 'old': is there already; choose another with --name")


def pytorch_like(trial: optuna.Trial) -> float:
    """An objective with the names that PyTorch users give."""
    rule = trial.suggest_categorical("optimizer", ["Adam", "RMSprop", "SGD"])
    value = trial.suggest_float("lr", 1e-5, 1e-1, log=True) + trial.suggest_categorical("batch_size", [16, 64, 256])
    for step in range(3):
        trial.report(value / (step + 1), step)
    return value / 3 + len(rule)


@pytest.mark.parametrize("renamed", [(), ("--rename", "optimizer=optimizer_")])
def test_an_imported_study_may_have_any_optimizers_or_none(
    shell: Shell, tmp_path: Path, renamed: tuple[str, ...]
) -> None:
    url = f"sqlite:///{tmp_path / 'o.db'}"
    study = optuna.create_study(study_name="imp", storage=url, sampler=optuna.samplers.RandomSampler(0))
    study.optimize(pytorch_like, n_trials=12)
    assert shell("import", url, *renamed).code == 0
    shell("import", url, "--name", "again", *renamed)
    looks = ("top", "imp"), ("show", "imp"), ("show", "imp/1"), ("best", "imp"), ("doctor", "imp"), ("list",)
    others = ("report", "imp"), ("compare", "imp", "again"), ("export", "imp"), ("report", "imp", "--figures", tmp_path)
    for args in (*looks, *others, ("export", "imp", "--to", "optuna", "--storage", tmp_path / "back.db")):
        ended = shell(*args)
        assert ended.code == 0, (args, ended.err)
        assert "tuner confirm" not in ended.err, args
    page = (tmp_path / "imp" / "report.html").read_text(encoding="utf-8")
    assert "RMSprop" in page
    assert "fixed" not in [
        row["range"] for row in best_config(ReportData(Result(study_directory("imp", tmp_path))))["settings"]
    ]
    by = shell("compare", "imp", "--by", "optimizer")
    if renamed:
        assert (by.code, by.err) == (
            3,
            "error: study 'imp' has no optimizers to compare: none of its parameters is one\n",
        )
    else:
        assert [line.split()[0] for line in by.out.splitlines()] == ["OPTIMIZER", "Adam", "RMSprop", "SGD"]


def test_a_study_starts_from_an_imported_one(tmp_path: Path) -> None:
    source = str(database(tmp_path, 4))
    import_study(source, home=tmp_path, study_name="old", metric="valid_loss", constants={"optimizer": "adam"})
    asked = read_study(STUDY | {"optimizers": {"adam": {}}, "search": {"generation_size": 4, "warm_start": ["old"]}})
    warm = warm_start(asked, space_of(asked), tmp_path)
    known = [t for t in Result(study_directory("old", tmp_path)).all_trials if t.state != "failed"]
    assert [t.value for t in warm.trials] == [t.value for t in known]
    assert warm.notes[0].startswith(f"warm start from 'old': {len(known)} trials, matched by lr")


def test_a_script_s_study_starts_from_what_optuna_tried(shell: Shell, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'o.db'}"
    study = optuna.create_study(study_name="imp", storage=url, sampler=optuna.samplers.RandomSampler(0))
    study.optimize(pytorch_like, n_trials=12)
    parameters = {"optimizer_": ["Adam", "RMSprop", "SGD"], "lr": {"low": 1e-5, "high": 0.1, "log": True}}
    parameters |= {"batch_size_": [16, 64, 256], "layers": [1, 2]}
    asked = read_study(
        {
            "study": {"trials": 8, "objective": "script.py:objective", "minimize": "loss"},
            "parameters": parameters,
            "search": {"generation_size": 4, "warm_start": ["imp"]},
        },
        needs_data=False,
    )
    for renamed in ({}, {"optimizer": "optimizer_", "batch_size": "batch_size_"}):
        directory = import_study(url, home=tmp_path, rename=renamed)
        warm = warm_start(asked, space_of(asked), tmp_path)
        known = Result(directory).all_trials
        assert [t.value for t in warm.trials] == [t.value for t in known]
        assert [t.latents["optimizer_"] for t in warm.trials] == [next(iter(t.config.values())) for t in known]
        assert len({t.latents["batch_size_"] for t in warm.trials}) == 3
        how = "optimizer_, lr, batch_size_" if renamed else "optimizer as optimizer_, lr, batch_size as batch_size_"
        assert warm.notes == (
            f"warm start from 'imp': 12 trials, matched by {how}; searched here alone: layers; "
            "its value is taken for: loss",
        )
        assert shell("rm", "imp", "--yes").code == 0


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        ({}, r"'old' does not say of which optimizer its trials are; import it with --optimizer, .*: momentum, adam"),
        ({"optimizer": "Adam"}, r"'old' has no trial of an optimizer that this study searches; its .* are Adam"),
    ],
)
def test_a_start_from_unknown_optimizers_is_refused(tmp_path: Path, constants: dict[str, str], said: str) -> None:
    import_study(str(database(tmp_path, 4)), home=tmp_path, study_name="old", metric="valid_loss", constants=constants)
    asked = read_study(STUDY | {"search": {"generation_size": 4, "warm_start": ["old"]}})
    with pytest.raises(StudyError, match=said):
        warm_start(asked, space_of(asked), tmp_path)


def test_parameters_are_renamed_and_never_hide_a_column(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'o.db'}"
    study = optuna.create_study(study_name="s", storage=url)
    study.optimize(lambda t: t.suggest_float("epoch", 0, 1) + t.suggest_float("learning rate", 0, 1), n_trials=2)
    table = Result(import_study(url, home=tmp_path, rename={"learning rate": "lr"})).ranking()
    assert {"epoch_", "lr", "epoch"} <= set(table.columns)
    with pytest.raises(StudyError, match="rename 'learning_rate': is no parameter; did you mean 'learning rate'"):
        import_study(url, "t", tmp_path, rename={"learning_rate": "lr"})
    with pytest.raises(StudyError, match="column 'rank': would be there twice; rename one"):
        import_study(url, "t", tmp_path, rename={"epoch": "rank"})
    assert not (tmp_path / "t").exists()


def test_what_cannot_be_imported_says_why(tmp_path: Path) -> None:
    source = str(database(tmp_path, 4))
    (tmp_path / "text.db").write_text("no", encoding="utf-8")
    made_up(tmp_path)
    known = "name a URL like sqlite:///optuna.db"
    torn = tmp_path / "torn.log"
    torn.write_text('{"op_code": 0, "worker_id": "a", "study_name', encoding="utf-8")
    for wrong, said in (
        (str(tmp_path / "none.db"), f"there is no such file; {known}"),
        (str(tmp_path / "text.db"), f"is no storage of Optuna; {known}"),
        (str(tmp_path / "small" / "ledger.db"), f"is no storage of Optuna; {known}"),
        (str(tmp_path), f"is a directory; {known}"),
        ("nonsense", f"is not known; {known}"),
        ("oracle9://user:secret@host/base", r"oracle9://user:\*\*\*@host/base: is no database that is known"),
        (str(torn), "has no studies in it"),
    ):
        with pytest.raises(StudyError, match=said) as caught:
            import_study(wrong, "x", tmp_path)
        assert "secret" not in str(caught.value)
    with pytest.raises(StudyError, match="has 4 studies; choose one with --study-name: "):
        import_study(source, "x", tmp_path)
    with pytest.raises(StudyError, match="has no study 'odl'; did you mean 'old'"):
        import_study(source, "x", tmp_path, study_name="odl")
    with pytest.raises(StudyError, match="study 'two' has 2 objectives; only studies with one objective"):
        import_study(source, "x", tmp_path, study_name="two")
    with pytest.raises(NoResult, match="study 'empty' has no complete trial"):
        import_study(source, "x", tmp_path, study_name="empty")
    with pytest.raises(StudyError, match="study 'a/b': cannot be the name of a directory; choose one with --name"):
        import_study(source, home=tmp_path, study_name="a/b")
    assert not (tmp_path / "x").exists()


def test_databases_without_a_driver_or_a_server_say_so_without_the_password(tmp_path: Path) -> None:
    for url in ("mysql://user:secret@host/base", "postgresql+pg8000://user:secret@host/base"):
        with pytest.raises(
            TunerError, match=r"://user:\*\*\*@host/base: the driver .* is missing: pip install "
        ) as caught:
            load(url)
        assert "secret" not in str(caught.value)


def test_nothing_but_a_storage_of_optuna_is_written_into(small: StudyDirectory, tmp_path: Path) -> None:
    study = optuna_study(Result(small))
    notes = tmp_path / "notes.db"
    notes.write_text("mine", encoding="utf-8")
    before = small.ledger.read_bytes()
    for place in (notes, small.ledger):
        with pytest.raises(StudyError, match=f"{place}: is .*no storage of Optuna"):
            store(study, str(place), force=True)
    with pytest.raises(StudyError, match=r"there is no directory .*; make it first"):
        store(study, f"sqlite:///{tmp_path}/none/o.db")
    assert (notes.read_text(encoding="utf-8"), small.ledger.read_bytes()) == ("mine", before)


def test_export_says_what_its_options_lack(shell: Shell, tmp_path: Path) -> None:
    for args, said in (
        (("--storage", "o.db"), "a place to write to needs --to optuna, mlflow, torch, keras, sklearn, onnx"),
        (("--to", "optuna"), "--to optuna needs a place to write to, like --storage sqlite:///optuna.db"),
        (("--to", "mlflow", tmp_path / "m", "-o", tmp_path / "f.csv"), "-o does not go with --to mlflow"),
    ):
        ended = shell("export", "small", *args)
        assert (ended.code, said in ended.err) == (2, True), ended.err


# MLflow


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not importlib.util.find_spec("mlflow"), reason="pip install 'tuner[mlflow]'")
def test_mlflow_reads_back_params_curves_and_artifacts(
    shell: Shell, small: StudyDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "mlruns"
    ended = shell("export", "small", "--to", "mlflow", place)
    assert ended.code == 0, ended.err
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    client = MlflowClient(place.as_uri())
    experiment = client.get_experiment_by_name("small")
    runs = {run.data.tags.get("trial", "study"): run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"study", "0", "1", "2", "3", "4", "5"}
    one, result = runs["1"], Result(small)
    assert one.data.params == {key: str(v) if v != [64] else "64" for key, v in result.all_trials[1].config.items()}
    history = client.get_metric_history(one.info.run_id, "valid_loss")
    assert [(m.step, m.value) for m in history] == [(1, 0.8), (2, 0.4), (3, 0.35), (4, 0.125)]
    assert one.data.metrics["value"] == 0.125
    assert [runs[number].info.status for number in "0345"] == ["FINISHED", "KILLED", "FAILED", "FAILED"]
    folder = client.download_artifacts(runs["study"].info.run_id, "")
    assert {path.name for path in Path(folder).iterdir()} == {"study.toml", "ranking.csv", "best.toml"}
    assert pd.read_csv(Path(folder) / "ranking.csv")["trial"].tolist() == result.ranking()["trial"].tolist()
    again = shell("export", "small", "--to", "mlflow", place)
    assert (again.code, "has an experiment 'small' already" in again.err) == (2, True)
    assert shell("export", "small", "--to", "mlflow", place, "--force").code == 0


WRONG = {
    "a gap in the numbers": ("delete from trials where number = 1", "study 'x' has no trial 1, though it has 2"),
    "a number that is none": ("update trials set number = -1e308 where number = 1", "has a trial of number -1e"),
    "text for a value": ("update trial_values set value = '{{7*7}}' where trial_id = 2", "the value '{{7"),
    "text for a report": (
        "update trial_intermediate_values set intermediate_value = 'ten' where trial_id = 2",
        "the intermediate value 'ten' at step 0 in trial 1",
    ),
    "text for a parameter": ("update trial_params set param_value = 'abc' where trial_id = 2", "for parameter 'lr'"),
    "a parameter far outside": ("update trial_params set param_value = 1e99 where trial_id = 2", "for parameter 'lr'"),
    "no distribution": ("update trial_params set distribution_json = '{' where trial_id = 2", "cannot be read"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_optuna_never_writes_is_refused_and_leaves_nothing(
    what: str, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement, said = WRONG[what]
    study = optuna.create_study(storage=f"sqlite:///{tmp_path / 'o.db'}", study_name="x")
    for value in (3.0, 2.0, 1.0):
        asked = study.ask()
        asked.suggest_float("lr", 1e-4, 1.0, log=True)
        asked.report(value, 0)
        study.tell(asked, value)
    with sqlite3.connect(tmp_path / "o.db") as file:
        file.execute(statement)
    home = tmp_path / "home"
    ended = shell("import", tmp_path / "o.db", "--home", home)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
    assert "should not happen" not in ended.err
    assert not (home / "x").exists()


def test_an_import_that_fails_leaves_no_half_of_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = optuna.create_study(storage=f"sqlite:///{tmp_path / 'o.db'}", study_name="x")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    monkeypatch.setattr(Ledger, "commit_generation", full_disk)
    with pytest.raises(OSError, match="the disk is full"):
        import_study(str(tmp_path / "o.db"), home=tmp_path / "home")
    assert not (tmp_path / "home" / "x").exists()
