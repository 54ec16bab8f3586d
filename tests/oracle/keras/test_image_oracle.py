"""``ImageDataGenerator`` against Keras' legacy one: equal seeds give equal batches."""

import numpy as np
import pytest
from keras.src.legacy.preprocessing import image as theirs

from minidl.keras.preprocessing import image as ours
from minidl.keras.preprocessing.image.affine import affine_batch, affine_matrix

ndimage = pytest.importorskip("scipy.ndimage", reason="Keras' legacy generator needs SciPy")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore:Please import:DeprecationWarning")
R = np.random.default_rng(3)
IMAGES = (R.uniform(0, 255, (11, 12, 16, 3))).astype("float32")
LABELS = np.arange(11) % 3

CASES = [
    {},
    {"rotation_range": 20},
    {"rotation_range": 20, "width_shift_range": 0.2},
    {"width_shift_range": 0.3, "height_shift_range": 0.1, "fill_mode": "reflect"},
    {"width_shift_range": 3, "height_shift_range": [1, 2], "fill_mode": "constant", "cval": 7.0},
    {"height_shift_range": 2.5, "fill_mode": "wrap"},
    {"shear_range": 15, "zoom_range": 0.3},
    {"zoom_range": [0.5, 0.9], "interpolation_order": 0},
    {"rotation_range": 40, "zoom_range": 0.4, "interpolation_order": 3, "vertical_flip": True},
    {"horizontal_flip": True, "vertical_flip": True},
    {"channel_shift_range": 30.0},
    {"brightness_range": (0.5, 1.5)},
    {"rescale": 1 / 255, "rotation_range": 10},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"featurewise_center": True, "featurewise_std_normalization": True},
    {"samplewise_std_normalization": True},
    {"preprocessing_function": lambda x: x * 2 + 1},
    {"preprocessing_function": lambda x: x + np.random.uniform(0, 9), "rotation_range": 9, "rescale": 0.5},
    {"width_shift_range": np.float32(0.3), "fill_mode": "mirror", "dtype": "float64"},
    {"shear_range": 30, "fill_mode": "wrap", "horizontal_flip": True},  # places on the edges
    {"shear_range": 30, "fill_mode": "constant", "vertical_flip": True, "cval": -99.0},
    {"rotation_range": 30, "zoom_range": 0.4, "dtype": "uint8"},
    {"rotation_range": 30, "interpolation_order": 3, "channel_shift_range": 20.0, "dtype": "uint8"},
    {
        "rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 0.2, "shear_range": 10, "zoom_range": 0.2,
        "channel_shift_range": 10.0, "horizontal_flip": True, "vertical_flip": True, "brightness_range": [0.6, 1.2],
        "rescale": 0.5, "featurewise_center": True,
    },
]  # fmt: skip


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("options", CASES, ids=lambda o: "-".join(o) or "plain")
def test_equal_seeds_give_equal_batches(options, shuffle):
    one, other = ours.ImageDataGenerator(**options), theirs.ImageDataGenerator(**options)
    one.fit(IMAGES)
    other.fit(IMAGES)
    flows = [g.flow(IMAGES, LABELS, batch_size=4, shuffle=shuffle, seed=5) for g in (one, other)]
    for _ in range(7):
        (x, y), (xt, yt) = next(flows[0]), next(flows[1])
        assert x.dtype == xt.dtype
        np.testing.assert_array_equal(y, yt)
        bright = "brightness_range" in options  # bytes: a pixel at an edge of two may be one apart
        close = np.abs(x - xt) <= 1e-3 * max(1, np.abs(xt).max() / 255)
        assert close.mean() > (0.995 if bright else 1 - 1e-12)
    flows = [g.flow(IMAGES, LABELS, batch_size=4, shuffle=shuffle, seed=5) for g in (one, other)]
    for index in (2, 0, 1):
        np.testing.assert_array_equal(flows[0][index][1], flows[1][index][1])


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("mode", ["constant", "nearest", "reflect", "mirror", "wrap"])
def test_splines_are_scipys(order, mode):
    image = IMAGES[0].astype("float64")
    far = (
        0 if order > 2 and mode == "nearest" else 1
    )  # there SciPy's splines are off the edge's value by up to 5e-3
    for matrix in (
        affine_matrix(12, 16, theta=25, tx=3, shear=20, zx=1.7, zy=0.6),
        affine_matrix(12, 16, tx=-9.25 - 20 * far, ty=10.25 + 20 * far),
        affine_matrix(12, 16, zx=0.1, zy=0.2, ty=5),
    ):
        found = affine_batch(image[None], [matrix], order, mode, 7.0)[0]
        for channel in range(3):
            wanted = ndimage.affine_transform(
                image[..., channel], matrix[:, :2], matrix[:, 2], order=order, mode=mode, cval=7.0
            )
            np.testing.assert_allclose(found[..., channel], wanted, atol=1e-6)


