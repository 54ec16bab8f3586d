"""The networks of the training steps, written once: ``nn`` is minidl's or PyTorch's."""

import itertools

LENET_WEIGHTS = 6 * 25 + 16 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10
LENET_FLOPS = 2 * (28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10)


def mlp(nn, layers):
    """Linear layers with ReLU between them."""
    parts = []
    for inputs, outputs in itertools.pairwise(layers):
        parts += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def lenet(nn):
    """LeNet-5 on (N, 1, 28, 28), with ReLU and max-pooling.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998.
    """
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def _block(nn, inputs, outputs, stride):
    """Two convolutions with batch norm beside a shortcut. Source: He et al., "Deep residual learning", 2016."""
    relu = nn.functional.relu

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(outputs)
            self.shortcut = None
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            y = relu(self.norm1(self.conv1(x)))
            y = self.norm2(self.conv2(y))
            return relu(y + (x if self.shortcut is None else self.shortcut(x)))

    return Block()


_STAGES = ((16, 16, 1, 32), (16, 16, 1, 32), (16, 32, 2, 16), (32, 32, 1, 16), (32, 64, 2, 8), (64, 64, 1, 8))


def _resnet_layers():
    """(inputs, outputs, kernel, side of the output) of every convolution."""
    yield 3, 16, 3, 32
    for inputs, outputs, stride, side in _STAGES:
        yield inputs, outputs, 3, side
        yield outputs, outputs, 3, side
        if stride != 1:
            yield inputs, outputs, 1, side


RESNET_WEIGHTS = sum(i * o * k * k for i, o, k, _ in _resnet_layers()) + 640
RESNET_FLOPS = 2 * sum(i * o * k * k * side**2 for i, o, k, side in _resnet_layers()) + 2 * 640


def resnet(nn):
    """ResNet-14 on (N, 3, 32, 32): stages of 16, 32 and 64 channels, two blocks each."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        *(_block(nn, inputs, outputs, stride) for inputs, outputs, stride, _ in _STAGES),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def lstm_classifier(nn, inputs, hidden, classes):
    """An LSTM over (N, T, I) and a linear layer on its last output."""

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(inputs, hidden, batch_first=True)
            self.head = nn.Linear(hidden, classes)

        def forward(self, rows):
            return self.head(self.lstm(rows)[0][:, -1])

    return Classifier()


def transformer_cost(batch, steps, width, layers, heads, words):
    """(flops, elements) of a training step: 12 width^2 weights a layer, two products of attention."""
    weights = layers * 12 * width**2 + words * width
    return 6 * batch * steps * weights + 12 * layers * batch * steps**2 * width, 10 * weights


def _attention(nn, width, heads, attend, softmax):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

        def forward(self, x, mask):
            n, t, c = x.shape
            qkv = self.qkv(x).reshape(n, t, 3, heads, c // heads).permute(2, 0, 3, 1, 4)
            q, k, v = qkv[0], qkv[1], qkv[2]
            if attend is not None:
                y = attend(q, k, v, is_causal=True)
            else:
                scores = (q @ k.transpose(-2, -1)) * (c // heads) ** -0.5
                y = softmax(scores.masked_fill(mask, float("-inf")), -1) @ v
            return self.out(y.transpose(1, 2).reshape(n, t, c))

    return Attention()


def _transformer_block(nn, width, heads, attend):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = _attention(nn, width, heads, attend, nn.functional.softmax)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x, mask):
            x = x + self.attention(self.norm1(x), mask)
            return x + self.mlp(self.norm2(x))

    return Block()


def transformer(lib, steps, width, layers, heads, words, attend=None):
    """A causal character model, (N, T) to (N, T, words). ``mask`` (True where not to look) is the caller's to set.

    ``attend`` is a fused attention to use instead of products and a softmax.
    Source: Vaswani et al., "Attention is all you need", 2017; layer norms first as in GPT-2.
    """
    nn = lib.nn

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.word, self.place = nn.Embedding(words, width), nn.Embedding(steps, width)
            self.blocks = nn.ModuleList([_transformer_block(nn, width, heads, attend) for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words)
            self.mask = None

        def forward(self, text):
            x = self.word(text) + self.place.weight
            for block in self.blocks:
                x = block(x, self.mask)
            return self.head(self.norm(x))

    return Transformer()
