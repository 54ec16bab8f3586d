"""``keras.utils``: labels, seeds, data helpers, images, registered objects."""

from minidl.keras.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minidl.keras.engine.keras_tensor import is_keras_tensor
from minidl.keras.engine.naming import clear_session
from minidl.keras.engine.plotting import model_to_dot, plot_model
from minidl.keras.engine.progress import Progbar
from minidl.keras.engine.tensors import standardize_dtype
from minidl.keras.preprocessing.sequence import pad_sequences
from minidl.keras.saving.objects import deserialize_keras_object, serialize_keras_object
from minidl.keras.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    set_random_seed,
)
from minidl.keras.tensors import to_tensor
from minidl.keras.utils.arrays import (
    normalize,
    pack_x_y_sample_weight,
    to_categorical,
    unpack_x_y_sample_weight,
)
from minidl.keras.utils.directories import image_dataset_from_directory, text_dataset_from_directory
from minidl.keras.utils.files import get_file
from minidl.keras.utils.images import array_to_img, img_to_array, load_img, save_img
from minidl.keras.utils.py_dataset import PyDataset, Sequence
from minidl.keras.utils.splits import split_dataset, timeseries_dataset_from_array

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "to_tensor",
    "unpack_x_y_sample_weight",
]
