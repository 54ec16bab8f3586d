"""Whole models train with the CUDA kernels as on the CPU: the same losses, the same weights."""

import numpy as np
import pytest

import minidl
from minidl import backends, nn, optim

SIZE, CLASSES = 8, 3


def mlp():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(SIZE * SIZE, 16),
        nn.Tanh(),
        nn.Linear(16, 16),
        nn.ReLU(),
        nn.Linear(16, CLASSES),
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.Sigmoid(), nn.Flatten(), nn.Linear(8 * 4, CLASSES),
    )  # fmt: skip


class Rows(nn.Module):
    """Reads an image row by row."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(SIZE, 12, batch_first=True)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, images):
        output, _ = self.lstm(images[:, 0])
        return self.head(output[:, -1])


def images(count=12):
    """Bars: horizontal, vertical or diagonal, with noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES
    pictures = rng.normal(0, 0.3, (count, 1, SIZE, SIZE))
    for picture, label in zip(pictures[:, 0], labels, strict=True):
        at = rng.integers(SIZE)
        picture[[(at, slice(None)), (slice(None), at), np.diag_indices(SIZE)][label]] += 2
    return pictures.astype(np.float32), labels


def train(model, device, optimizer, steps):
    pictures, labels = (minidl.tensor(x, device=device) for x in images())
    model = model.to(device)
    optimizer = optimizer(model.parameters())
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(pictures), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {name: value.to("cpu").numpy() for name, value in model.state_dict().items()}


OPTIMIZERS = {
    "sgd": lambda parameters: optim.SGD(parameters, lr=0.4, momentum=0.9),
    "adam": lambda parameters: optim.Adam(parameters, lr=0.02),
}


@pytest.mark.parametrize("make", [mlp, cnn, Rows])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_trains_as_on_the_cpu(make, optimizer, gpu):
    minidl.manual_seed(0)
    model = make()
    twin = make()
    twin.load_state_dict(model.state_dict())
    with backends.trace_fallbacks() as fallen:
        losses, weights = train(model, gpu, OPTIMIZERS[optimizer], steps=18)
    expected_losses, expected_weights = train(twin, "cpu", OPTIMIZERS[optimizer], steps=18)
    assert losses[-1] < 0.7 * losses[0]
    np.testing.assert_allclose(losses, expected_losses, rtol=2e-3, atol=1e-4)
    assert weights.keys() == expected_weights.keys()
    for name, value in weights.items():
        np.testing.assert_allclose(value, expected_weights[name], rtol=2e-2, atol=2e-3, err_msg=name)
    hot = ("conv", "matmul", "linear", "pool", "lstm", "relu", "tanh", "sigmoid")
    assert not [name for backend, name in fallen if backend == gpu and name.startswith(hot)]
