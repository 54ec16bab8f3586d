"""What ``import minidl`` brings with it."""

import subprocess
import sys

OPTIONAL = "cupy h5py hypothesis keras matplotlib ml_dtypes pytest scipy sklearn torch tqdm multiprocessing"


def test_import_brings_nothing_optional():
    code = f"import sys, minidl; print(sorted(set({OPTIONAL.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


def test_bfloat16_comes_when_it_is_named():
    code = "import minidl; print((minidl.ones(2, dtype=minidl.bfloat16) + 1.0).dtype)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "minidl.bfloat16"


def test_without_ml_dtypes_bfloat16_says_what_to_install():
    code = "import sys; sys.modules['ml_dtypes'] = None; import minidl\n"
    code += "try: minidl.bfloat16\nexcept AttributeError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install ml_dtypes" in done.stdout
