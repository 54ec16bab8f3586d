"""Parameters as one vector, and back."""

from minidl.autograd.tensor import Tensor
from minidl.errors import DeviceError
from minidl.nn.naming import typename
from minidl.ops.joining import cat

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _check_device(parameter, first):
    if parameter.device != first.device:
        raise DeviceError(
            "Found two parameters on different devices, this is currently not supported: "
            f"{first.device} and {parameter.device}."
        )


def parameters_to_vector(parameters):
    """All elements of ``parameters`` in one tensor of one dimension; gradients flow through.

    Raises ``DeviceError`` where they live on different devices. Source: ``torch.nn.utils.parameters_to_vector``.

    >>> import minidl
    >>> minidl.nn.utils.parameters_to_vector([minidl.ones(2, 2), minidl.zeros(1)])
    tensor([1., 1., 1., 1., 0.])
    """
    parameters = list(parameters)
    for parameter in parameters:
        _check_device(parameter, parameters[0])
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec, parameters):
    """Gives each of ``parameters`` its part of a vector; they share its memory from then on.

    Raises ``TypeError`` where ``vec`` is no tensor, ``RuntimeError`` where its length is not the number of elements.
    Source: ``torch.nn.utils.vector_to_parameters``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> minidl.nn.utils.vector_to_parameters(minidl.zeros(3), layer.parameters())
    >>> layer.bias.detach()
    tensor([0.])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected minidl.Tensor, but got: {typename(vec)}")
    parameters = list(parameters)
    wanted = sum(parameter.numel() for parameter in parameters)
    if vec.numel() != wanted:
        raise RuntimeError(f"the vector has {vec.numel()} elements, the parameters have {wanted}")
    flat, start = vec.detach(), 0
    for parameter in parameters:
        _check_device(parameter, parameters[0])
        end = start + parameter.numel()
        parameter.data = flat[start:end].reshape(parameter.shape)
        start = end