def test_an_even_channel_stays_even():
    """Else a fourth channel of 255 would lie outside the bytes, and brightness would stretch the image."""
    images = np.concatenate([IMAGES, np.full((11, 12, 16, 1), 255, "float32")], -1)
    results = [
        next(
            m.ImageDataGenerator(rotation_range=20, brightness_range=(0.5, 1.5)).flow(
                images, batch_size=11, seed=0
            )
        )
        for m in (ours, theirs)
    ]
    assert (results[0][..., 3] == results[1][..., 3]).all()
    assert (np.abs(results[0] - results[1]) <= 1e-3).mean() > 0.995


def test_whitening():
    small = IMAGES[:, :4, :4]
    results = []
    for module in (ours, theirs):
        generator = module.ImageDataGenerator(zca_whitening=True, featurewise_center=True)
        generator.fit(small)
        results.append(next(generator.flow(small, shuffle=False)))
    np.testing.assert_allclose(results[0], results[1], atol=2e-2)


def test_channels_first():
    images = IMAGES.transpose(0, 3, 1, 2)
    options = {"rotation_range": 20, "horizontal_flip": True, "data_format": "channels_first", "zoom_range": 0.2,
               "featurewise_center": True}  # fmt: skip
    results = []
    for module in (ours, theirs):
        generator = module.ImageDataGenerator(**options)
        generator.fit(images, augment=True, rounds=2, seed=1)
        results.append(next(generator.flow(images, seed=2)))
    np.testing.assert_allclose(results[0], results[1], atol=1e-3)


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_subsets_and_weights(subset):
    results = []
    for module in (ours, theirs):
        generator = module.ImageDataGenerator(validation_split=0.4, horizontal_flip=True)
        flow = generator.flow(
            IMAGES, LABELS, sample_weight=np.arange(11.0), subset=subset, ignore_class_split=True, seed=0
        )
        results.append(next(flow))
    for a, b in zip(results[0][:2], results[1][:2], strict=True):
        np.testing.assert_allclose(a, b)
    offset = 0 if subset == "validation" else 4  # Keras leaves the weights of the training part unsplit
    np.testing.assert_allclose(results[0][2], results[1][2] + offset)


@pytest.mark.parametrize("axes", [{"row_axis": 0, "col_axis": 1, "channel_axis": 2}, {}])
def test_single_changes(axes):
    x = IMAGES[0] if axes else IMAGES[0].transpose(2, 0, 1)
    for name, args in (
        ("random_rotation", (30,)), ("random_shift", (0.2, 0.1)), ("random_shear", (12,)),
        ("random_zoom", ((0.7, 1.2),)),
    ):  # fmt: skip
        results = []
        for module in (ours, theirs):
            np.random.seed(3)
            results.append(getattr(module, name)(x, *args, **axes))
        np.testing.assert_allclose(results[0], results[1], atol=1e-3)


def test_one_image():
    x = IMAGES[0]
    one, other = ours.ImageDataGenerator(rotation_range=9), theirs.ImageDataGenerator(rotation_range=9)
    np.testing.assert_allclose(one.random_transform(x, seed=4), other.random_transform(x, seed=4), atol=1e-3)
    assert one.get_random_transform(x.shape, seed=1) == other.get_random_transform(x.shape, seed=1)
    for values in ({"brightness": 0.7}, {"brightness": 1.4}):
        np.testing.assert_array_equal(one.apply_transform(x, values), other.apply_transform(x, values))
    outside = x * 2 - 50
    a, b = (g.apply_transform(outside.copy(), {"brightness": 0.7}) for g in (one, other))
    assert (np.abs(a - b) < 1e-3).mean() > 0.99


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_whole_numbers_stay_what_they_are(dtype):
    x = IMAGES[0].astype(dtype)
    for values in ({}, {"theta": 20, "zx": 0.7, "flip_vertical": True}, {"flip_horizontal": True}):
        a, b = (m.ImageDataGenerator().apply_transform(x, values) for m in (ours, theirs))
        assert a.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)
    a, b = (m.apply_affine_transform(x, 20, row_axis=0, col_axis=1, channel_axis=2) for m in (ours, theirs))
    np.testing.assert_array_equal(a, b)
    assert a.dtype == dtype


