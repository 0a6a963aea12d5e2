"""Words that people guess, and the right ones: hints for names that are not known."""

from __future__ import annotations

from collections.abc import Collection

from objectives.errors import nearest

__all__ = ["GUESSES", "guessed", "shown", "suggest"]

# What other tuners and frameworks call it -> what it is called here; the first that fits the place is offered.
GUESSES: dict[str, tuple[str, ...]] = {
    "acc": ("valid_accuracy",),
    "accuracy": ("valid_accuracy",),
    "ap": ("valid_average_precision",),
    "auc": ("valid_auc",),
    "aucpr": ("valid_average_precision",),
    "auroc": ("valid_auc",),
    "average_precision": ("valid_average_precision",),
    "balanced_accuracy": ("valid_balanced_accuracy",),
    "algorithm": ("sampler",),
    "alpha": ("rho",),
    "b1": ("beta1",),
    "b2": ("beta2",),
    "batch": ("batch_size",),
    "batchsize": ("batch_size",),
    "beta_1": ("beta1",),
    "beta_2": ("beta2",),
    "bayes": ("tpe",),
    "bayesian": ("tpe",),
    "betas": ("beta1",),
    "bohb": ("tpe", "hyperband"),
    "budget": ("trials",),
    "categorical": ("choices",),
    "classification": ("multiclass",),
    "csv": ("source",),
    "cma_es": ("cmaes",),
    "dataset": ("data", "source"),
    "delimiter": ("separator",),
    "delta": ("huber_delta",),
    "direction": ("minimize",),
    "drop": ("dropout",),
    "dropout_rate": ("dropout",),
    "early_stopping": ("patience",),
    "epsilon": ("eps",),
    "eta": ("lr", "reduction"),
    "evolution": ("cmaes",),
    "f1": ("valid_f1",),
    "f1_macro": ("valid_f1",),
    "f1_score": ("valid_f1",),
    "file": ("source",),
    "gaussian": ("gp",),
    "gaussian_process": ("gp",),
    "grid_search": ("grid",),
    "groups": ("group",),
    "gamma": ("momentum",),
    "glorot_uniform": ("glorot",),
    "goal": ("minimize",),
    "heavy_ball": ("momentum",),
    "hidden_layer_sizes": ("hidden",),
    "hidden_layers": ("hidden",),
    "hidden_sizes": ("hidden",),
    "asha": ("halving",),
    "initial_accumulator_value": ("initial_accumulator",),
    "initialization": ("init",),
    "initialisation": ("init",),
    "initializer": ("init",),
    "kaiming": ("torch",),
    "l1": ("absolute_error",),
    "l1_loss": ("absolute_error",),
    "l2": ("weight_decay",),
    "label": ("target",),
    "layers": ("hidden",),
    "learning_rate": ("lr",),
    "log_loss": ("valid_loss",),
    "logloss": ("valid_loss",),
    "logistic": ("linear", "binary"),
    "loss": ("valid_loss",),
    "sample_weight": ("weight",),
    "sample_weights": ("weight",),
    "weights": ("weight",),
    "lower": ("low",),
    "lr_scheduler": ("schedule",),
    "mae": ("valid_mae", "absolute_error"),
    "mape": ("valid_mape",),
    "matthews": ("valid_mcc",),
    "matthews_corrcoef": ("valid_mcc",),
    "max": ("high",),
    "max_epochs": ("epochs",),
    "max_iter": ("epochs",),
    "max_trials": ("trials",),
    "maximise": ("maximize",),
    "metric": ("minimize",),
    "min": ("low",),
    "minimise": ("minimize",),
    "mcc": ("valid_mcc",),
    "mse": ("squared_error", "valid_rmse"),
    "mu": ("momentum",),
    "n_epochs": ("epochs",),
    "n_iter_no_change": ("patience",),
    "n_trials": ("trials",),
    "na_values": ("missing",),
    "nag": ("nesterov",),
    "nop": ("none",),
    "off": ("none",),
    "percentile": ("median",),
    "network": ("mlp",),
    "num_epochs": ("epochs",),
    "num_trials": ("trials",),
    "objective": ("minimize",),
    "optimiser": ("optimizers",),
    "optimisers": ("optimizers",),
    "optimizer": ("optimizers",),
    "options": ("choices",),
    "path": ("source",),
    "patience": ("no_gain",),
    "random_search": ("random",),
    "random_seed": ("seed",),
    "random_state": ("seed",),
    "reduction_factor": ("reduction",),
    "replicates": ("seeds",),
    "pr_auc": ("valid_average_precision",),
    "psi": ("momentum_decay",),
    "rho": ("alpha",),
    "rmse": ("valid_rmse",),
    "roc_auc": ("valid_auc",),
    "r2": ("valid_r2",),
    "scheduler": ("schedule",),
    "sep": ("separator",),
    "smooth_l1": ("huber",),
    "softmax": ("linear", "multiclass"),
    "sobol": ("qmc",),
    "successive_halving": ("halving",),
    "successivehalving": ("halving",),
    "timeout": ("seconds",),
    "time": ("seconds",),
    "tol": ("min_delta",),
    "training": ("train",),
    "type": ("kind",),
    "upper": ("high",),
    "val": ("valid",),
    "val_acc": ("valid_accuracy",),
    "val_accuracy": ("valid_accuracy",),
    "val_auc": ("valid_auc",),
    "val_f1": ("valid_f1",),
    "val_loss": ("valid_loss",),
    "val_mae": ("valid_mae",),
    "val_r2": ("valid_r2",),
    "val_rmse": ("valid_rmse",),
    "valid_log_loss": ("valid_loss",),
    "valid_mse": ("valid_rmse",),
    "valid_roc_auc": ("valid_auc",),
    "validation": ("valid",),
    "validation_loss": ("valid_loss",),
    "values": ("choices",),
    "wall_time": ("seconds",),
    "wd": ("weight_decay",),
    "xavier": ("glorot",),
}


def guessed(name: object, options: Collection[str]) -> str | None:
    """Return the option that is meant by another word, or by the same one in capitals; None where there is none."""
    word = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    stem = word.removesuffix("sampler").removesuffix("pruner")
    candidates = (word, *GUESSES.get(word, ()), stem, *GUESSES.get(stem, ()))
    return next((candidate for candidate in candidates if candidate in options), None)


def suggest(name: object, options: Collection[str]) -> str:
    """Suggest the option that is meant: a known synonym, the nearest spelling, or all of them."""
    meant = guessed(name, options)
    return f"did you mean {meant!r}?" if meant else nearest(name, options)


def shown(value: object) -> str:
    """Format a value for messages: on one line, escaped, at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes out
        return f"a {type(value).__name__} too long to show"
    return text if len(text) <= 60 else f"{text[:57]}..."
