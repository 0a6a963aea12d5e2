"""`OPTIMIZERS`: one row for each, whole-batch methods first, in the order in which one is built upon the other."""

from __future__ import annotations

from objectives.full_batch import METHODS
from objectives.hyperparameter import Flag, Hyper
from objectives.optimizers.adam import adam_rule, adamax_rule, amsgrad_rule, nadam_rule
from objectives.optimizers.adaptive import adadelta_rule, adagrad_rule, rmsprop_rule
from objectives.optimizers.definition import Convention, Optimizer
from objectives.optimizers.frameworks import CONVENTIONS, FRAMEWORKS
from objectives.optimizers.hyperparameters import (
    AHEAD,
    ALPHA,
    BETA1,
    BETA2,
    L2,
    MOMENTUM,
    NO_MOMENTUM,
    PSI,
    RHO,
    SHRINK,
    SPREAD,
    START,
    eps,
    rate,
)
from objectives.optimizers.momentum import momentum_rule, nesterov_rule, sgd_rule

__all__ = ["FRAMEWORKS", "OPTIMIZERS", "RULES"]


def _whole(name: str, summary: str, *hypers: Hyper, flags: tuple[Flag, ...] = (), **words: str) -> Optimizer:
    """Build the row of a whole-batch method, which is the same in every framework."""
    everywhere = dict.fromkeys(FRAMEWORKS, Convention())
    return Optimizer(name, summary, hypers, None, everywhere, flags, (), METHODS[name], **words)


