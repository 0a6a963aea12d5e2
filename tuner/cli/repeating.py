"""`tuner check --repeat`: one config of somebody's own objective, run again, and where two runs differ."""

from __future__ import annotations

import click

from tuner.cli.dry_run import described
from tuner.cli.text import clean, hint, last_lines
from tuner.errors import TunerError
from tuner.own.repeating import repeated_runs
from tuner.spec import Study

__all__ = ["repeat_check"]


def repeat_check(study: Study, times: int) -> None:
    """Run it and say what came of it. Raises TunerError where two runs differ, or the objective fails."""
    from tuner.dispatch import Failure

    if not study.own:
        raise click.UsageError("tuner check: --repeat is for an objective of your own; the tuner's core always repeats")
    ran = repeated_runs(study, times)
    print(f"config: {described(ran.config)}")
    if said := last_lines(ran.printed):
        hint(f"what it printed:\n{said}")
    if ran.difference:
        raise TunerError(
            f"{ran.difference}; the same study gives the same table only where config and seed decide everything: "
            "seed all that is random from run.seed or config['seed']"
        )
    first = ran.outcomes[0]
    if isinstance(first, Failure):
        raise TunerError(f"each run failed with {first}")
    seconds = sum(outcome.seconds for outcome in ran.outcomes if not isinstance(outcome, Failure)) / times
    print(clean(f"{times} runs are the same, bit for bit: {', '.join(first.curves)}; {seconds:.3g} s each"))
