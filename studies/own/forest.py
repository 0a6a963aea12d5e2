"""A forest on measurements of tumours, in scikit-learn: an objective that returns what it is to be judged by."""

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_validate


def train(config):
    """Five-fold cross-validation."""
    x, y = load_breast_cancer(return_X_y=True)
    forest = ExtraTreesClassifier(
        n_estimators=config["trees"],
        max_features=config["share"],
        min_samples_leaf=config["leaf"],
        bootstrap=config["bootstrap"],
        random_state=config["seed"],
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=config["seed"])
    scores = cross_validate(forest, x, y, cv=folds, scoring=["neg_log_loss", "accuracy"])
    return {"valid_loss": -scores["test_neg_log_loss"].mean(), "valid_accuracy": scores["test_accuracy"].mean()}
