"""``Embedding``: a trained table of vectors, looked up by index; ``EmbeddingBag``: one vector of several."""

from minidl.autograd import no_grad
from minidl.nn import init
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops.create import empty
from minidl.ops.embedding import embedding
from minidl.ops.embedding_bag import embedding_bag

__all__ = ["Embedding", "EmbeddingBag"]


def _refuse_sparse(name, sparse):
    if sparse:
        raise NotImplementedError(
            f"{name}(sparse=True): sparse gradients are not supported. Hint: sparse=False gives a dense one."
        )


def _row(padding_idx, count, spelled):
    """``padding_idx`` counted from the front. Raises ``AssertionError`` where the table has no such row."""
    if padding_idx is None:
        return None
    if not (-count <= padding_idx < count):
        raise AssertionError(f"{spelled} must be within num_embeddings")
    return padding_idx % count


class Embedding(Module):
    """Rows of a table ``weight`` (num_embeddings, embedding_dim) by index.

    Shapes: input (*) of integers in [0, num_embeddings), output (*, embedding_dim). The table starts from N(0, 1), with
    zeros in row ``padding_idx``, which gets no gradient. ``max_norm`` shortens used rows to that ``norm_type``-norm at
    each call. ``scale_grad_by_freq`` divides a row's gradient by its number of uses. ``sparse=True`` is not supported.

    Raises ``IndexError`` for an index out of range, negative ones too; ``AssertionError`` for a padding_idx outside
    [-num_embeddings, num_embeddings), or a ``_weight`` of another shape; ``NotImplementedError`` for ``sparse=True``.

    >>> import minidl
    >>> layer = minidl.nn.Embedding(10, 3)
    >>> layer(minidl.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])).shape
    torch.Size([2, 4, 3])
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
        _weight=None,
        _freeze=False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        _refuse_sparse("Embedding", sparse)
        padding_idx = _row(padding_idx, num_embeddings, "Padding_idx")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            table = empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self):
        """Draws the table anew, with zeros in row ``padding_idx``."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input):
        return embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings,
        freeze=True,
        padding_idx=None,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        sparse=False,
    ):
        """An ``Embedding`` whose table is ``embeddings`` (V, D); not trained unless ``freeze`` is False.

        Raises ``AssertionError`` where ``embeddings`` has not two dimensions.

        >>> import minidl
        >>> layer = minidl.nn.Embedding.from_pretrained(minidl.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(minidl.tensor([1]))
        tensor([[3., 4.]])
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(Module):
    """The sum, mean or maximum of the rows of a table ``weight`` that each bag of indices names.

    Shapes, for V = ``num_embeddings`` and D = ``embedding_dim``: input (B, N) of integers in [0, V), or (M,) with
    ``offsets`` (B,), where each bag begins, or (B + 1,) with ``include_last_offset``; per_sample_weights as input, by
    which ``mode`` 'sum' multiplies the rows; output (B, D). Indices equal to ``padding_idx`` do not count. The table
    starts from N(0, 1), with zeros in row ``padding_idx``. ``max_norm``, ``norm_type`` and ``scale_grad_by_freq`` are
    those of ``Embedding``; ``sparse=True`` is not supported.

    Raises ``ValueError`` for shapes and options that do not fit, ``RuntimeError`` for indices and offsets out of range,
    ``AssertionError`` for a padding_idx outside [-V, V) or a ``_weight`` of another shape, ``NotImplementedError`` for
    ``sparse=True``. Source: PyTorch's ``torch.nn.EmbeddingBag``.

    >>> import minidl
    >>> layer = minidl.nn.EmbeddingBag(10, 3, mode="sum")
    >>> layer(minidl.tensor([1, 2, 4, 5]), minidl.tensor([0, 3])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        mode="mean",
        sparse=False,
        _weight=None,
        include_last_offset=False,
        padding_idx=None,
        device=None,
        dtype=None,
    ):
        super().__init__()
        _refuse_sparse("EmbeddingBag", sparse)
        padding_idx = _row(padding_idx, num_embeddings, "padding_idx")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = padding_idx
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        if _weight is None:
            self.weight = Parameter(empty((num_embeddings, embedding_dim), device=device, dtype=dtype))
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight)

    reset_parameters = Embedding.reset_parameters

    def forward(self, input, offsets=None, per_sample_weights=None):
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self):
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"

    @classmethod
    def from_pretrained(
        cls,
        embeddings,
        freeze=True,
        max_norm=None,
        norm_type=2.0,
        scale_grad_by_freq=False,
        mode="mean",
        sparse=False,
        include_last_offset=False,
        padding_idx=None,
    ):
        """An ``EmbeddingBag`` whose table is ``embeddings`` (V, D); not trained unless ``freeze`` is False.

        Raises ``AssertionError`` where ``embeddings`` has not two dimensions.

        >>> import minidl
        >>> layer = minidl.nn.EmbeddingBag.from_pretrained(minidl.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(minidl.tensor([[0, 1]]))
        tensor([[2., 3.]])
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        layer = cls(
            rows,
            columns,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        layer.weight.requires_grad_(not freeze)
        return layer
