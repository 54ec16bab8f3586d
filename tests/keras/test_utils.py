"""Utilities without Keras: refusals, splits, windows, files."""

import hashlib
import zipfile

import numpy as np
import pytest

import minidl
from minidl.keras import preprocessing, utils
from minidl.keras.utils import to_categorical


def test_split_dataset():
    x, y = np.arange(10), np.arange(10) * 2
    (a, b), (c, d) = utils.split_dataset((x, y), left_size=0.7)
    assert (len(a), len(c)) == (7, 3)
    np.testing.assert_array_equal(np.concatenate([b, d]), y)
    left, right = utils.split_dataset(x, right_size=4, shuffle=True, seed=1)
    assert sorted([*left, *right]) == list(range(10))
    left, right = utils.split_dataset([1, 2, 3], left_size=2)
    assert (left, right) == ([1, 2], [3])
    left, right = utils.split_dataset(minidl.arange(4), left_size=1)
    assert right.tolist() == [1, 2, 3]


def test_windows_have_the_targets_of_their_first_rows():
    data = np.arange(20).reshape(10, 2)
    windows = utils.timeseries_dataset_from_array(
        data, np.arange(10), sequence_length=3, sequence_stride=2, sampling_rate=2, batch_size=2
    )
    assert len(windows) == 2
    x, y = windows[0]
    np.testing.assert_array_equal(x[1, :, 0], [4, 8, 12])
    np.testing.assert_array_equal(y, [0, 2])
    shuffled = utils.timeseries_dataset_from_array(data, None, 3, shuffle=True, seed=0, batch_size=None)
    assert shuffled[0].shape == (8, 3, 2)
    assert not np.array_equal(shuffled[0][:, 0, 0], np.arange(0, 16, 2))


def test_files_are_found_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="downloads nothing"):
        utils.get_file("a.npz", origin="https://example.com/a.npz")
    (tmp_path / "datasets").mkdir()
    path = tmp_path / "datasets" / "a.npz"
    path.write_bytes(b"data")
    assert utils.get_file("a.npz") == str(path)
    assert utils.get_file("a.npz", file_hash=hashlib.sha256(b"data").hexdigest()) == str(path)
    with pytest.raises(ValueError, match="hash"):
        utils.get_file("a.npz", md5_hash="0" * 32)
    with pytest.raises(ValueError, match="no archive"):
        utils.get_file("a.npz", extract=True)
    with zipfile.ZipFile(tmp_path / "datasets" / "b.zip", "w") as archive:
        archive.writestr("inside.txt", "hello")
    folder = utils.get_file("b.zip", extract=True)
    with open(f"{folder}/inside.txt", encoding="utf-8") as file:
        assert file.read() == "hello"


def test_batches_packed_and_unpacked():
    assert utils.unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
    assert utils.unpack_x_y_sample_weight([1]) == (1, None, None)
    assert utils.pack_x_y_sample_weight(1, 2) == (1, 2)
    assert utils.pack_x_y_sample_weight([1]) == ([1],)
    hot = to_categorical(minidl.tensor([1, 0]), 3)
    assert hot.tolist() == [[0, 1, 0], [1, 0, 0]]
    row = utils.normalize(minidl.tensor([[3.0, 4.0]]))
    np.testing.assert_allclose(row.numpy(), [[0.6, 0.8]], rtol=1e-6)


def test_a_sequence_of_ones_own():
    class Two(utils.Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return index

    assert list(Two()) == [0, 1]
    with pytest.raises(NotImplementedError):
        utils.PyDataset()[0]


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("b", "a")):
        (tmp_path / name).mkdir()
        for i in range(5):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} {i}")
            utils.save_img(
                tmp_path / name / f"{i}.png", np.full((4, 6, 3), 10 * i + number, "uint8"), scale=False
            )
    return tmp_path


def test_images_of_a_folder_a_class_each(folder, capsys):
    batches = utils.image_dataset_from_directory(folder, image_size=(8, 6), shuffle=False, batch_size=4)
    assert "Found 10 files belonging to 2 classes" in capsys.readouterr().out
    assert batches.class_names == ["a", "b"] and len(batches) == 3
    images, labels = batches[1]
    assert images.shape == (4, 8, 6, 3) and images.dtype == np.float32 and labels.dtype == np.int32
    assert images[:, 0, 0, 0].tolist() == [41, 0, 10, 20] and labels.tolist() == [0, 1, 1, 1]
    options = {"validation_split": 0.3, "seed": 3, "verbose": False, "label_mode": "categorical"}
    both = preprocessing.image_dataset_from_directory(folder, subset="both", **options)
    paths = [part.file_paths for part in both]
    assert [len(part) for part in paths] == [7, 3] and len({*paths[0], *paths[1]}) == 10
    one = utils.image_dataset_from_directory(folder, subset="validation", **options)
    assert one.file_paths == paths[1] and one[0][1].shape == (3, 2)
    first = both[0].file_paths[0]
    assert both[0][0][1].argmax(1)[0] == ["a", "b"].index(first.split("/")[-2])


