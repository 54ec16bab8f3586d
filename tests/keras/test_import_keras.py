"""The Keras face is imported when it is named, and under the paths that people type."""

import importlib
import subprocess
import sys

import pytest

import minidl


def test_minidl_does_not_import_it():
    probe = "import sys, minidl; assert 'minidl.keras' not in sys.modules; assert minidl.keras.Sequential"
    subprocess.run([sys.executable, "-c", probe], check=True)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (
            "keras",
            "Input Model Sequential Layer Variable layers models utils backend losses metrics optimizers version",
        ),
        ("keras.models", "Sequential Model clone_model model_from_json"),
        ("keras.layers", "Dense Activation Flatten Dropout Input InputLayer Lambda Layer InputSpec"),
        (
            "keras.callbacks",
            "Callback EarlyStopping ModelCheckpoint ReduceLROnPlateau CSVLogger TensorBoard History",
        ),
        ("keras.mixed_precision", "Policy set_global_policy global_policy"),
        ("keras.config", "enable_traceback_filtering disable_traceback_filtering enable_interactive_logging"),
        ("keras.backend", "clear_session epsilon floatx set_floatx image_data_format"),
        (
            "keras.utils",
            "to_categorical set_random_seed plot_model clear_session disable_interactive_logging",
        ),
        ("keras.preprocessing.image", "ImageDataGenerator"),
    ],
)
def test_paths(module, names):
    found = importlib.import_module(f"minidl.{module}")
    for name in names.split():
        assert hasattr(found, name), name


def test_unknown_names():
    with pytest.raises(AttributeError):
        _ = minidl.kerras