def test_standardize_takes_what_it_gets_as_one_sample():
    for x in (IMAGES[0], IMAGES):
        given = [x.copy(), x.copy()]
        results = [
            module.ImageDataGenerator(rescale=2.0, samplewise_std_normalization=True).standardize(each)
            for module, each in zip((ours, theirs), given, strict=True)
        ]
        np.testing.assert_allclose(results[0], results[1], atol=1e-5)
        np.testing.assert_array_equal(given[0], results[0])  # in place, as there


@pytest.fixture
def folders(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="files need Pillow")
    for kind, count in (("cats", 5), ("dogs", 7)):
        (tmp_path / kind).mkdir()
        for i in range(count):
            image.fromarray(R.integers(0, 255, (20, 14, 3)).astype("uint8")).save(
                tmp_path / kind / f"{i}.png"
            )
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    return tmp_path


@pytest.mark.parametrize("class_mode", ["categorical", "binary", "sparse", "input", None])
@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
def test_folders(folders, class_mode, color_mode):
    results = []
    for module in (ours, theirs):
        generator = module.ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, validation_split=0.25)
        flow = generator.flow_from_directory(
            str(folders), target_size=(10, 8), class_mode=class_mode, color_mode=color_mode, batch_size=5, seed=1,
            subset="training",
        )  # fmt: skip
        results.append((flow, next(flow), next(flow)))
    (a, *batches), (b, *expected) = results
    assert a.class_indices == b.class_indices
    assert a.filenames == b.filenames
    assert len(a) == len(b)
    for mine, other in zip(batches, expected, strict=True):
        pairs = [(mine, other)] if class_mode is None else list(zip(mine, other, strict=True))
        for x, xt in pairs:
            np.testing.assert_allclose(x, xt, atol=1e-5)


def test_saved_images(folders, tmp_path):
    saved = []
    for name, module in (("ours", ours), ("theirs", theirs)):
        generator = module.ImageDataGenerator(rotation_range=20)
        places = [tmp_path / f"{name}{kind}" for kind in ("rows", "files")]
        for place in places:
            place.mkdir()
        options = {"batch_size": 3, "seed": 4, "save_prefix": "p", "save_format": "bmp"}
        next(generator.flow(IMAGES, save_to_dir=str(places[0]), **options))
        classes = ["cats", "dogs"]
        next(
            generator.flow_from_directory(
                str(folders), (10, 8), "rgb", classes, save_to_dir=str(places[1]), **options
            )
        )
        saved.append(
            {file.name: ours.img_to_array(ours.load_img(file)) for p in places for file in p.iterdir()}
        )
    assert sorted(saved[0]) == sorted(saved[1]) and len(saved[0]) == 6
    for name, pixels in saved[0].items():
        np.testing.assert_allclose(pixels, saved[1][name], atol=1)


def test_rows_of_batches_by_hand():
    flows = [m.ImageDataGenerator().flow(IMAGES, batch_size=4, seed=3) for m in (ours, theirs)]
    for _ in range(5):
        np.testing.assert_array_equal(*(next(flow.index_generator) for flow in flows))


@pytest.mark.parametrize("class_mode", ["categorical", "sparse", "raw", "multi_output", None])
def test_table(folders, class_mode):
    pandas = pytest.importorskip("pandas", reason="tables need pandas")
    names = [f"{k}/{i}.png" for k, c in (("cats", 5), ("dogs", 7)) for i in range(c)]
    table = pandas.DataFrame({
        "filename": [*names, "missing.png"], "class": [*(n.split("/")[0] for n in names), "cats"],
        "size": np.arange(13.0), "weight": np.arange(13.0) / 2,
    })  # fmt: skip
    y_col = {"raw": "size", "multi_output": ["size", "weight"]}.get(class_mode, "class")
    results = []
    for module in (ours, theirs):
        flow = module.ImageDataGenerator(vertical_flip=True).flow_from_dataframe(
            table, str(folders), y_col=y_col, weight_col="weight", class_mode=class_mode, target_size=(6, 6), seed=2,
            batch_size=6,
        )  # fmt: skip
        results.append(next(flow))
    if class_mode is None:
        np.testing.assert_allclose(*results)
        return
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=1e-5)
