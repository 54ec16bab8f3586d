"""Examples of layers of sequences: embeddings, recurrent layers and their cells, attention, transformers."""

from hypothesis import strategies as st

from minidl.testing.geometries import recurrent_geometries
from minidl.testing.layers.registry import entry, small
from minidl.testing.strategies import arrays, distinct_arrays, index_arrays, shapes


def _recurrent(draw, layer):
    g = draw(recurrent_geometries().filter(lambda g: g.layer == layer))
    batch = None if len(g.input_shape) == 2 else 0 if g.kwargs["batch_first"] else 1
    return (), g.kwargs, (draw(arrays(g.input_shape)),), batch


def _cell(draw):
    size, hidden, n = draw(small), draw(small), draw(small)
    return (size, hidden), {"bias": draw(st.booleans())}, (draw(arrays((n, size))),), 0


@entry("Embedding")
def _embedding(draw):
    count, shape = draw(small), draw(shapes(1, 2, max_side=3))
    return (count, draw(small)), {}, (draw(index_arrays(count, shape)),), 0


@entry("EmbeddingBag")
def _bag(draw):
    count, shape = draw(small), draw(shapes(2, 2, max_side=3))
    return (
        (count, draw(small)),
        {"mode": draw(st.sampled_from(["sum", "mean"]))},
        (draw(index_arrays(count, shape)),),
        0,
    )


@entry("MultiheadAttention")
def _attention(draw):
    heads, n, length = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(small)
    x = [draw(arrays((n, length, 2 * heads))) for _ in range(3)]
    return (2 * heads, heads), {"batch_first": True}, tuple(x), 0


def _block(draw, inputs, **kwargs):
    """A block of a transformer on ``inputs`` sequences of the same samples."""
    heads, n = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kwargs |= {"dim_feedforward": draw(small), "dropout": 0.1, "activation": "gelu", "batch_first": True}
    kwargs["norm_first"] = draw(st.booleans())
    x = [draw(distinct_arrays((n, draw(small), 2 * heads))) for _ in range(inputs)]
    return (2 * heads, heads), kwargs, tuple(x), 0


@entry("Transformer")
def _transformer(draw):
    return _block(draw, 2, num_encoder_layers=1, num_decoder_layers=1)


for _name in ("RNN", "LSTM", "GRU"):
    entry(_name, _name)(_recurrent)
    entry(f"{_name}Cell")(_cell)
for _name, _inputs in {"TransformerEncoderLayer": 1, "TransformerDecoderLayer": 2}.items():
    entry(_name, _inputs)(_block)
