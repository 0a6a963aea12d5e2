"""What `tuner run` ends with: the conclusion, and with -v the whole best config, the model, the cost, the files."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from tuner.cli.conclusion import print_conclusion
from tuner.cli.copyable import copyable
from tuner.cli.output import in_words
from tuner.cli.show import block, fresh_mean, fresh_words, settings_of
from tuner.cli.terminal import hint
from tuner.enums import TrialState
from tuner.errors import NoResult
from tuner.report.findings.baseline import better_baselines, judged_by, unbeaten
from tuner.search.stopping import error_pattern
from tuner.text import cell_text, clean, interval_text, intervals_of
from tuner.views.overview import states_of

if TYPE_CHECKING:
    from tuner.best import Best
    from tuner.model.trained import TrainedModel
    from tuner.records import Trial
    from tuner.result import Cost, Result

__all__ = [
    "best_block",
    "cost_block",
    "failures_of",
    "shipped_block",
    "startup_seconds",
    "summary",
    "sureness",
    "values_of",
]

HARMLESS = 1e-4  # a learning rate at which nothing explodes on standardised data


def startup_seconds() -> float:
    """Return this process's processor seconds so far: the interpreter and its imports.

    Its age would include the shell that started it, and all that this shell had waited for.
    """
    return time.process_time()


def summary(result: Result, startup: float, verbose: bool = False) -> None:
    """Print what a run found, all of it where `verbose`. Raises NoResult where no trial is complete."""
    cost = result.cost
    print(header(result))
    if cost is not None and cost.stopped:
        left = result.study.trials - len(result.all_trials)
        print(f"stopped with {left} trials left: {cost.stopped}")
    failures = failures_of(result)
    try:
        best = result.best()
    except NoResult as none:
        if failures:
            hint(failures)
        raise NoResult(f"{none}\n{why_none(result)}", none.command) from none
    print_conclusion(result, best, verbose)
    if verbose:
        print_rest(result, best, startup)
    if failures:
        hint(failures)


def header(result: Result) -> str:
    """Count the trials of a study in one line."""
    states = Counter(str(trial.state) for trial in result.all_trials)
    cost = result.cost
    idle = cost is not None and not cost.trials and not cost.retrained and not cost.stopped
    already = " was complete already" if idle else ""
    return f"{clean(result.study.name)}{already}: {len(result.all_trials)} trials, {states_of(states)}"


def print_rest(result: Result, best: Best, startup: float) -> None:
    """Print what most need not know at the end of a run: every setting, the model, the cost, the files."""
    print(f"\n{best_block(best)}", end="")
    if result.study.custom is None and (said := model_block(result)):
        print(f"\n{said}", end="")
    if result.cost is not None:
        print(f"\n{cost_block(result.cost, startup, foreign=result.study.custom is not None)}", end="")
    print("\nfiles\n" + "".join(f"  {clean(in_words(path))}\n" for path in result.files), end="")


def failures_of(result: Result) -> str:
    """Say how many trials failed, the most common reason, and where to read more; "" where none failed."""
    failed = [trial for trial in result.all_trials if trial.state == TrialState.FAILED]
    if not failed:
        return ""
    (kind, count), *others = Counter(error_pattern(trial.error) for trial in failed).most_common()
    first = next(trial for trial in failed if error_pattern(trial.error) == kind)
    many = "" if len(failed) == 1 else f"{count if others else 'all'} of them alike, "
    reason = (first.error.splitlines() or ["no reason"])[0]
    what = f"{len(failed)} of {len(result.all_trials)} trials failed: {many}trial {first.number} with {reason}"
    name = shlex.quote(result.study.name)
    look, onward = copyable(f"tuner show {name}/{first.number}"), copyable(f"tuner run {name} --retry-failed")
    return f"{what}; all of it: {look}; once mended: {onward}"


def why_none(result: Result) -> str:
    """Say in a line what stopped the trials."""
    if any(trial.state == TrialState.FAILED for trial in result.all_trials):
        return "mend what failed, then run it with --retry-failed"
    diverged = [trial for trial in result.all_trials if trial.state == TrialState.DIVERGED]
    return why_diverged(result, diverged) if diverged else "run it with more trials"


def why_diverged(result: Result, diverged: Sequence[Trial]) -> str:
    """Say why trials diverged, as far as their learning rates and a constant prediction on the same rows tell."""
    look = copyable(f"tuner show {shlex.quote(result.study.name)}/{diverged[0].number}")
    constant = float(result.facts.get("constant_loss", "0"))
    if not constant <= float(np.finfo(result.study.dtype).max):
        what = f"a constant prediction has a loss of {cell_text(constant)} on the validation rows"
        return f"{len(diverged)} diverged, as anything would: {what}; correct the target that lies so far out"
    rates = [float(trial.config["lr"]) for trial in diverged if "lr" in trial.config]
    if not rates:
        return f"{len(diverged)} diverged: their losses are no finite numbers; look at one of them: {look}"
    if min(rates) > HARMLESS:
        return f"{len(diverged)} diverged: try smaller learning rates"
    least = cell_text(min(rates))
    what = f"{len(diverged)} diverged, at learning rates down to {least}: look for numbers that lie far out"
    return f"{what}, which the run names when it has read the data, and at one of them: {look}"


def best_block(best: Best) -> str:
    """Write the best config, its value, and its values on fresh seeds and the test rows."""
    config = {name: value for name, value in settings_of(best.params).items() if name not in ("epochs", "horizon")}
    facts = {**config, "epochs": epochs_of(best), **values_of(best)}
    return f"best config: trial {best.trial}, {sureness(best)}\n{block(facts)}"


def model_block(result: Result) -> str:
    """Return the lines on the model that the study ships; empty where there is none, or a stale one."""
    from tuner.orchestrator.shipping import is_current

    return shipped_block(result.model) if is_current(result) else ""


def shipped_block(model: TrainedModel) -> str:
    """Return a model's networks, rows and test metrics, those of a single network behind."""
    training, count = model.facts["training"], model.network.members
    many = f"{count} networks" if count > 1 else "one network"
    head = f"model: {many} on {training['rows']} rows, {training['rows_of']}"
    if not model.metrics:
        return f"{head}; nothing is left to judge it by\n"
    facts = {}
    for name, kinds in model.metrics.items():
        whole, single = kinds["ensemble"], kinds["single"]
        ends = [float("nan") if whole[end] is None else whole[end] for end in ("low", "high")]
        alone = f"   (a single one: {cell_text(single['value'])})" if count > 1 else ""
        facts[name] = f"{interval_text(whole['value'], *ends)}{alone}"
    if model.threshold is not None:
        facts["threshold"] = f"{model.classes[1]} is said above a probability of {cell_text(model.threshold)}"
    metric, every = judged_by(model.facts), model.facts.get("baselines", {})
    better = [better_line(name, metric, every[name][metric]) for name in better_baselines(model.facts)]
    if said := unbeaten(model.facts):
        head = f"beware: {said}\n{head}"
    return f"{head}\n{block(facts | {'in brackets': '95 % intervals for the value on new rows'})}{''.join(better)}"


