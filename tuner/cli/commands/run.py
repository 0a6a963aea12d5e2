"""`tuner run`: from arguments to a run, and what it says at the end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.copyable import copyable
from tuner.cli.error_lines import Terminated, interruption
from tuner.cli.options import as_examples, complete_studies, home_option, set_option
from tuner.cli.terminal import hint
from tuner.text import clean

if TYPE_CHECKING:
    from tuner.cli.progress import LiveProgress, PlainProgress
    from tuner.store.directory import Home
    from tuner.study import Study

    Display = LiveProgress | PlainProgress

__all__ = ["run"]


@click.command(epilog=as_examples("tuner run study.toml --report", "tuner run study -n 128 -j 4"))
@click.argument("study", metavar="STUDY", shell_complete=complete_studies)
@click.option("-n", "--trials", type=int, envvar="TUNER_TRIALS", show_envvar=True, help="How many trials in all.")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 1024), envvar="TUNER_JOBS", show_envvar=True,
    help="Worker processes; by default the processors at hand. The result does not depend on it.",
)  # fmt: skip
@click.option(
    "--cluster", metavar="ADDRESS", envvar="TUNER_CLUSTER", show_envvar=True,
    help="A dask scheduler whose workers train: tls://HOST:8786, or tcp:// on this machine.",
)  # fmt: skip
@click.option("--seed", type=int, envvar="TUNER_SEED", show_envvar=True, help="The seed of everything random.")
@set_option
@click.option("--name", help="Run it as a study of this name.")
@click.option("--fresh", is_flag=True, help="Start over; an existing study is moved aside.")
@click.option("--retry-failed", is_flag=True, help="Train failed trials again, after their cause is fixed.")
@home_option
@click.option("--dry-run", is_flag=True, help="Show what would run and about how long; write nothing.")
@click.option("--report", is_flag=True, help="Write the report as well.")
@click.option("--no-confirm", is_flag=True, help="Skip the confirmation on fresh seeds.")
@click.option("-v", "--verbose", is_flag=True, help="Show every setting, the model, the cost and the files at the end.")
@click.option("--no-refit", is_flag=True, help="Skip the model: the best config trained on all rows but the test rows.")
@click.option("--no-baseline", is_flag=True, help="Leave out scikit-learn's models at their defaults beside the model.")
def run(
    study: str,
    dry_run: bool,
    jobs: int | None,
    cluster: str | None,
    home: Home,
    fresh: bool,
    no_confirm: bool,
    no_refit: bool,
    no_baseline: bool,
    report: bool,
    retry_failed: bool,
    verbose: bool,
    **rest: Any,
) -> None:
    """Run a STUDY, or go on with it.

    STUDY is a study file, or the name of an existing study. Run again, it goes on where it stopped, or says that it is
    complete. More trials (-n) continue it.
    """
    asked = asked_study(study, home, **rest)
    if dry_run:
        from tuner.cli.dry_run import rehearse

        return rehearse(asked, jobs)
    from tuner.api.run import run as run_study
    from tuner.cli.progress import progress_display
    from tuner.cli.summary import startup_seconds, summary

    callback: Display | None = None
    try:
        startup = startup_seconds()
        with progress_display(asked) as callback:
            where: dict[str, Any] = {"jobs": jobs, "home": home, "cluster": cluster, "retry_failed": retry_failed}
            where |= {"refit": not no_refit, "baselines": not no_baseline}
            result = run_study(asked, confirm=not no_confirm, fresh=fresh, callback=callback, **where)
    except BaseException as error:
        stopped = interruption(error)
        if stopped is None:
            raise
        how = "stopped" if isinstance(stopped, Terminated) else "interrupted"
        own = {"set" if key == "overrides" else key: value for key, value in rest.items()}
        given = {**own, "jobs": jobs, "cluster": cluster, "no-confirm": no_confirm, "report": report}
        given |= {"retry-failed": retry_failed, "no-refit": no_refit, "no-baseline": no_baseline, "verbose": verbose}
        hint(f"{how}; {kept(asked, callback)}, this goes on: {clean(copyable(command(study, given)))}")
        raise stopped from None
    if report and result.all_trials:
        result.report()
    summary(result, startup, verbose)
    return None


def kept(study: Study, callback: Display | None) -> str:
    """Say what an interrupted run kept; for custom objectives this includes a generation's progress."""
    progress = callback.position.progress if callback is not None else None
    if study.custom is None or progress is None or not progress.begun:
        return "what was finished is kept"
    more = f"{progress.done} trials and {progress.begun} more" if progress.done else f"{progress.begun} trials"
    return f"what was finished is kept, {more} that have come to a rung"


def command(study: str, given: Mapping[str, Any]) -> str:
    """Write the command that continues a run: its own, without --fresh."""
    words = ["tuner", "run", study]
    for name, value in given.items():
        values = value if isinstance(value, tuple) else () if value is None or value is False else (value,)
        words += [word for item in values for word in ([f"--{name}"] if item is True else [f"--{name}", str(item)])]
    return shlex.join(words)


def asked_study(
    study: str, home: Home, trials: int | None, seed: int | None, overrides: tuple[str, ...], name: str | None
) -> Study:
    """Read the study of a file, or the stored one of a name, with settings applied. Raises StudyError, UnknownStudy."""
    from tuner.api.read_study import read_study

    given = {"study.trials": trials, "study.seed": seed, "study.name": name}
    keys = {text.partition("=")[0].strip() for text in overrides}
    # a variable of the environment gives way to any flag, --set included
    context = click.get_current_context()
    from_variable = {
        f"study.{key}"
        for key in ("trials", "seed")
        if context.get_parameter_source(key) is click.core.ParameterSource.ENVIRONMENT
    }
    settings = {k: v for k, v in given.items() if v is not None and not (k in from_variable and k in keys)}
    file = study_file(study, home)
    check_given(file)
    return read_study(file, overrides=overrides, settings=settings)


def check_given(file: Path) -> None:
    """Raise StudyError for a stored study that was run with what Python gave it, and no file names."""
    from objectives.errors import Complaint
    from tuner.errors import StudyError
    from tuner.store.directory import StudyDirectory
    from tuner.store.stored import stored_study

    directory = StudyDirectory(file.parent)
    if file != directory.study or not directory.ran:
        return
    study = stored_study(directory)
    call = f"give {{}} again: tuner.run(tuner.open({study.name!r}).study, {{}})"
    if study.custom is not None and study.custom.given:
        what = f"study {study.name!r} was run with a function given in Python"
        raise StudyError(Complaint("study.objective", what, call.format("it", "objective=...")))
    if study.custom is None and study.imported is None and study.data.source is None:
        what = f"study {study.name!r} was run on data given in Python"
        raise StudyError(Complaint("data", what, call.format("them", "data=...")))


def study_file(study: str, home: Home) -> Path:
    """Return the file that STUDY names, or the stored file of the study of that name."""
    path = Path(study)
    if path.is_file() or path.suffix == ".toml":
        return path
    from tuner.errors import UnknownStudy
    from tuner.store.directory import find

    try:
        return find(study, home).study
    except UnknownStudy as unknown:
        files = [file for file in (Path(f"{study}.toml"), Path("studies", f"{study}.toml")) if file.is_file()]
        if files:
            meant = copyable(f"tuner run {files[0]}")
            raise click.UsageError(f"{str(unknown).partition(';')[0]}; did you mean `{meant}`?") from None
        raise
