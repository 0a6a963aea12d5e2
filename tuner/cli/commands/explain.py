"""`tuner explain METHOD`: an optimizer from its row: the formula, its hyperparameters, when to use it, who differs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from tuner.cli.options import as_examples
from tuner.cli.output import window

if TYPE_CHECKING:
    from objectives.optimizers import Convention, Hyper, Optimizer

__all__ = ["explain"]

WHOLE = (
    "Sees all train rows: batch size, schedule and clipping do not apply, an epoch is one iteration, and every "
    "evaluation of loss, gradient and Hessian is counted."
)
EPS = {
    "outside": "eps is added to the root, after the correction for the start",
    "hat": 'eps is added to the root before the correction for the start ("epsilon hat")',
    "inside": "eps is added under the root",
    "corrected": "the greatest of the corrected averages is taken",
}


@click.command(epilog=as_examples("tuner explain adam"))
@click.argument("method", required=False)
def explain(method: str | None) -> None:
    """Explain an optimizer.

    Its formula, its hyperparameters, when to use it and how frameworks differ. Without METHOD, list them all.
    """
    from objectives.optimizers import OPTIMIZERS

    if method is None:
        print(listed())
        return
    if method not in OPTIMIZERS:
        from tuner.study import suggest

        raise click.UsageError(f"no optimizer {method!r}; {suggest(method, OPTIMIZERS)}")
    print(page(OPTIMIZERS[method]))


def listed() -> str:
    """List every optimizer in a line, whole-batch methods first."""
    from objectives.optimizers import OPTIMIZERS

    widest = max(map(len, OPTIMIZERS))
    blocks = []
    for head, whole in (("see all train rows at each step", True), ("go by minibatches", False)):
        rows = [row for row in OPTIMIZERS.values() if row.whole == whole]
        blocks.append("\n".join([head, *(f"  {row.name:{widest}}  {row.summary}" for row in rows)]))
    return "\n\n".join(blocks)


def page(row: Optimizer) -> str:
    """Write everything that an optimizer's registry row says."""
    step = "\n".join(["a step", *(f"  {part}" for part in row.formula.split("; "))])
    blocks = [f"{row.name}: {row.summary}", step, block("use it", row.use)]
    blocks += [block("not to be mistaken", row.apart)] if row.apart else []
    lines = [line for hyper in row.hypers for line in hyper_lines(hyper)]
    lines += [line for flag in row.flags for line in (f"  {flag.name}", f"      {flag.summary}; off unless asked for")]
    blocks += ["hyperparameters\n" + "\n".join(lines)] if lines else ["hyperparameters\n  none"]
    if row.whole:
        blocks.append(block("counting", WHOLE))
    else:
        blocks.append("frameworks\n" + "\n".join(framework_lines(row)))
    return "\n\n".join(blocks)


def block(head: str, text: str) -> str:
    """Write a heading with a paragraph below."""
    return f"{head}\n{textwrap.fill(text, window(), initial_indent='  ', subsequent_indent='  ')}"


def hyper_lines(hyper: Hyper) -> list[str]:
    """Describe a hyperparameter: its default, what may be searched, and what it does."""
    from objectives.hyperparameter import ALWAYS, ASKED

    scale = {"log": "log", "log1m": "log of 1 - value", "linear": "linear"}[hyper.scale]
    when = "always" if hyper.tier <= ALWAYS else f"from {hyper.tier} trials"
    when = "only where a study asks for it" if hyper.tier >= ASKED else when
    facts = f"default {hyper.default:g}; searched {when}, from {hyper.low:g} to {hyper.high:g} ({scale})"
    return [f"  {hyper.name}", f"      {hyper.meaning}", f"      {facts}; valid in {hyper.valid}"]


def framework_lines(row: Optimizer) -> list[str]:
    """Describe each framework's convention, or say that it lacks the optimizer."""
    from objectives.optimizers import FRAMEWORKS

    widest = max(map(len, FRAMEWORKS))
    own = {name: "; ".join(differences(row, row.frameworks[name])) for name in FRAMEWORKS if name in row.frameworks}
    return [
        textwrap.fill(
            own.get(name, f"has no {row.name}") or "the same",
            window(),
            initial_indent=f"  {name:{widest}}  ",
            subsequent_indent=" " * (widest + 4),
        )
        for name in FRAMEWORKS
    ]


def differences(row: Optimizer, convention: Convention) -> list[str]:
    """Describe a framework's convention of a rule in phrases."""
    said = [EPS[convention.eps]] if "eps" in row.names else []
    if "momentum" in row.names:
        inside = "the buffer holds steps, with the rate of their time"
        said.append(inside if convention.buffered else "the buffer holds gradients, the rate is applied afterwards")
    if "weight_decay" in row.names and "weight_decay" not in convention.fixed:
        coupled = "weight decay adds to the gradient"
        said.append("weight decay shrinks the weights directly" if convention.decoupled else coupled)
    said += [f"{name} is {value:g}: {convention.why}" for name, value in convention.fixed.items()]
    return said
