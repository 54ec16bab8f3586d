"""Applying gradients: unscale, accumulate, clip, decay, step, average, constrain, count."""

import warnings

from minidl.autograd.inplace import bump
from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import make
from minidl.backends import of
from minidl.keras.state import State
from minidl.keras.tensors import to_tensor


class Row:
    """A weight with its gradient: the tensors that hold it, and as many raw arrays."""

    __slots__ = ("grads", "index", "parts", "slot")

    def __init__(self, slot, index, grads):
        self.slot, self.index, self.parts, self.grads = slot, index, slot.parts, grads
        for i, grad in enumerate(grads):
            if grad is None:
                array = self.parts[i]._array
                grads[i] = of(array).zeros(array.shape, array.dtype)


class Applying:
    """The part of an optimizer that applies gradients."""

    _swapped = False  # whether the averages are in the weights' place

    def apply_gradients(self, grads_and_vars):
        """``apply`` for pairs of a gradient and a weight; gives ``iterations``."""
        pairs = list(grads_and_vars)
        if pairs:
            self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(self, grads, trainable_variables=None):
        """One step. A gradient is a tensor as the weight's parameter keeps it (``parameter.grad``), a list of them
        where several parameters hold the weight, or None, which warns. ``ValueError`` where there is none at all, or
        for weights the optimizer was not built with."""
        grads = list(grads)
        if not grads:
            return
        with no_grad():
            rows = self._rows(grads, trainable_variables)
            self._unscale(rows)
            if self._accumulates(rows):
                self._clip(rows)
                self._decay_and_step(rows)
            self._keep_average()
            for row in rows:
                if getattr(row.slot.variable, "constraint", None) is not None:
                    _constrain(row.slot)
            self._iterations.assign_add(1)

    def _rows(self, grads, variables):
        if variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must already be built on a list of "
                    "variables. Call `optimizer.build(trainable_variables)` first."
                )
            if len(grads) != len(self._slots):
                raise ValueError(
                    "When passing `grads` as a list of gradient tensors, the gradients must match "
                    f"`optimizer.variables` one-to-on. Received a list of {len(grads)} gradients, but the optimizer "
                    f"is tracking {len(self._slots)} trainable variables."
                )
            numbers = range(len(grads))
        else:
            variables = list(variables)
            if not self.built:
                self.build(variables)
            numbers = [self._index.get(id(variable)) for variable in variables]
            if None in numbers:
                variable = variables[numbers.index(None)]
                raise ValueError(
                    f"Unknown variable: {getattr(variable, 'path', variable)}. This optimizer can only be called for "
                    "the variables it was originally built with. When working with a new set of variables, you "
                    "should recreate a new optimizer instance."
                )
        rows, missing = [], []
        for number, grad in zip(numbers, grads, strict=True):
            slot = self._slots[number]
            arrays = [None] if grad is None else slot.gradients(grad)
            if all(array is None for array in arrays):
                missing.append(slot.path)
            else:
                rows.append(Row(slot, number, arrays))
        if not rows:
            raise ValueError("No gradients provided for any variable.")
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If using "
                "`model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=3,
            )
        return rows

    def _unscale(self, rows):
        scale = self.loss_scale_factor
        if scale is not None:
            for row in rows:
                row.grads = [of(grad).mul(grad, 1.0 / scale) for grad in row.grads]

    def scale_loss(self, loss):
        """The loss times ``loss_scale_factor``, which ``apply`` divides gradients by."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def _accumulates(self, rows):
        """Whether this call steps: always, but for all calls of an accumulation except the last."""
        every = self.gradient_accumulation_steps
        if not every:
            return True
        last = (int(self._iterations) + 1) % every == 0
        for row in rows:
            sums = self._state["gradient_accumulator"][row.index].arrays(row.parts)
            of(sums[0]).keras_average(sums, row.grads, 1)
            if last:
                row.grads = [of(total).mul(total, 1.0 / every) for total in sums]
                for total in sums:
                    of(total).keras_scale([total], 0.0)
        return last

    def _clip(self, rows):
        if self.clipnorm and self.clipnorm > 0:
            for row in rows:
                row.grads = of(row.grads[0]).keras_clipped(row.grads, float(self.clipnorm))
        elif self.global_clipnorm and self.global_clipnorm > 0:
            flat = [grad for row in rows for grad in row.grads]
            clipped = iter(of(flat[0]).keras_clipped_together(flat, float(self.global_clipnorm)))
            for row in rows:
                row.grads = [next(clipped) for _ in row.grads]
        elif self.clipvalue and self.clipvalue > 0:
            limit = float(self.clipvalue)
            for row in rows:
                row.grads = [of(grad).clamp(grad, -limit, limit) for grad in row.grads]

    def _decay_and_step(self, rows):
        rate = float(self.learning_rate)
        if self._custom():
            self._decay(rows, rate)
            for row in rows:
                gradient = row.slot.in_keras([make(grad, None) for grad in row.grads])
                self.update_step(gradient, row.slot.variable, rate)
            return
        self._begin_step()
        self._step_rows(rows, rate)
        for row in rows:
            for part in row.parts:
                bump(part)

    def _custom(self):
        """Whether the class is written as for Keras: with ``update_step``."""
        return type(self).update_step is not Applying.update_step

    def update_step(self, gradient, variable, learning_rate):
        """Updates one weight; a class that defines it is stepped weight by weight, in Keras' layout."""
        raise NotImplementedError(f"{type(self).__name__} defines neither update_step() nor _step()")

    def assign(self, variable, value):
        """Overwrites a weight or a state."""
        self._slot_of(variable).write(to_tensor(value)) if _is_weight(variable) else variable.assign(value)

    def assign_add(self, variable, value):
        """Adds to a weight or a state."""
        self.assign(variable, _seen(variable) + to_tensor(value))

    def assign_sub(self, variable, value):
        """Subtracts from a weight or a state."""
        self.assign(variable, _seen(variable) - to_tensor(value))

    def _get_variable_index(self, variable):
        return self._index[id(variable)]

    def _begin_step(self):
        """What is counted once a step."""

    def _step_rows(self, rows, rate):
        """Decays and updates all rows, a call for each device and dtype among them."""
        self._decay(rows, rate)
        for columns in self._columns(rows):
            self._step(*columns, rate)

    def _decay(self, rows, rate):
        decay = self.weight_decay
        if decay is None:
            return
        for row in rows:
            if self._decays(row.slot):
                arrays = [part._array for part in row.parts]
                of(arrays[0]).keras_scale(arrays, 1.0 - float(decay) * rate)

    def _columns(self, rows):
        """``(params, grads, *states)``, lists of raw arrays, for each device and dtype."""
        names = [name for name, _ in self._wanted_states()]
        kinds = {}
        for row in rows:
            states = [self._state[name][row.index].arrays(row.parts) for name in names]
            for part, *others in zip(row.parts, row.grads, *states, strict=True):
                array = part._array
                kinds.setdefault((array.__class__, array.dtype), []).append((array, *others))
        return [tuple(map(list, zip(*found, strict=True))) for found in kinds.values()]

    def _keep_average(self):
        if not self.use_ema:
            return
        momentum = self.ema_momentum if self._done() else 0.0
        for slot, average in zip(self._slots, self._state["average"], strict=True):
            arrays = average.arrays(slot.parts)
            of(arrays[0]).keras_average(arrays, [part._array for part in slot.parts], momentum)
        every = self.ema_overwrite_frequency
        if every and (self._done() + 1) % every == 0:
            self._take_average()

    def _take_average(self):
        for slot, average in zip(self._slots, self._state["average"], strict=True):
            for part, tensor in zip(slot.parts, average.tensors, strict=True):
                part.copy_(tensor)

    def swap_averages(self):
        """The weights and their averages change places; again, and they are back."""
        if not (self.use_ema and self.built):
            return
        with no_grad():
            for slot, average in zip(self._slots, self._state["average"], strict=True):
                for part, tensor in zip(slot.parts, average.tensors, strict=True):
                    kept = part.clone()
                    part.copy_(tensor)
                    tensor.copy_(kept)
        self._swapped = not self._swapped

    def finalize_variable_values(self, var_list=None):
        """At the end of training: the weights become their averages, where those are kept."""
        if self.use_ema and self.built:
            if self._swapped:
                self.swap_averages()
            with no_grad():
                self._take_average()


def _is_weight(variable):
    return not isinstance(variable, State) and not hasattr(variable, "slot")


def _seen(variable):
    """The values in Keras' layout."""
    if callable(getattr(variable, "tensor", None)):
        return variable.tensor().detach()
    return getattr(variable, "value", variable).detach()


def _constrain(slot):
    """Projects a weight by its constraint."""
    project = getattr(slot.variable, "constrain", None)
    if project is not None:
        project()
    else:
        slot.write(slot.variable.constraint(slot.in_keras(slot.parts)))
