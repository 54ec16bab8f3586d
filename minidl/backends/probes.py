"""Ceilings of the machine by compiled loops: multiply-adds in registers, copies; None without the extension."""

try:
    from minidl._native import instruction_set, probe_copy, probe_multiply_add
except ImportError:
    instruction_set = probe_copy = probe_multiply_add = None

__all__ = ["instruction_set", "probe_copy", "probe_multiply_add"]
