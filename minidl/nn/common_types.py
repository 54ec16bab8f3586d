"""Names for annotations: a number, or one for each of 1, 2, 3 or any number of dimensions.

Source: ``torch.nn.common_types``.

>>> from minidl.nn.common_types import _size_2_t
>>> isinstance((2, 3), _size_2_t)
True
"""

_scalar_or_tuple_any_t = int | tuple
_size_any_t = _size_1_t = _size_2_t = _size_3_t = _size_4_t = _size_5_t = _size_6_t = int | tuple
_size_any_opt_t = _size_2_opt_t = _size_3_opt_t = tuple
_ratio_any_t = _ratio_2_t = _ratio_3_t = float | tuple
