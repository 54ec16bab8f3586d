"""The demo's training loop and evaluation: what a user of the library writes."""

import minidl
from minidl import nn, optim
from minidl.demo.progress import Progress
from minidl.utils.data import DataLoader, TensorDataset


def evaluate(model, images, labels, batch_size=500):
    """Mean loss, accuracy and predicted classes of ``model`` on ``images`` (N, 1, H, W)."""
    model.eval()
    total, predictions = 0.0, []
    with minidl.no_grad():
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            scores = model(images[part])
            total += nn.functional.cross_entropy(scores, labels[part], reduction="sum").item()
            predictions.append(scores.argmax(1))
    predicted = minidl.cat(predictions)
    return total / len(images), (predicted == labels).float().mean().item(), predicted


def train(model, images, labels, test_images, test_labels, epochs, batch_size=32, lr=4e-3):
    """Trains with Adam and cross entropy; returns the history: a list of dicts of losses and accuracies,
    one an epoch.
    """
    loader = DataLoader(TensorDataset(images, labels), batch_size=batch_size, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    criterion = nn.CrossEntropyLoss()
    history = []
    for epoch in range(1, epochs + 1):
        model.train()
        progress, total, right = Progress(epoch, epochs, len(loader)), 0.0, 0
        for batch, targets in loader:
            optimizer.zero_grad()
            scores = model(batch)
            loss = criterion(scores, targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
            right += (scores.argmax(1) == targets).sum().item()
            progress.step()
        schedule.step()
        test_loss, test_accuracy, _ = evaluate(model, test_images, test_labels)
        history.append({
            "loss": total / len(images), "accuracy": right / len(images),
            "test_loss": test_loss, "test_accuracy": test_accuracy,
        })  # fmt: skip
        progress.done(
            f"loss {total / len(images):.4f}  accuracy {right / len(images):.4f}  "
            f"held-out loss {test_loss:.4f}  held-out accuracy {test_accuracy:.4f}"
        )
    return history
