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
    assert {line.index("  # ") for line in lines if line.startswith(("source", "target", "split", "hidden"))} == {39}
    hint = "write in [data] where your table is, then: tuner check sales.toml\n"
    assert (ended.code, ended.out, ended.err) == (0, "sales.toml\n", hint)
    written = tomllib.loads(Path("sales.toml").read_text(encoding="utf-8"))
    assert (written["study"]["name"], written["data"]["source"]) == ("sales", "sales.csv")
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


def test_what_init_writes_runs_on_a_table(shell: Shell) -> None:
    shell("init", "own.toml")
    rows = "".join(f"{i},{i % 7},{'yes' if i % 3 else 'no'}\n" for i in range(150))
    Path("own.csv").write_text(f"a,b,outcome\n{rows}", encoding="utf-8")
    ended = shell("check", "own.toml")
    assert ended.code == 0
    assert "# target: binary" in ended.err
    assert read_study(tomllib.loads(ended.out)).name == "own"


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
