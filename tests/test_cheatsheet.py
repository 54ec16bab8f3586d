"""The usual PyTorch training program runs with ``import minidl as torch``, and trains."""

import minidl as torch
import minidl.nn as nn
import minidl.optim as optim


class SimpleNN(nn.Module):
    def __init__(self, input_size):
        super(SimpleNN, self).__init__()  # noqa: UP008  (as the programs of that style have it)
        self.fc1 = nn.Linear(input_size, 64)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, 1)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        return self.sigmoid(self.fc3(x))


def test_a_binary_classifier_trains():
    inputs = torch.randn(256, 8)
    targets = (inputs.sum(1, keepdim=True) > 0).float()
    model = SimpleNN(8)
    criterion = nn.BCELoss()
    optimizer = optim.Adam(model.parameters(), lr=0.001)
    losses = []
    for _ in range(200):
        model.train()
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    assert ((model(inputs) > 0.5).float() == targets).float().mean().item() > 0.97