def test_batches_of_a_folder_are_mapped_cut_and_kept(folder):
    batches = utils.image_dataset_from_directory(folder, batch_size=4, seed=0, verbose=False)
    reads = []
    doubled = batches.map(lambda x, y: (reads.append(len(x)), y * 2), num_parallel_calls=2).prefetch(1)
    assert len(doubled) == 3 and reads == [] and doubled.class_names == ["a", "b"]
    assert sorted(label for _, labels in doubled for label in labels) == [0] * 5 + [2] * 5
    assert reads == [4, 4, 2]
    kept = doubled.skip(1).cache()
    assert [len(kept), len(doubled.take(2)), len(doubled.take(-1)), len(kept.take(9))] == [2, 2, 3, 2]
    for _ in range(2):
        assert [len(labels) for _, labels in kept] == [4, 2]
        kept.on_epoch_end()
    assert reads == [4, 4, 2, 4, 2]
    doubled.on_epoch_end()  # shuffles the folder's batches anew
    with pytest.raises(IndexError):
        kept[2]


def test_texts_of_a_folder(folder):
    batches = utils.text_dataset_from_directory(
        folder, label_mode="binary", shuffle=False, max_length=3, verbose=False
    )
    texts, labels = batches[0]
    assert texts.tolist()[4:6] == ["a 4", "b 0"] and labels[4:6].tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: to_categorical([0, 5], 3), ValueError, "from 0 to 2"),
        (lambda: to_categorical([-1, 1]), ValueError, "from -1"),
        (lambda: to_categorical(["a", "b"]), ValueError, "LabelEncoder"),
        (lambda: to_categorical([0.5]), ValueError, "fractions"),
        (lambda: utils.normalize([1.0], order=0), ValueError, "order"),
        (lambda: utils.pad_sequences([[1]], padding="left"), ValueError, "Padding type"),
        (lambda: utils.pad_sequences([[1]], truncating="left"), ValueError, "Truncating type"),
        (lambda: utils.pad_sequences([1, 2]), ValueError, "non-iterable"),
        (lambda: utils.pad_sequences(3), ValueError, "iterable"),
        (lambda: utils.pad_sequences([["a"]], value="x"), ValueError, "dtype"),
        (lambda: utils.pad_sequences([[[1]], [[1, 2]]]), ValueError, "position 1"),
        (lambda: utils.split_dataset([1, 2, 3]), ValueError, "At least one"),
        (lambda: utils.split_dataset([1, 2, 3], left_size=5), ValueError, "left_size"),
        (lambda: utils.split_dataset([1, 2, 3], left_size="a"), TypeError, "left_size"),
        (lambda: utils.split_dataset([1, 2, 3], 2, 2), ValueError, "sum"),
        (lambda: utils.timeseries_dataset_from_array([1, 2, 3], None, 9), ValueError, "sequence_length"),
        (
            lambda: utils.timeseries_dataset_from_array([1, 2, 3], None, 1, start_index=3),
            ValueError,
            "start_index",
        ),
        (lambda: utils.image_dataset_from_directory(".", label_mode="x"), ValueError, "label_mode"),
        (lambda: utils.image_dataset_from_directory(".", validation_split=0.1), ValueError, "subset"),
        (lambda: utils.unpack_x_y_sample_weight((1, 2, 3, 4)), ValueError, "format"),
        (lambda: utils.get_file(), ValueError, "fname"),
        (lambda: preprocessing.text.Tokenizer(wrong=1), TypeError, "Unrecognized"),
        (lambda: preprocessing.text.Tokenizer().texts_to_matrix(["a"]), ValueError, "dimension"),
        (lambda: preprocessing.text.Tokenizer(5).texts_to_matrix(["a"], "x"), ValueError, "mode"),
        (lambda: preprocessing.text.Tokenizer(5).texts_to_matrix(["a"], "tfidf"), ValueError, "Fit"),
        (lambda: preprocessing.sequence.TimeseriesGenerator([1], [1, 2], 1), ValueError, "same length"),
        (lambda: preprocessing.sequence.TimeseriesGenerator([1], [1], 4), ValueError, "disallowed"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()
