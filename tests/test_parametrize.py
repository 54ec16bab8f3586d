"""``nn.utils.parametrize``: what is computed when, and what a module owes its user while it is parametrized."""

import copy
import pickle

import pytest

import minidl
from minidl import nn
from minidl.nn.utils import parametrize
from minidl.testing import check_module


class Counted(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * 1


def test_within_cached_a_tensor_is_computed_once():
    module, counted = nn.Linear(2, 2), Counted()
    parametrize.register_parametrization(module, "weight", counted)
    counted.calls = 0
    with parametrize.cached():
        first = module.weight
        with parametrize.cached():
            assert module.weight is first
        assert module.weight is first and counted.calls == 1
    assert module.weight is not first and counted.calls == 2


def test_a_copy_keeps_what_is_removed_from_its_model():
    module = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    twin = copy.deepcopy(module)
    parametrize.remove_parametrizations(module, "weight")
    assert type(module) is nn.Linear and parametrize.is_parametrized(twin, "weight")
    assert minidl.equal(module.weight, twin.weight)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(twin)
    pickle.dumps(module)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize(
    ("module", "tensor", "shape"),
    [
        (nn.Linear(3, 2), "weight", (2, 3)),
        (nn.Conv2d(2, 3, 2), "weight", (2, 2, 3, 3)),
        (nn.GRU(2, 3), "weight_hh_l0", (4, 1, 2)),
    ],
)
def test_layers_compute_with_their_parametrized_weights(module, tensor, shape, name):
    minidl.manual_seed(0)
    module = getattr(nn.utils.parametrizations, name)(copy.deepcopy(module), tensor)
    # The power iterations of spectral_norm change buffers in each call, by design.
    skip = ["determinism", "gradients", "dtypes"] if name == "spectral_norm" else []
    check_module(module, minidl.randn(*shape), batch_dim=1 if "hh" in tensor else 0, skip=skip)


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley"])  # householder takes whole numbers of the diagonal
def test_orthogonal_weights_have_right_gradients(kind):
    module = nn.utils.parametrizations.orthogonal(nn.Linear(3, 2), orthogonal_map=kind)
    check_module(module, minidl.ones(2, 3))


def test_a_transfer_takes_values_and_parametrizations():
    module = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    other = parametrize.transfer_parametrizations_and_params(module, nn.Linear(2, 2))
    assert minidl.equal(other.weight, module.weight)
    assert parametrize.type_before_parametrizations(other) is nn.Linear
    with minidl.no_grad():
        other.parametrizations.weight.original0.zero_()
    assert module.weight.abs().sum() > 0
