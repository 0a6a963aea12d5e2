"""A small convolutional network on images of digits, in PyTorch: training code of one's own, as a study calls it.

`tuner run studies/torch_cnn.toml` tunes it. It goes on from its checkpoint at each rung, and the random numbers of an
epoch follow from seed and epoch alone: where it is cut changes nothing.
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import tuner


def train(config, run):
    """Train epochs `run.start + 1` to `run.stop`, and report each."""
    torch.manual_seed(run.seed)
    model = network(config["channels"], config["dropout"]).to(run.device)
    parts = [[tensor.to(run.device) for tensor in part] for part in images(run.seed)]
    x, y = parts[0]
    steps_per_epoch = -(-len(x) // config["batch_size"])
    optimizer = tuner.optimizer(config, model.parameters(), steps_per_epoch=steps_per_epoch)

    checkpoint = run.directory / "checkpoint.pt"
    if run.start:
        kept = torch.load(checkpoint)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])

    for epoch in range(run.start + 1, run.stop + 1):
        torch.manual_seed(1000 * run.seed + epoch)
        model.train()
        for rows in torch.randperm(len(x)).split(config["batch_size"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        metrics = evaluated(model, *parts[1], "valid")
        if run.phase == "confirm":
            metrics |= evaluated(model, *parts[2], "test")
        run.report(epoch, metrics)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, checkpoint)


def network(channels, dropout):
    """Two convolutions with pooling, and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * channels * 4, 10),
    )  # fmt: skip


def images(seed):
    """Train, validation and test images `(N, 1, 8, 8)` with their digits: the test rows are the same for all seeds."""
    data = load_digits()
    x = torch.tensor(data.images / 8 - 1, dtype=torch.float32).unsqueeze(1)
    y = torch.tensor(data.target)
    rest, test = train_test_split(range(len(x)), test_size=0.2, random_state=0, stratify=data.target)
    fit, valid = train_test_split(rest, test_size=0.25, random_state=seed, stratify=data.target[rest])
    return [(x[rows], y[rows]) for rows in (fit, valid, test)]


def evaluated(model, x, y, name):
    """Loss and accuracy, under the name of what they are of."""
    model.eval()
    with torch.no_grad():
        scores = model(x)
        loss = nn.functional.cross_entropy(scores, y)
    return {f"{name}_loss": loss.item(), f"{name}_accuracy": (scores.argmax(dim=1) == y).float().mean().item()}
