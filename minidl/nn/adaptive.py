"""``AdaptiveLogSoftmaxWithLoss``: softmax over many classes, of which few are frequent."""

from typing import NamedTuple

from minidl.autograd import Tensor
from minidl.nn.containers import ModuleList, Sequential
from minidl.nn.linear import Linear
from minidl.nn.module import Module
from minidl.ops.joining import cat
from minidl.ops.selection import where
from minidl.ops.softmax import log_softmax

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """The log-probability of each target, and minus their mean."""

    output: Tensor
    loss: Tensor


def _checked_cutoffs(cutoffs, n_classes):
    cutoffs = list(cutoffs)
    if not cutoffs:
        raise ValueError("cutoffs should be a sequence of length larger than 0")
    whole = all(int(c) == c for c in cutoffs)
    if not whole or cutoffs != sorted(set(cutoffs)) or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1:
        raise ValueError(
            "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value "
            "is between 1 and n_classes-1"
        )
    return cutoffs


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax of ``n_classes`` classes in order of their frequency, in a head and clusters split at ``cutoffs``.

    log p(c) = log_softmax(head(x))[c] of a frequent class c < cutoffs[0], else log_softmax(head(x))[cutoffs[0] + i] +
    log_softmax(tail_i(x))[c - cutoffs[i]] of one in cluster i. Only the clusters in which a target lies are computed.

    Shapes: input (N, in_features) with target (N,) of class indices, or (in_features,) with (); output (N,) or (), loss
    (). Parts: ``head``, a Linear to cutoffs[0] + clusters, with a bias for ``head_bias``; ``tail``, for each cluster
    two Linear without bias, through in_features / div_value^(i + 1) features.

    Raises ``ValueError`` for cutoffs that do not increase between 1 and n_classes - 1, ``RuntimeError`` for shapes that
    do not fit and targets out of range.
    Source: E. Grave et al., "Efficient softmax approximation for GPUs", 2017.

    >>> import minidl
    >>> layer = minidl.nn.AdaptiveLogSoftmaxWithLoss(16, 100, cutoffs=[10, 50])
    >>> output, loss = layer(minidl.ones(3, 16), minidl.tensor([3, 20, 99]))
    >>> output.shape, loss.shape, layer.log_prob(minidl.ones(3, 16)).shape
    (torch.Size([3]), torch.Size([]), torch.Size([3, 100]))
    """

    def __init__(
        self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None
    ):
        super().__init__()
        cutoffs = _checked_cutoffs(cutoffs, n_classes)
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        own = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **own)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(self._clusters()):
            inner = int(in_features // div_value ** (i + 1))
            first = Linear(in_features, inner, False, **own)
            self.tail.append(Sequential(first, Linear(inner, high - low, False, **own)))

    def _clusters(self):
        """(first class, last class + 1) of each cluster."""
        return list(zip(self.cutoffs[:-1], self.cutoffs[1:], strict=True))

    def reset_parameters(self):
        """Draws all weights anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input, target):
        _check_shapes(input, target)
        if target.ndim == 0:
            output, loss = self(input.unsqueeze(0), target.unsqueeze(0))
            return _ASMoutput(output.squeeze(0), loss)
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{int(target.min())}, "
                f"{int(target.max())}] were found. "
            )
        column, parts = target, []
        for i, (low, high) in enumerate(self._clusters()):
            inside = (target >= low) & (target < high)
            column = where(inside, self.shortlist_size + i, column)
            rows = inside.nonzero().squeeze(1)
            if rows.numel():
                local = log_softmax(self.tail[i](input.index_select(0, rows)), 1)
                own = (target.index_select(0, rows) - low).unsqueeze(1)
                parts.append((rows, local.gather(1, own).squeeze(1)))
        output = log_softmax(self.head(input), 1).gather(1, column.unsqueeze(1)).squeeze(1)
        for rows, local in parts:
            output = output.index_add(0, rows, local)
        return _ASMoutput(output, -output.mean())

    def _full_log_prob(self, input, head_output):
        """(N, n_classes), from what the head gives for the input."""
        heads = log_softmax(head_output, 1)
        parts = [heads[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            own = self.shortlist_size + i
            parts.append(log_softmax(tail(input), 1) + heads[:, own : own + 1])
        return cat(parts, 1)

    def log_prob(self, input):
        """The log-probabilities of all classes: input (N, in_features), output (N, n_classes)."""
        return self._full_log_prob(input, self.head(input))

    def predict(self, input):
        """The class of the largest probability: input (N, in_features), output (N,).

        It is that of the head where the head names a class, and of all classes where it names a cluster.

        >>> import minidl
        >>> layer = minidl.nn.AdaptiveLogSoftmaxWithLoss(4, 10, cutoffs=[5])
        >>> layer.predict(minidl.ones(3, 4)).shape
        torch.Size([3])
        """
        head_output = self.head(input)
        output = head_output.argmax(1)
        rows = (output >= self.shortlist_size).nonzero().squeeze(1)
        if not rows.numel():
            return output
        full = self._full_log_prob(input.index_select(0, rows), head_output.index_select(0, rows))
        return output.index_copy(0, rows, full.argmax(1))


def _check_shapes(input, target):
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.ndim == 1 and input.shape[:1] != target.shape:
        raise RuntimeError("Input and target should have the same size in the batch dimension.")
    if input.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with size "
            f"{input.shape}"
        )
