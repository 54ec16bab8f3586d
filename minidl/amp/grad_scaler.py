"""``GradScaler``: losses times a large number, so that float16 gradients do not become 0; the number finds itself."""

import warnings
from collections.abc import Iterable

import minidl.ops  # noqa: F401 - the methods of tensors
from minidl import dtypes
from minidl.amp.autocast_mode import _present
from minidl.autograd import Tensor, no_grad
from minidl.device import device as Device
from minidl.ops.create import full

_READY, _UNSCALED, _STEPPED = "ready", "unscaled", "stepped"
_PENDING = (
    "{} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the "
    "iteration."
)


class GradScaler:
    """Multiplies losses by ``scale``, divides gradients by it again, and leaves out a step whose gradients have an
    infinity or NaN. Then ``scale`` shrinks by ``backoff_factor``; after ``growth_interval`` good steps it grows.

        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    Args:
        device: 'cuda', 'cpu' or 'emulated'. Where it cannot be used, a warning is given and ``enabled`` is False.
        enabled: False: ``scale`` and ``step`` do nothing of their own.

    Raises ``RuntimeError`` for calls in another order, ``ValueError`` for float16 gradients, whose parameters should be
    float32. Source: ``torch.amp.GradScaler``; P. Micikevicius et al., "Mixed precision training", 2018.

    >>> import minidl
    >>> weight = minidl.nn.Parameter(minidl.ones(1))
    >>> optimizer = minidl.optim.SGD([weight], lr=0.5)
    >>> scaler = minidl.amp.GradScaler("cpu", init_scale=1024.0)
    >>> scaler.scale((weight * weight).sum()).backward()
    >>> _ = scaler.step(optimizer)
    >>> scaler.update()
    >>> weight.tolist(), scaler.get_scale()
    ([0.0], 1024.0)
    """

    def __init__(
        self, device="cuda", init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000,
        enabled=True,
    ):  # fmt: skip
        self._device, self._enabled = device, enabled
        kind = Device(device).type
        if enabled and not _present(kind):
            warnings.warn(
                f"{dtypes.face()}.{kind}.amp.GradScaler is enabled, but {kind.upper()} is not available.  Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if backoff_factor >= 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale, self._init_growth_tracker = init_scale, 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._scale = self._growth_tracker = None
        self._optimizers = {}

    def _start(self):
        self._scale = full((), self._init_scale, dtype=dtypes.float32, device=self._device)
        self._growth_tracker = full(
            (), self._init_growth_tracker, dtype=dtypes.named("int32"), device=self._device
        )

    def scale(self, outputs):
        """``outputs``, a Tensor or an iterable of them, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._start()
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, Iterable) and not isinstance(outputs, (str, bytes)):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _require_scale(self, what):
        if self._scale is None:
            raise AssertionError(_PENDING.format(f"Attempted {what}"))

    def _state_of(self, optimizer):
        return self._optimizers.setdefault(id(optimizer), {"stage": _READY, "found_inf": None})

    def unscale_(self, optimizer):
        """Divides the gradients of an optimizer's parameters by the scale, so that they can be clipped, say."""
        if not self._enabled:
            return
        self._require_scale("unscale_")
        state = self._state_of(optimizer)
        if state["stage"] == _UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if state["stage"] == _STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        state["found_inf"] = self._unscaled(optimizer, float(1.0 / self._scale.double().item()))
        state["stage"] = _UNSCALED

    @no_grad()
    def _unscaled(self, optimizer, factor):
        """Whether a gradient is not finite, None where there are none."""
        found = None
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                if gradient.dtype is dtypes.float16:
                    raise ValueError("Attempting to unscale FP16 grads.")
                gradient.mul_(factor)
                found = bool(found) or not bool(gradient.isfinite().all())
        return found

    def step(self, optimizer, *args, **kwargs):
        """``optimizer.step(*args, **kwargs)``, unless a gradient is not finite; what it returns, or None."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._require_scale("step")
        state = self._state_of(optimizer)
        if state["stage"] == _STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if state["stage"] == _READY:
            self.unscale_(optimizer)
        if state["found_inf"] is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if state["found_inf"] else optimizer.step(*args, **kwargs)
        state["stage"] = _STEPPED
        return result

    def update(self, new_scale=None):
        """Sets the scale for the next step: ``new_scale``, or what the gradients of this one suggest."""
        if not self._enabled:
            return
        self._require_scale("update")
        if new_scale is not None:
            self._scale.fill_(_number(new_scale))
        else:
            found = [s["found_inf"] for s in self._optimizers.values() if s["found_inf"] is not None]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._adapt(any(found))
        self._optimizers.clear()

    @no_grad()
    def _adapt(self, found_inf):
        if found_inf:
            self._scale.mul_(self._backoff_factor)
            self._growth_tracker.zero_()
            return
        good = self._growth_tracker.item() + 1
        if good == self._growth_interval:
            grown = self._scale * self._growth_factor
            if bool(grown.isfinite()):
                self._scale.copy_(grown)
            good = 0
        self._growth_tracker.fill_(good)

    def get_scale(self):
        """The scale; 1.0 where the scaler is disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self):
        """By what the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor):
        """Sets by what the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self):
        """By what the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor):
        """Sets by what the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self):
        """After how many good steps the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval):
        """Sets after how many good steps the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self):
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else self._growth_tracker.item()

    def is_enabled(self):
        """Whether it scales at all."""
        return self._enabled

    def state_dict(self):
        """What ``load_state_dict`` takes; empty where the scaler is disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict):
        """Goes on from a state of ``state_dict``. Raises ``RuntimeError`` for that of a disabled scaler."""
        if not self._enabled:
            return
        if len(state_dict) == 0:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale, self._growth_factor = state_dict["scale"], state_dict["growth_factor"]
        self._backoff_factor, self._growth_interval = (
            state_dict["backoff_factor"],
            state_dict["growth_interval"],
        )
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._start()

    def __getstate__(self):
        if self._optimizers:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                "scaler.update()."
            )
        return {
            **self.__dict__,
            "_init_scale": self.get_scale(),
            "_init_growth_tracker": self._get_growth_tracker(),
            "_scale": None,
            "_growth_tracker": None,
        }


def _number(new_scale):
    if isinstance(new_scale, float):
        return new_scale
    if not isinstance(new_scale, Tensor) or new_scale.numel() != 1 or new_scale.requires_grad:
        raise AssertionError(
            "new_scale should be a float or a 1-element minidl.FloatTensor with requires_grad=False."
        )
    return new_scale.item()
