"""``check_kernel``: a backend's function beside the reference, with guarded memory, other strides, and NaN."""

import contextlib
import difflib
import importlib
import itertools

import numpy as np

from minidl import backends, dtypes
from minidl.device import device as Device
from minidl.errors import DeviceError
from minidl.testing.closeness import assert_close
from minidl.testing.striding import restrided, strided

# A NaN in the input and none in its saved mean (or in the sums of its rows) cannot be: these tell it apart, each in
# its own way.
_WITH_STATISTICS = {
    "attention_backward", "batch_norm_backward", "group_norm_backward", "layer_norm_backward",
}  # fmt: skip
_GUARD = 64  # elements before and after an array that nothing may touch
_TOLERANCE = {"float64": 1e-10, "float32": 1e-4, "float16": 4e-3, "bfloat16": 3e-2}


def usable(name):
    """Whether a device works here."""
    try:
        backends.on(Device(name))
    except (DeviceError, RuntimeError):
        return False
    return True


@contextlib.contextmanager
def serving(backend):
    """Inside, arrays on the host are served by ``backend`` (a ``Backend``, or ``'reference'`` or ``'native'``).

    >>> import minidl
    >>> with serving("reference"):
    ...     minidl.ones(2) + 1
    tensor([2., 2.])

    Raises ``ValueError`` for another name, or where the native backend is not built.
    """
    if isinstance(backend, str):
        known = {"reference": backends.reference, backends.cpu.name: backends.cpu}
        if backend not in known:
            raise ValueError(f"serving: no backend {backend!r} here; there is {', '.join(sorted(known))}")
        backend = known[backend]
    by_class, by_type = backends._BY_CLASS[np.ndarray], backends._BY_TYPE["cpu"]
    backends._BY_CLASS[np.ndarray] = backends._BY_TYPE["cpu"] = backend
    try:
        yield
    finally:
        backends._BY_CLASS[np.ndarray], backends._BY_TYPE["cpu"] = by_class, by_type


def kernel_calls(workload, backend=None):
    """Every call of a backend's functions that ``workload()`` makes on the host: ``{name: [(args, kwargs), ...]}``.

    >>> import minidl
    >>> sorted(kernel_calls(lambda: minidl.ones(2).tanh()))
    ['full', 'tanh']
    """
    backend = backend or backends._BY_TYPE["cpu"]
    calls, kept = {}, {}

    def watch(name, function):
        def watched(*args, **kwargs):
            found = calls.setdefault(name, [])
            if len(found) < _MOST:
                found.append((_copied(args), _copied(kwargs)))
            return function(*args, **kwargs)

        return watched

    for name in dir(backends.reference):
        function = getattr(backend, name, None)
        if not name.startswith("_") and callable(function) and hasattr(backend.__class__, name) is False:
            kept[name] = function
            setattr(backend, name, watch(name, function))
    try:
        workload()
    finally:
        for name, function in kept.items():
            setattr(backend, name, function)
    return calls


_MOST = 8  # calls of one function that are kept


def check_kernel(
    name, workload=None, *, calls=None, devices=None, layouts=("transposed", "negative"), nan=True
):
    """Asserts that a backend's function ``name`` does what the reference does, on arguments that a program gives it.

    - **parity**: results, and what is written into arguments, agree within the dtype's tolerance;
    - **canaries**: memory around and between the elements of each array that it is given stays as it is;
    - **aliasing**: a result shares memory with an argument only where the reference's does;
    - **strides**: other memory layouts of the arguments give the same;
    - **NaN**: a NaN in each floating-point argument turns up where the reference has it (but for gradients of norms
      and attention, which cannot be given one in the input and none in its statistics).

    Args:
        name: of the backend's function, as ``backends.cpu.overrides`` lists them.
        workload: a function without arguments that makes minidl call it, as ``lambda: F.conv2d(x, w)``; by default the
            calls that drawn examples of ops, layers and optimizers make (with Hypothesis).
        calls: instead, a list of ``(args, kwargs)`` on NumPy arrays.
        devices: where: ``'cpu'`` (the native backend), ``'cuda'``, ``'emulated'``; by default the first two, where
            there is a GPU.
        layouts, nan: which further layouts are tried, and whether NaN is.

    Raises ``AssertionError``, which says what failed on which arguments, and ``ValueError`` where no backend has a
    function of that name, or ``workload`` never calls it.

    >>> import minidl
    >>> check_kernel("tanh", lambda: minidl.linspace(-2, 2, 9).tanh())
    >>> check_kernel("tanh")
    """
    if name not in dir(backends.reference):
        near = ", ".join(difflib.get_close_matches(name, dir(backends.reference)))
        raise ValueError(
            f"check_kernel: backends have no function {name!r}{f'; there is {near}' if near else ''}"
        )
    if workload is not None and calls is not None:
        raise ValueError("check_kernel: give workload or calls, not both")
    if calls is None:
        calls = kernel_calls(workload).get(name, []) if workload else _usual_calls(name)
    if not calls:
        who = (
            "the workload never calls"
            if workload
            else "give a workload: no example of an op or a layer calls"
        )
        raise ValueError(f"check_kernel: {who} {name!r} on the host")
    for place in ("cpu", *(["cuda"] if usable("cuda") else [])) if devices is None else devices:
        backend = backends.on(Device(place))
        if backend is not backends.reference and name not in backend.overrides:
            raise ValueError(f"check_kernel: {name!r} of the {backend.name} backend is the reference's own")
        for args, kwargs in calls:
            trials = [("", args, kwargs)]
            if place == "cpu":
                trials += [(f"{layout} arguments", *_map(_in(layout), (args, kwargs))) for layout in layouts]
                trials += [
                    ("a NaN", *spoilt)
                    for spoilt in (_spoilt(args, kwargs) if nan and name not in _WITH_STATISTICS else ())
                ]
            for trial, *given in trials:
                try:
                    _check(backend, name, place, *given)
                except Exception as error:
                    shown = ", ".join(_shown(value) for value in (*args, *kwargs.values()))
                    error.add_note(
                        f"check_kernel: {backend.name}.{name}({shown})" + (trial and f" with {trial}")
                    )
                    raise


