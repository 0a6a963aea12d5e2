"""`tuner init` and `tuner check`, and what `tuner run --dry-run` tells."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.command import Shell
from tuner.cli.commands.init import template
from tuner.cli.dry_run import samples, search_seconds
from tuner.search import rungs
from tuner.study import read_study

STUDIES = Path(__file__).parents[3] / "studies"
IRIS = '[study]\ntrials = 4\n[data]\nsource = "sklearn:iris"\n[train]\nepochs = 2\n[optimizers.momentum]\n'


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_HOME", "TUNER_TRIALS", "TUNER_JOBS", "TUNER_SEED"):
        monkeypatch.delenv(name, raising=False)
    return Shell(capsys)


def test_init_writes_a_study_file_named_after_itself(shell: Shell) -> None:
    ended = shell("init", "sales.toml")
    lines = Path("sales.toml").read_text(encoding="utf-8").splitlines()
    keys = ("source", "# target", "split", "hidden")
    assert {line.index("  # ") for line in lines if line.startswith(keys)} == {39}
    assert (ended.code, ended.out) == (0, "sales.toml\n")
    assert ended.err.endswith("; next: tuner run sales.toml\n")
    written = tomllib.loads(Path("sales.toml").read_text(encoding="utf-8"))
    assert (written["study"]["name"], written["data"]["source"]) == ("sales", "sklearn:breast_cancer")
    assert "#     tuner run sales.toml" in Path("sales.toml").read_text(encoding="utf-8")


def test_init_does_not_overwrite(shell: Shell) -> None:
    Path("study.toml").write_text("mine", encoding="utf-8")
    ended = shell("init")
    said = "error: tuner init: study.toml: is there already; choose another name, or add --force to overwrite it\n"
    assert (ended.code, ended.out, ended.err) == (2, "", said)
    assert Path("study.toml").read_text(encoding="utf-8") == "mine"
    assert shell("init", "--force").code == 0
    assert "[optimizers.adam]" in Path("study.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "hint"), [("study.yaml", "ends in .toml"), ("no/study.toml", "make it first")])
def test_init_says_where_it_cannot_write(shell: Shell, file: str, hint: str) -> None:
    ended = shell("init", file)
    assert ended.code == 2
    assert hint in ended.err
    assert not list(Path().iterdir())


def test_the_template_ships() -> None:
    assert template() == STUDIES / "your_table.toml"


def test_what_init_writes_runs_as_it_is(shell: Shell) -> None:
    shell("init")
    assert shell("run", "study.toml", "-n", "8", "-j", "1", "--set", "train.epochs=3").code == 0


@pytest.mark.parametrize(
    ("header", "given", "target", "why"),
    [
        ("a,b,outcome", (), "outcome", "by its name"),
        ("Label,b,c", (), "Label", "by its name"),
        ("a,b,kind", (), "kind", "the last column"),
        ("a,kind,c", ("--target", "kind"), "kind", "as you said"),
    ],
)
def test_init_reads_a_table_and_says_what_it_guessed(
    header: str, given: tuple[str, ...], target: str, why: str, shell: Shell
) -> None:
    names = header.split(",")
    cells = {name: (lambda i, place=place: str(i % (place + 5))) for place, name in enumerate(names)}
    cells[target] = lambda i: "yes" if i % 3 else "no"
    rows = "".join(",".join(cells[name](i) for name in names) + "\n" for i in range(150))
    Path("folder").mkdir()
    Path("folder/own.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    ended = shell("init", "own.toml", "--data", "folder/own.csv", *given)
    said = f"150 rows, 2 features; target '{target}' ({why}), binary; next: tuner run own.toml\n"
    assert (ended.code, ended.out, ended.err) == (0, "own.toml\n", said)
    checked = shell("check", "own.toml")
    assert checked.code == 0
    written = read_study(tomllib.loads(checked.out))
    assert (written.name, written.data.target) == ("own", target)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--data", "none.csv"), "error: none.csv: "),
        (("--data", "t.csv", "--target", "outcom"), "did you mean 'outcome'?"),
        (("--target", "a"), "--target goes with --data"),
        (("--data", "t.csv", "--from-optuna", "a.py:b"), "exclude each other"),
    ],
)
def test_init_refuses_what_it_cannot_write_a_study_of(given: tuple[str, ...], said: str, shell: Shell) -> None:
    Path("t.csv").write_text("a,outcome\n" + "1,2\n3,4\n" * 80, encoding="utf-8")
    ended = shell("init", "own.toml", *given)
    assert ended.code == 2
    assert said in ended.err
    assert not Path("own.toml").exists()


def test_examples_are_listed_and_copied_with_their_code(shell: Shell) -> None:
    listed = shell("example")
    assert listed.code == 0
    assert {"digits", "course/4-newton", "own/forest"} <= {line.split()[0] for line in listed.out.splitlines()}
    assert shell("example", "own/forest").out == "forest.toml\nforest.py\n"
    again = shell("example", "own/forest")
    assert (again.code, "forest.toml, forest.py: are there already" in again.err) == (2, True)
    assert shell("check", "forest.toml").code == 0
    assert "did you mean 'digits'?" in shell("example", "digit").err


def test_check_prints_the_resolved_study_and_what_was_inferred(shell: Shell) -> None:
    ended = shell("check", STUDIES / "digits.toml")
    assert ended.code == 0
    resolved = read_study(tomllib.loads(ended.out))
    assert (resolved.data.resampling, resolved.data.splits) == ("fresh", 8)
    written = read_study(STUDIES / "digits.toml")
    assert replace(resolved, data=written.data) == written
    assert ended.err.startswith("# target: multiclass, 10 classes")
    assert "trials are compared on up to 8 splits of them (data.splits)" in ended.err
    assert not list(Path().iterdir())


def test_check_tells_all_errors_of_a_file_and_of_its_settings(shell: Shell) -> None:
    Path("bad.toml").write_text(
        "[study]\ntrails = 3\n[data]\nsource = 'sklearn:digit'\n[optimizers.adm]\n", encoding="utf-8"
    )
    ended = shell("check", "bad.toml", "--set", "train.epochs=0")
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("error: ") for line in lines)
    for hint in (
        "did you mean 'trials'?",
        "did you mean 'sklearn:digits'?",
        "did you mean 'adam'?",
        "--set train.epochs=0",
    ):
        assert hint in ended.err


def test_check_does_not_call_code(shell: Shell) -> None:
    Path("s.toml").write_text(IRIS.replace("sklearn:iris", "nowhere:load"), encoding="utf-8")
    ended = shell("check", "s.toml")
    assert ended.code == 0
    assert ended.err == "# data: nowhere:load is code, which only `tuner run` calls; the rows are not checked\n"


def test_a_dry_run_shows_configs_and_an_estimate_and_writes_nothing(shell: Shell) -> None:
    Path("s.toml").write_text(IRIS, encoding="utf-8")
    ended = shell("run", "s.toml", "--dry-run", "-n", "6", "-j", "2", "--name", "other")
    assert ended.code == 0
    study = tomllib.loads(ended.out)["study"]
    assert (study["name"], study["trials"]) == ("other", 6)
    comments = [line for line in ended.out.splitlines() if line.startswith("#")]
    assert comments[0].startswith("# trial 0: optimizer = 'momentum', lr = 0.01, momentum = 0.9")
    assert [line.split(":")[0] for line in comments[:3]] == ["# trial 0", "# trial 1", "# trial 2"]
    assert comments[3].startswith("# about ")
    assert comments[3].endswith(" s of training with 2 workers; start-up and confirmation come on top")
    assert [path.name for path in Path().iterdir()] == ["s.toml"]


def test_samples_are_a_default_and_points_of_the_spread() -> None:
    study = read_study({"data": {"source": "sklearn:iris"}, "optimizers": {"momentum": {}, "adam": {}}})
    configs = [{"n": i} for i in range(8)]
    assert [number for number, _ in samples(study, configs)] == [0, 2, 3]
    assert [number for number, _ in samples(study, configs[:2])] == [0, 1]


def test_the_estimate_follows_the_rungs() -> None:
    tables = {"data": {"source": "sklearn:iris"}, "optimizers": {"momentum": {}}, "train": {"epochs": 16}}
    study = read_study(tables | {"study": {"trials": 40}})
    first, *rest = [stage.amount for stage in rungs(study)]
    assert (first, *rest) == (2, 5, 16)
    alone = search_seconds(study, [16], (0.0, 1.0))
    expected = 0.0
    for going in (32, 8):
        done = 0
        for epochs in (first, *rest):
            expected += going * (epochs - done)
            done, going = epochs, -(-going // 4)
    assert alone == pytest.approx(expected)
    assert search_seconds(study, [48], (0.0, 1.0)) == 3 * alone


def test_a_check_of_a_surface_looks_at_it(tmp_path: Path, shell: Shell) -> None:
    file = tmp_path / "s.toml"
    file.write_text('[data]\nsource = "surface:beale"\n[train]\nsteps = 50\n[optimizers.sgd]\n', encoding="utf-8")
    ended = shell("check", str(file))
    assert ended.code == 0
    assert "# surface: beale, noise 0" in ended.err
    assert "code" not in ended.err


@pytest.mark.parametrize("source", ["study", "data"])
def test_a_check_looks_at_the_search_though_code_is_not_called(source: str, tmp_path: Path, shell: Shell) -> None:
    file = tmp_path / "s.toml"
    code = {
        "study": '[study]\nobjective = "json:dumps"\nminimize = "loss"\n[parameters]\nlr = [1, 2]\n',
        "data": '[data]\nsource = "module:function"\n[train]\nbatch_size = 8\n[optimizers.sgd]\nlr = [0.1, 0.2]\n',
    }
    file.write_text(f'{code[source]}[search]\nsampler = "cmaes"\nenqueue = [{{ y = 3 }}]\n', encoding="utf-8")
    ended = shell("check", str(file))
    assert (ended.code, ended.out) == (2, "")
    assert "error: search.sampler: cmaes needs two parameters or more" in ended.err
    assert "error: search.enqueue[0].y: is not a parameter" in ended.err
