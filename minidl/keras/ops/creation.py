"""New tensors, and tensors of what is none yet."""

import minidl
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.tensors import as_numpy, named_dtype, standardize_dtype
from minidl.keras.ops.operation import operation, tensor
from minidl.keras.ops.shapes import _sizes
from minidl.keras.settings import floatx


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """``x`` as a tensor; floats of Python become floatx, whole numbers int32.

    >>> from minidl.keras import ops
    >>> ops.convert_to_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    if sparse or ragged:
        raise NotImplementedError("sparse and ragged tensors are not supported: use dense ones with a mask")
    if isinstance(x, KerasTensor):
        return x if dtype is None else cast_symbol(x, dtype)
    plain = dtype is None and isinstance(x, (int, list, tuple))
    made = tensor(x, dtype)
    return made.int() if plain and made.dtype.name == "int64" else made


def cast_symbol(x, dtype):
    """A symbolic tensor as another dtype."""
    return _cast(x, dtype)


@operation(name="convert_dtype")
def _cast(x, dtype):
    """x as another dtype."""
    return tensor(x).to(named_dtype(dtype))


array = convert_to_tensor


def convert_to_numpy(x):
    """The values as a NumPy array."""
    return as_numpy(tensor(x)).copy()


def is_tensor(x):
    """Whether ``x`` is a tensor."""
    return isinstance(x, minidl.Tensor)


def zeros(shape, dtype=None):
    """Zeros, of floatx unless ``dtype`` is given."""
    return minidl.zeros(_sizes(shape), dtype=named_dtype(dtype))


def ones(shape, dtype=None):
    """Ones, of floatx unless ``dtype`` is given."""
    return minidl.ones(_sizes(shape), dtype=named_dtype(dtype))


empty = zeros


@operation
def full(shape, fill_value, dtype=None):
    """``fill_value`` everywhere."""
    return tensor(fill_value, dtype or floatx()).expand(_sizes(shape)).clone()


@operation
def zeros_like(x, dtype=None):
    """Zeros of the shape of x."""
    return minidl.zeros_like(tensor(x), dtype=None if dtype is None else named_dtype(dtype))


@operation
def ones_like(x, dtype=None):
    """Ones of the shape of x."""
    return minidl.ones_like(tensor(x), dtype=None if dtype is None else named_dtype(dtype))


@operation
def empty_like(x, dtype=None):
    """A tensor of the shape of x, whose values do not matter: zeros."""
    return minidl.zeros_like(tensor(x), dtype=None if dtype is None else named_dtype(dtype))


@operation
def full_like(x, fill_value, dtype=None):
    """``fill_value`` everywhere, in the shape of x."""
    x = tensor(x)
    return tensor(fill_value, dtype or x.dtype.name).to(x.device).expand(x.shape).clone()


def eye(N, M=None, k=0, dtype=None):
    """Ones on the diagonal ``k``, of ``N`` rows and ``M`` columns."""
    rows, columns = minidl.arange(N).unsqueeze(1), minidl.arange(N if M is None else M)
    return (columns - rows == k).to(named_dtype(dtype))


def identity(n, dtype=None):
    """Ones on the diagonal of a square."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=None):
    """Ones on and below the diagonal ``k``."""
    rows, columns = minidl.arange(N).unsqueeze(1), minidl.arange(N if M is None else M)
    return (columns - rows <= k).to(named_dtype(dtype))


def arange(start, stop=None, step=None, dtype=None):
    """From ``start`` by ``step`` up to, but without, ``stop``; int32 for whole numbers, else floatx."""
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    start, stop, step = (v.item() if hasattr(v, "item") else v for v in (start, stop, step))
    if dtype is None:
        dtype = floatx() if any(isinstance(v, float) for v in (start, stop, step)) else "int32"
    return minidl.arange(start, stop, step, dtype=named_dtype(dtype))


@operation
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """``num`` numbers at equal distances from ``start`` to ``stop``, with or without that one."""
    start, stop = (tensor(v) for v in (start, stop))
    work = named_dtype(dtype)
    start, stop = (v.to(work if v.ndim == 0 or not v.is_floating_point() else v.dtype) for v in (start, stop))
    step = (stop - start) / max(num - 1 if endpoint else num, 1)
    at = minidl.arange(num, dtype=step.dtype).reshape(-1, *[1] * step.ndim)
    found = start + at * step
    if endpoint and num > 1:
        found = minidl.cat([found[:-1], stop.expand(found.shape[1:]).unsqueeze(0)])
    found = found.to(work).movedim(0, axis)
    return (found, step) if retstep else found


@operation
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """``base`` to the power of ``linspace``."""
    return minidl.pow(base, linspace(start, stop, num, endpoint, False, dtype, axis))


@operation
def meshgrid(*x, indexing="xy"):
    """The grids of coordinates of the points that vectors of coordinates span."""
    return list(minidl.meshgrid(*(tensor(v) for v in x), indexing=indexing))


@operation
def tril(x, k=0):
    """x on and below the diagonal ``k``, zeros above."""
    return minidl.tril(tensor(x), k)


@operation
def triu(x, k=0):
    """x on and above the diagonal ``k``, zeros below."""
    return minidl.triu(tensor(x), k)


@operation
def diag(x, k=0):
    """A matrix with x on its diagonal, or the diagonal of a matrix."""
    return minidl.diag(tensor(x), k)


@operation
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The diagonal of two dimensions, as the last one."""
    return minidl.diagonal(tensor(x), offset, axis1, axis2)


def dtype(x):
    """The name of the dtype."""
    return standardize_dtype(x.dtype if hasattr(x, "dtype") else tensor(x).dtype)


@operation
def diagflat(x, k=0):
    """A matrix with all entries of x on its diagonal ``k``."""
    return minidl.diagflat(tensor(x), k)


@operation
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """``num`` numbers of equal ratios from ``start`` to ``stop``."""
    low, high = (minidl.log(tensor(v).to(named_dtype())) for v in (start, stop))
    return minidl.exp(linspace(low, high, num, endpoint, False, dtype, axis))


def _window(name, make, text):
    def body(x):
        return make(int(x), periodic=False)

    body.__name__, body.__doc__ = name, text
    return body


bartlett = _window("bartlett", minidl.bartlett_window, "Bartlett's window of ``x`` places.")
blackman = _window("blackman", minidl.blackman_window, "Blackman's window of ``x`` places.")
hamming = _window("hamming", minidl.hamming_window, "Hamming's window of ``x`` places.")
hanning = _window("hanning", minidl.hann_window, "Hann's window of ``x`` places.")


def kaiser(x, beta):
    """Kaiser's window of ``x`` places."""
    return minidl.kaiser_window(int(x), periodic=False, beta=float(beta))


@operation
def vander(x, N=None, increasing=False):
    """The powers of a vector's entries as rows, the highest first unless ``increasing``."""
    x = tensor(x)
    return minidl.vander(x, N, increasing).to(x.dtype)