_AVERAGES = (BETA1, BETA2, eps(1e-8))
_ADAM = (rate(1e-3, 1e-5, 0.1), *_AVERAGES)
_SLOWER = (rate(2e-3, 1e-5, 0.1), *_AVERAGES)  # torch's default for adamax and nadam
_BALL = (rate(0.01, 1e-4, 3.0), MOMENTUM, L2)
_BALL_AHEAD = (_BALL[0], AHEAD, L2)
_ROWS = (
    _whole(
        "random_weights",
        "the best of N random vectors of weights",
        SPREAD,
        formula="draw p; keep it if the training loss is lower than the lowest so far",
        use="as a floor: a model that does not beat it has learned nothing",
        apart='It searches over weights, with hyperparameters fixed. `sampler = "random"` in [search] searches over '
        "hyperparameters, and trains the weights of each.",
    ),
    _whole(
        "finite_differences",
        "steps down a slope that is measured, one weight at a time",
        rate(0.1, 1e-3, 10.0),
        L2,
        flags=(Flag("forward", "one-sided differences: half the evaluations, half the digits"),),
        formula="d_i = (f(p + h e_i) - f(p - h e_i)) / 2h; p = p - lr d",
        use="where there is no derivative, and to check one; a step costs two evaluations for every weight",
        apart="It needs no derivative and is only as exact as rounding allows; `gradient_descent` makes the same steps "
        "from the analytic gradient, at the cost of about three evaluations.",
    ),
    _whole(
        "gradient_descent",
        "steps of a fixed rate down the analytic gradient of all rows",
        rate(0.1, 1e-3, 10.0),
        L2,
        formula="p = p - lr g, with g the gradient over all train rows",
        use="small data and smooth problems; one step an epoch, so minibatches are usually far ahead at equal cost",
        apart="The gradient says which way is down, not how far: the rate does. Newton-Raphson takes the distance from "
        "the curvature, and has no rate.",
    ),
    _whole(
        "steepest",
        "steps down the gradient, as long as they pay",
        L2,
        formula="p = p - t g, with t halved until the value falls by enough (Armijo)",
        use="as gradient descent without a rate to tune; it zigzags in narrow valleys all the same",
    ),
    _whole(
        "newton",
        "Newton-Raphson, damped, with the exact Hessian",
        L2,
        formula="p = p - t (H + damping I)^-1 g, with t halved until the value falls by enough",
        use="linear, logistic and softmax regression of up to 5,000 weights: the true optimum in some ten iterations",
        apart="It uses the gradient and the Hessian, and jumps to where a quadratic with both would be flat. Following "
        "the analytic gradient uses the gradient alone.",
    ),
    _whole(
        "lbfgs",
        "curvature from the last ten steps, with a strong Wolfe line search",
        L2,
        formula="p = p - t B g, with B from the last 10 changes of p and g",
        use="the best of the whole-batch methods on small data, networks included",
    ),
    Optimizer(
        "sgd",
        "a step against the gradient",
        (rate(0.1, 1e-4, 3.0), L2),
        sgd_rule,
        CONVENTIONS["sgd"],
        formula="p = p - lr g, with g the gradient over a minibatch",
        use="as a baseline, and where its noise helps; with a schedule it is often enough",
        apart="`gradient_descent` sees all rows for each step; sgd takes a step for every minibatch, many an epoch.",
    ),
    Optimizer(
        "momentum",
        "a step along a decaying sum of gradients (heavy ball)",
        _BALL,
        momentum_rule,
        CONVENTIONS["momentum"],
        formula="b = momentum b + g; p = p - lr b",
        use="networks with time to tune the rate; its effective rate is lr / (1 - momentum)",
    ),
    Optimizer(
        "nesterov",
        "momentum that already counts the coming step",
        _BALL_AHEAD,
        nesterov_rule,
        CONVENTIONS["nesterov"],
        formula="b = momentum b + g; p = p - lr (g + momentum b)",
        use="wherever momentum is used: rarely worse, often steadier at high momentum",
    ),
    Optimizer(
        "rmsprop",
        "each weight's step divided by its recent gradient size",
        (rate(1e-2, 1e-5, 0.1), ALPHA, eps(1e-8), NO_MOMENTUM, L2),
        rmsprop_rule,
        CONVENTIONS["rmsprop"],
        flags=(Flag("centered", "divide by the gradients' deviation from their mean"),),
        switches=("centered", "momentum", "weight_decay"),
        formula="v = alpha v + (1 - alpha) g^2; p = p - lr g / (sqrt(v) + eps)",
        use="gradients of very different sizes; its first steps are long: lr / sqrt(1 - alpha)",
    ),
    Optimizer(
        "adagrad",
        "each weight's step divided by the size of all its gradients so far",
        (rate(1e-2, 1e-3, 3.0), START, eps(1e-10), L2),
        adagrad_rule,
        CONVENTIONS["adagrad"],
        switches=("initial_accumulator", "weight_decay"),
        formula="G = G + g^2; p = p - lr g / (sqrt(G) + eps)",
        use="sparse inputs and convex problems; its steps only ever get shorter",
    ),
    Optimizer(
        "adadelta",
        "each weight's step as large as its recent steps, for its recent gradients",
        (rate(1.0, 1e-2, 10.0), RHO, eps(1e-6), L2),
        adadelta_rule,
        CONVENTIONS["adadelta"],
        formula="v = rho v + (1 - rho) g^2; d = g sqrt(u + eps) / sqrt(v + eps); u = rho u + (1 - rho) d^2; "
        "p = p - lr d",
        use="rarely; it starts slowly, because eps sets the size of its first steps",
    ),
    Optimizer(
        "adam",
        "momentum divided by recent gradient size, both corrected for their start",
        (*_ADAM, L2),
        adam_rule,
        CONVENTIONS["adam"],
        formula="m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; "
        "p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)",
        use="as a first choice for networks: its defaults do well on most, quick at the start",
    ),
    Optimizer(
        "adamw",
        "adam with weight decay that shrinks the weights directly",
        (*_ADAM, SHRINK),
        adam_rule,
        CONVENTIONS["adamw"],
        formula="p = (1 - lr weight_decay) p, then a step of adam",
        use="adam with regularisation: here decay is not divided by the gradient's size",
    ),
    Optimizer(
        "amsgrad",
        "adam whose steps are divided by the greatest size so far",
        (*_ADAM, L2),
        amsgrad_rule,
        CONVENTIONS["amsgrad"],
        formula="adam with max(v so far) in place of v",
        use="where adam's steps grow again late in training",
    ),
    Optimizer(
        "adamax",
        "momentum divided by the greatest recent gradient, which slowly fades",
        (*_SLOWER, L2),
        adamax_rule,
        CONVENTIONS["adamax"],
        formula="m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); p = p - lr / (1 - beta1^t) m / u",
        use="rarely; where single large gradients upset adam",
    ),
    Optimizer(
        "nadam",
        "adam that already counts the coming step",
        (*_SLOWER, PSI, L2),
        nadam_rule,
        CONVENTIONS["nadam"],
        formula="adam with nesterov's momentum, which rises from half of beta1: "
        "mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)",
        use="in place of adam, as nesterov is in place of momentum",
    ),
)
OPTIMIZERS: dict[str, Optimizer] = {row.name: row for row in _ROWS}
RULES: dict[str, Optimizer] = {row.name: row for row in _ROWS if not row.whole}
