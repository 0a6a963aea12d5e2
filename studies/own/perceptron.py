"""A network on measurements of wines, in scikit-learn: an objective that yields each epoch, to be stopped there."""

from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def train(config):
    """Yield epoch and metrics, for as long as somebody asks."""
    x, y = load_wine(return_X_y=True)
    x_train, x_valid, y_train, y_valid = train_test_split(x, y, test_size=0.4, random_state=config["seed"], stratify=y)
    scaler = StandardScaler().fit(x_train)
    model = MLPClassifier(
        (config["hidden"],),
        learning_rate_init=config["rate"],
        alpha=config["alpha"],
        batch_size=16,
        random_state=config["seed"],
    )
    for epoch in range(1, config["epochs"] + 1):
        model.partial_fit(scaler.transform(x_train), y_train, classes=[0, 1, 2])
        chances = model.predict_proba(scaler.transform(x_valid))
        yield (
            epoch,
            {
                "valid_loss": log_loss(y_valid, chances),
                "valid_accuracy": accuracy_score(y_valid, chances.argmax(axis=1)),
            },
        )
