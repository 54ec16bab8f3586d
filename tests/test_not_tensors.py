"""Composed functions name the argument that is no Tensor."""

import numpy as np
import pytest

import minidl
import minidl.nn.functional as F

DROPOUTS = [
    F.dropout,
    F.dropout1d,
    F.dropout2d,
    F.dropout3d,
    F.alpha_dropout,
    F.feature_alpha_dropout,
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("function", DROPOUTS)
def test_dropout_of_a_list(function, training):
    text = rf"^{function.__name__}\(\): argument 'input' \(position 1\) must be Tensor, not list"
    with pytest.raises(TypeError, match=text):
        function([1.0, 2.0], 0.5, training)


@pytest.mark.parametrize("function", [F.glu, F.softmin])
def test_activations_of_a_number(function):
    text = rf"^{function.__name__}\(\): argument 'input' \(position 1\) must be Tensor, not float"
    with pytest.raises(TypeError, match=text):
        function(1.0)


@pytest.mark.parametrize(("position", "name"), [(1, "input1"), (2, "input2"), (3, "weight")])
def test_bilinear_of_a_list(position, name):
    arguments = {
        "input1": minidl.ones(2),
        "input2": minidl.ones(3),
        "weight": minidl.ones(1, 2, 3),
        name: [1.0],
    }
    with pytest.raises(
        TypeError, match=rf"^bilinear\(\): argument '{name}' \(position {position}\) must be Tensor"
    ):
        F.bilinear(**arguments)


REST = {
    **{"index_select": (0, minidl.tensor([0])), "unflatten": (0, (1, 2)), "tile": (2,), "narrow": (0, 0, 1)},
    **dict.fromkeys(("transpose", "swapaxes", "movedim", "select"), (0, 0)),
    **dict.fromkeys(("chunk", "split", "fill_"), (1,)),
    **{"permute": ((0,),), "broadcast_to": ((2, 2),), "masked_fill_": (minidl.tensor(True), 0)},
}
ALONE = (
    "t",
    "squeeze",
    "max",
    "min",
    "argsort",
    "var",
    "std",
    "nonzero",
    "numel",
    "positive",
    "zeros_like",
    "where",
)
ALONE += ("is_floating_point", "detach_copy", "abs_", "relu_", "zero_", "clamp_")


@pytest.mark.parametrize("name", [*REST, *ALONE])
def test_a_list_in_place_of_the_first_tensor(name):
    function = getattr(minidl, name, None) or getattr(minidl.Tensor, name)
    with pytest.raises(TypeError, match=r"\(position 1\) must be Tensor, not list"):
        function([1.0, 2.0], *REST.get(name, ()))


def test_mapped_files_become_plain_arrays(tmp_path):
    np.arange(6, dtype="float32").tofile(tmp_path / "values")
    mapped = np.memmap(tmp_path / "values", dtype="float32", mode="r", shape=(2, 3))
    for tensor in (
        minidl.tensor(mapped),
        minidl.as_tensor(mapped),
        minidl.tensor(mapped, dtype=minidl.float64),
    ):
        assert (tensor @ minidl.ones(3, 1, dtype=tensor.dtype)).tolist() == [[3.0], [12.0]]
