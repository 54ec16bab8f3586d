"""The demo's networks."""

from minidl import nn


class RowsLSTM(nn.Module):
    """Reads an image (N, 1, H, W) as a sequence of H rows of W pixels; classifies by the last hidden state."""

    def __init__(self, width, classes):
        super().__init__()
        self.lstm = nn.LSTM(width, 64, batch_first=True)
        self.head = nn.Linear(64, classes)

    def forward(self, images):
        rows, _ = self.lstm(images.squeeze(1))
        return self.head(rows[:, -1])


def lenet(height, width, classes):
    """A LeNet-style CNN: two convolutions with pooling, two linear layers; batch norm and dropout steady the training.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * (height // 4) * (width // 4), 64),
        nn.ReLU(),
        nn.Linear(64, classes),
    )


def build(name, height, width, classes):
    """The network called ``name``: cnn, mlp or lstm."""
    if name == "cnn":
        return lenet(height, width, classes)
    if name == "lstm":
        return RowsLSTM(width, classes)
    return nn.Sequential(nn.Flatten(), nn.Linear(height * width, 128), nn.ReLU(), nn.Linear(128, classes))
