"""Passwords are shown nowhere: not in messages, not in tracebacks, wherever on a command line they were written."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import tuner
from tests.support.command import Shell, made_up
from tuner.errors import TunerError
from tuner.masking import masked, remember, shown

SECRET = "hunter2"
URL = f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/db"
QUERY = f"postgresql+psycopg://127.0.0.1:1/db?user=me&passwd={SECRET}"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("postgresql://me:s3c@ret@host/db", "postgresql://me:***@host/db"),
        ("got (mysql://u:pw@h/d?Passwd=abc&x=1) here", "got (mysql://u:***@h/d?Passwd=***&x=1) here"),
        ("mysql://u:cut off", "mysql://u:***@ off"),
        ("PGPASSWORD=abc password='a b' pwd=c", "PGPASSWORD=*** password=*** pwd=***"),
        ("https://h/x?token=5&b=2", "https://h/x?token=***&b=2"),
        ("see tls://HOST:8786, http://[::1]:80/a@b", "see tls://HOST:8786, http://[::1]:80/a@b"),
        (
            "--set parameters.token=5 git@host:me/x sqlite:///a:b@c",
            "--set parameters.token=5 git@host:me/x sqlite:///a:b@c",
        ),
    ],
)
def test_a_text_names_no_password(text: str, wanted: str) -> None:
    assert masked(text) == wanted


def test_a_password_of_the_command_line_is_hidden_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    remember(["list", "--storage=postgresql://me:p%40ss word@host/db"])
    assert shown("the server says: p@ss word and p%40ss word are wrong, xp@ss wordx is not") == (
        "the server says: *** and *** are wrong, xp@ss wordx is not"
    )
    monkeypatch.setenv("PGPASSWORD", "other-secret")
    remember([])
    assert shown("said other-secret") == "said ***"


@pytest.mark.slow
@pytest.mark.parametrize("url", [URL, QUERY], ids=["user", "query"])
@pytest.mark.parametrize(
    "line",
    [
        "{}", "run {}", "run x.toml {}", "check {}", "check x.toml --set {}", "check x.toml --set study.name={}",
        "init {}", "init {}.toml", "list {}", "list --home {}", "list --storage {}", "list --storagee={}", "show {}",
        "show small/{}", "top small -n {}", "top small --optimizer {}", "best small --to {}", "best small -o {}",
        "best small -o {}/x.toml", "export small -o {}", "export small -o {}/x.csv", "export small --to {}",
        "export small --to optuna --storage {}", "export small --to mlflow --storage {}", "import {}",
        "import x.db --name {}", "import x.db --rename {}", "report small -o {}/x.html", "report small --figures x/{}",
        "report small --only {}", "compare small {}", "verify {}", "doctor {}", "rm {}", "rm small {}", "explain {}",
        "completion {}", "confirm {}", "run x.toml --cluster {}", "run x.toml --storage {} --cluster {}",
    ],
)  # fmt: skip
def test_no_command_prints_a_password(
    line: str, url: str, tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made_up(tmp_path / "runs")
    (tmp_path / "x.toml").write_text('[data]\nsource = "sklearn:iris"\n[optimizers.sgd]\n', encoding="utf-8")
    words = shlex.split(line.format(url, url))
    for debug in ([], ["--debug"]):
        ended = shell(*debug, *words)
        assert SECRET not in ended.out + ended.err
    assert ended.code in (0, 1, 2)


def test_no_error_of_the_library_holds_a_password(tmp_path: Path) -> None:
    with pytest.raises(TunerError, match=r"no study .*\*\*\*@") as caught:
        tuner.open(URL, home=tmp_path)
    assert SECRET not in str(caught.value)
