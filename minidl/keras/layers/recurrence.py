"""``RNN``: a layer that runs a cell over the steps of its input."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.engine.nest import flatten, map_structure
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer
from minidl.keras.layers.arguments import Described
from minidl.keras.layers.recurrent_cells import StackedRNNCells
from minidl.keras.layers.sequences import has_kernel, run_fused, run_fused_masked, run_steps
from minidl.ops.create import zeros
from minidl.ops.selection import where

__all__ = ["RNN"]


class RNN(Described):
    """Runs ``cell`` over the steps of (N, T, features).

    A cell has ``state_size`` (a size, or a list of them), ``call(inputs, states)`` that gives the output and the list
    of new states, and may have ``output_size`` and ``get_initial_state(batch_size)``; a list of cells is stacked.

    Output: the last step's (N, units), with ``return_sequences`` every step's (N, T, units); with ``return_state`` the
    last states after it. ``go_backwards`` runs from the last step to the first (and gives the outputs in that order);
    ``stateful`` begins with the last batch's states, until ``reset_states()``. Masked steps leave the state as it is,
    and repeat the output (with ``zero_output_for_mask`` give zeros). Source: Keras' ``RNN``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RNN(keras.layers.LSTMCell(4), return_sequences=True)(np.ones((2, 5, 3))).shape
    torch.Size([2, 5, 4])
    """

    takes_integers = True
    supports_masking = True
    in_time_order = (
        False  # whether a backward layer gives its outputs in the input's order: as Bidirectional wants
    )

    def __init__(
        self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
        zero_output_for_mask=False, **kwargs,
    ):  # fmt: skip
        kwargs = {name: v for name, v in kwargs.items() if name not in ("time_major", "implementation")}
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if "call" not in dir(cell):
            raise ValueError(f"Argument `cell` should have a `call` method. The RNN was passed: cell={cell}")
        if not hasattr(cell, "state_size"):
            raise ValueError(
                "The RNN cell should have a `state_size` attribute (single integer or list of integers, one integer "
                f"per RNN state). Received: cell={cell}"
            )
        self.cell = cell
        self.keep(
            return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
            stateful=stateful, unroll=unroll, zero_output_for_mask=zero_output_for_mask,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)
        object.__setattr__(self, "_states", None)

    def build(self, input_shape):
        if not self.cell.built:
            self.cell.build((input_shape[0], input_shape[-1]))
        if type(self.cell).__call__ is not None:
            self.cell.built = True
        self.input_spec = InputSpec(ndim=len(input_shape), axes={-1: input_shape[-1]})

    def call(self, sequences, initial_state=None, mask=None, training=False):
        steps = sequences.transpose(0, 1)
        states = self._begin(sequences, initial_state)
        mask = None if mask is None else mask.bool().transpose(0, 1)
        out, states = self._run_over(steps, states, mask, training)
        if self.stateful:
            object.__setattr__(self, "_states", map_structure(lambda state: state.detach(), states))
        last = out[0 if self.go_backwards else -1]
        if self.return_sequences:
            out = (out.flip(0) if self.go_backwards and not self.in_time_order else out).transpose(0, 1)
        else:
            out = last
        return [out, *states] if self.return_state else out

    def _run_over(self, steps, states, mask, training):
        """Outputs in the input's order, and the last states."""
        cell, backwards = self.cell, self.go_backwards
        lasting = hasattr(cell, "begin_sequence")
        if lasting:
            cell.begin_sequence()
        try:
            one = len(flatten(states)) == 1 or not (self.return_state or self.stateful)
            if has_kernel(cell, training) and (mask is None or one):
                if mask is None:
                    return run_fused(cell, steps, states, training, backwards)
                out, states = run_fused_masked(cell, steps, states, mask, training, backwards)
                return (where(mask.unsqueeze(2), out, 0.0) if self.zero_output_for_mask else out), states
            options = {"training": training} if cell._signature.training else {}
            return run_steps(
                lambda x, s: cell(x, s, **options), steps, states, mask, backwards, self.zero_output_for_mask
            )
        finally:
            if lasting:
                cell.end_sequence()

    # --- states ---------------------------------------------------------------------------------------------------

    def _begin(self, sequences, initial_state):
        batch = sequences.shape[0]
        if initial_state is not None:
            found = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
            return map_structure(lambda state: state.to(sequences.device, sequences.dtype), found)
        if self.stateful and self._states is not None:
            kept = flatten(self._states)[0].shape[0]
            if kept != batch:
                raise ValueError(
                    f"Layer '{self.name}' is stateful and was called on batches of {kept}, but now on one of {batch}. "
                    "Hint: use batches of one size, or call reset_states() between them."
                )
            return self._states
        states = self.get_initial_state(batch)
        return map_structure(lambda state: state.to(sequences.device, sequences.dtype), states)

    def get_initial_state(self, batch_size):
        """The states that a sequence begins with: the cell's, else zeros of its ``state_size``."""
        make = getattr(self.cell, "get_initial_state", None)
        if make is not None:
            states = make(batch_size=batch_size)
        else:
            states = map_structure(lambda size: zeros((batch_size, *_sizes(size))), self.cell.state_size)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def reset_states(self):
        """Makes a stateful layer begin with zeros again."""
        object.__setattr__(self, "_states", None)

    reset_state = reset_states

    @property
    def states(self):
        """The states that the next batch begins with; None before the first."""
        return self._states

    # --- shapes, masks, configs -----------------------------------------------------------------------------------

    def compute_output_shape(self, input_shape):
        batch, steps = input_shape[:2]
        sizes = self.cell.state_size
        sizes = list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
        output = getattr(self.cell, "output_size", None)
        output = _sizes(output if output is not None else flatten(sizes)[0])
        found = (batch, steps, *output) if self.return_sequences else (batch, *output)
        if not self.return_state:
            return found
        return [found, *map_structure(lambda size: (batch, *_sizes(size)), sizes)]

    def compute_mask(self, inputs, mask=None):
        own = mask if self.return_sequences else None
        return [own, *[None] * len(flatten(self.cell.state_size))] if self.return_state else own

    def get_config(self):
        return {**super().get_config(), "cell": serialize_layer(self.cell)}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if "cell" in config:
            config["cell"] = deserialize_layer(config["cell"])
        return cls(**config)


def _sizes(size):
    return (size,) if isinstance(size, int) else tuple(size)
