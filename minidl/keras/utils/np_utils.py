"""``keras.utils.np_utils``: where Keras 2 kept ``to_categorical`` and ``normalize``."""

from minidl.keras.utils.arrays import normalize, to_categorical

__all__ = ["normalize", "to_categorical"]