def better_line(name: str, metric: str, found: Mapping[str, float | None]) -> str:
    """Return the line on a baseline that has a better test metric than the model."""
    low, high = (float("nan") if found[end] is None else found[end] for end in ("low", "high"))
    return f"better: {name} at scikit-learn's defaults, {metric} {interval_text(found['value'], low, high)}\n"


def sureness(best: Best) -> str:
    """Describe the evidence behind the best config."""
    if not best.confirmed:
        return "its values are exact" if best.get("model") == "surface" else "not confirmed"
    seeds, foreign = best.confirmation["seeds"], best.provenance.get("task") == "own"
    if foreign and not best.confirmation["test"]:
        note = "the objective tells no test_* metrics: these are validation values, on the data of the search"
        return f"chosen on {seeds} fresh seeds, reported on {seeds} more ({note})"
    fresh = fresh_words(best.confirmation["splits"] == "fresh", foreign)
    chosen = best.confirmation.get("chosen_on", seeds)
    if "search_splits" in best.confirmation:
        searched = best.confirmation["search_splits"]
        return f"chosen on {searched} splits of the search and {chosen} fresh ones, reported on {seeds} more"
    return f"chosen on {chosen} {fresh}, reported on {seeds} more"


def values_of(best: Best) -> dict[str, str]:
    """Format the goal and the test metrics, with their intervals and what those are of."""
    if not best.confirmed:
        return {best.metric: cell_text(best.value)}
    said = best.confirmation
    facts = {best.metric: f"{fresh_mean(best)}   (search: {cell_text(best.value)})"}
    tests = {name: interval_text(test["mean"], test["low"], test["high"]) for name, test in said["test"].items()}
    known = {best.metric: said, **said["test"]}.items()
    sure = intervals_of({name: str(one.get("interval_of", "")) for name, one in known if isfinite(one["low"])})
    return facts | {name: shown for name, shown in tests.items() if shown} | ({"in brackets": sure} if sure else {})


def epochs_of(best: Best) -> str:
    """Say how long to train, and the schedule's horizon where it differs."""
    horizon = best.training["horizon"]
    return str(best.epochs) if best.epochs == horizon else f"{best.epochs} of {horizon}"


def cost_block(cost: Cost, startup: float, foreign: bool = False) -> str:
    """List where the seconds went; the import of a custom objective has its own line."""
    spent = cost.search
    training = f"{spent.training:.2f} s, all workers together"
    own = f"{spent.overhead:.2f} s, {1000 * spent.overhead / max(cost.trials, 1):.2f} ms a trial"
    rest = cost.wall - cost.preparation - spent.wall - cost.confirmation - cost.refit
    facts = {
        "start-up": f"{startup:.2f} s",
        "objective" if foreign else "data": f"{cost.preparation:.2f} s",
        "search": f"{spent.wall:.2f} s" if cost.trials else "nothing was left to do",
        **({"  training": training, "  tuner's own": own} if cost.trials else {}),
        "confirmation": f"{cost.confirmation:.2f} s",
        "results": f"{max(rest, 0.0):.2f} s",
        **({"refit": f"{cost.refit:.2f} s"} if cost.refit else {}),
    }
    return f"cost: {cost.wall + startup:.2f} s\n{block(facts)}"
