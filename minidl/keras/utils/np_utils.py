"""``keras.utils.np_utils``: where Keras 2 kept ``to_categorical`` and ``normalize``."""

from minidl.keras.dropped import warned
from minidl.keras.utils import arrays

__all__ = ["normalize", "to_categorical"]

normalize = warned(arrays.normalize, "keras.utils.np_utils.normalize", "keras.utils.normalize")
to_categorical = warned(
    arrays.to_categorical, "keras.utils.np_utils.to_categorical", "keras.utils.to_categorical"
)