def _in(layout):
    return lambda array: strided(array, layout)


def _usual_calls(name):
    return importlib.import_module("minidl.testing.usual_calls").usual_calls(name)  # which needs Hypothesis


def _check(backend, name, place, args, kwargs):
    expected_args, expected_kwargs = _copied(args), _copied(kwargs)
    expected = getattr(backends.reference, name)(*expected_args, **expected_kwargs)
    guards = []
    if place == "cpu":
        given, given_kwargs = _map(lambda array: _guarded(array, guards), (args, kwargs))
    else:
        where = Device(place)
        given, given_kwargs = _map(lambda array: backends.transfer(np.array(array), where), (args, kwargs))
    found = getattr(backend, name)(*given, **given_kwargs)
    for room, before, own in guards:
        if not np.array_equal(room[~own], before[~own]):
            raise AssertionError("memory beside an argument was written")
    tolerance = max(
        (_TOLERANCE.get(array.dtype.name, 0) for array in _arrays((args, kwargs, expected))), default=0
    )
    _close(found, expected, tolerance, "result")
    _close((given, given_kwargs), (expected_args, expected_kwargs), tolerance, "argument after the call")
    if place == "cpu":
        ours, theirs = (_shared(*pair) for pair in ((found, given), (expected, expected_args)))
        if not (ours <= theirs):
            raise AssertionError(
                f"a result shares memory with argument {sorted(ours - theirs)}, the reference's does not"
            )


def _guarded(array, guards):
    """A copy with the strides of the array in a larger buffer, noted with its bytes and those that are used."""
    rooms = []

    def room(count, dtype):
        rooms.append(np.full((count + 2 * _GUARD) * dtype.itemsize, 0xA5, np.uint8))
        return rooms[0][_GUARD * dtype.itemsize :].view(dtype)[:count]

    view = restrided(array, room=room)
    for whole in rooms:
        own = np.zeros(whole.shape, bool)
        first = view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        np.ndarray((*view.shape, view.itemsize), bool, own, first, (*view.strides, 1))[...] = True
        guards.append((whole, whole.copy(), own))
    return view


def _spoilt(args, kwargs):
    """The arguments with a NaN in the middle of one floating-point array, for each of these, in lists too."""
    fit = [array.size and dtypes.is_floating(array.dtype) for array in _arrays((args, kwargs))]
    for chosen in (i for i, fits in enumerate(fit) if fits):
        count = itertools.count()

        def spoil(array, chosen=chosen, count=count):
            array = restrided(array)
            if next(count) == chosen:
                array.flat[array.size // 2] = np.nan
            return array

        yield _map(spoil, (args, kwargs))


def _close(found, expected, tolerance, what):
    pairs = list(zip(_arrays(found), _arrays(expected), strict=True))
    for ours, wanted in pairs:
        ours = backends.to_numpy(ours)
        if ours.dtype != wanted.dtype:
            raise AssertionError(f"{what}: dtype {ours.dtype}, the reference gives {wanted.dtype}")
        rtol = float(tolerance) if dtypes.is_floating(wanted.dtype) else 0.0
        finite = wanted[np.isfinite(wanted)].astype(np.float64) if rtol else np.zeros(0)
        scale = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
        close = {"rtol": rtol, "atol": rtol * scale, "equal_nan": True}
        assert_close(ours, wanted, **close, msg=lambda m: f"{what}: {m}")


def _shared(result, args):
    """Places of the arguments with which a result shares memory."""
    outputs = [array for array in _arrays(result) if isinstance(array, np.ndarray)]
    places = [(i, array) for i, value in enumerate(args) for array in _arrays(value)]
    return {i for i, array in places if any(np.may_share_memory(array, output) for output in outputs)}


def _arrays(value):
    if isinstance(value, (tuple, list)):
        return [array for each in value for array in _arrays(each)]
    if isinstance(value, dict):
        return [array for each in value.values() for array in _arrays(each)]
    return [value] if backends.is_array(value) else []


def _map(function, value):
    if isinstance(value, np.ndarray):
        return function(value)
    if type(value) in (list, tuple):
        return type(value)(_map(function, each) for each in value)
    return {key: _map(function, each) for key, each in value.items()} if isinstance(value, dict) else value


def _copied(value):
    return _map(restrided, value)


def _shown(value):
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)
