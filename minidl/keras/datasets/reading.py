"""How the data sets are read: from local files, without running what a pickle may hold."""

import io
import pickle
import zipfile

import numpy as np

from minidl.keras.utils.files import get_file

_ALLOWED = {
    ("_codecs", "encode"), ("numpy", "ndarray"), ("numpy", "dtype"), ("builtins", "list"), ("builtins", "dict"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
}  # fmt: skip


class _Reader(pickle.Unpickler):
    """Unpickles arrays, lists, dicts and strings, and nothing that acts."""

    def find_class(self, module, name):
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"the file names {module}.{name}: a data set holds arrays and lists only, so it is not read"
            )
        return super().find_class(module, name)


def unpickled(data, encoding="ASCII"):
    """What bytes of a pickle hold, if that is arrays, lists, dicts and strings; else ``UnpicklingError``."""
    return _Reader(io.BytesIO(data), encoding=encoding).load()


def arrays_of(path, origin):
    """The arrays of a local npz file by name; arrays of lists too."""
    found = {}
    with zipfile.ZipFile(get_file(path, origin=origin)) as archive:
        for entry in archive.namelist():
            data = archive.read(entry)
            file = io.BytesIO(data)
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            dtype = read(file)[2]
            name = entry.removesuffix(".npy")
            found[name] = unpickled(data[file.tell() :]) if dtype.hasobject else np.load(io.BytesIO(data))
    return found


def shuffled(seed, *arrays):
    """Arrays in one order that a seed (or a ``RandomState``) draws, as Keras draws it."""
    generator = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    order = np.arange(len(arrays[0]))
    generator.shuffle(order)
    return [array[order] for array in arrays]


def split_rows(x, y, test_split, seed):
    """((train), (test)) of shuffled rows, the last share for testing. ``ValueError`` for a share outside [0, 1)."""
    if not 0 <= test_split < 1:
        raise ValueError(
            f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 (exclusive of 1)."
        )
    x, y = shuffled(seed, x, y)
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])


def word_lists(lists, num_words, skip_top, start_char, oov_char, index_from):
    """Lists of word numbers as Keras gives them: moved up, opened by ``start_char``, rare words replaced or dropped."""
    lengths = np.array([len(words) for words in lists], dtype=np.int64)
    flat = (
        np.concatenate([np.asarray(words, dtype=np.int64) for words in lists])
        if lengths.sum()
        else np.zeros(0, int)
    )
    row = np.repeat(np.arange(len(lengths)), lengths)
    flat = flat + index_from if start_char is not None or index_from else flat
    if start_char is not None:
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        flat, row = np.insert(flat, first, start_char), np.insert(row, first, np.arange(len(lengths)))
    limit = num_words or (int(flat.max()) if flat.size else 0)
    known = (flat >= skip_top) & (flat < limit)
    if oov_char is not None:
        flat = np.where(known, flat, oov_char)
    else:
        flat, row = flat[known], row[known]
    ends = np.cumsum(np.bincount(row, minlength=len(lengths)))
    out = np.empty(len(lengths), dtype=object)
    out[:] = [part.tolist() for part in np.split(flat, ends[:-1])] if len(lengths) else []
    return out


def shorter(maxlen, lists, labels, opened):
    """The lists that, opened by a start character or not, are shorter than ``maxlen``, with their labels."""
    if not maxlen:
        return lists, labels
    kept = np.array([len(words) + opened < maxlen for words in lists], bool)
    if not kept.any():
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    return lists[kept], labels[kept]
