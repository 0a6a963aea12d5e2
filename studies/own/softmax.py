"""Softmax regression on digits as a program: it takes options, and prints a line of JSON after each epoch."""

import argparse
import json

from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

options = argparse.ArgumentParser()
options.add_argument("--rate", type=float)
options.add_argument("--penalty", type=float)
options.add_argument("--average", choices=["yes", "no"])
options.add_argument("--epochs", type=int)
options.add_argument("--seed", type=int)
asked = options.parse_args()

x, y = load_digits(return_X_y=True)
x_train, x_valid, y_train, y_valid = train_test_split(x / 16, y, test_size=0.3, random_state=asked.seed, stratify=y)
model = SGDClassifier(
    loss="log_loss",
    learning_rate="constant",
    eta0=asked.rate,
    alpha=asked.penalty,
    average=asked.average == "yes",
    random_state=asked.seed,
)
for epoch in range(1, asked.epochs + 1):
    model.partial_fit(x_train, y_train, classes=range(10))
    loss = log_loss(y_valid, model.predict_proba(x_valid))
    print(json.dumps({"epoch": epoch, "valid_loss": loss}), flush=True)
