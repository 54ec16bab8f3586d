"""Numbers that real Keras 3.15 gives (and Keras 2, where nothing is said): each is written down here."""

import math

import numpy as np
import pytest

from minidl import keras

K, L, M, O, I = keras, keras.losses, keras.metrics, keras.optimizers, keras.initializers  # noqa: E741
T, P = [[0.0, 1.0], [1.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]]
ONE, THREE = [[0.0, 1.0, 0.0]], [[0.05, 0.95, 0.0]]


def number(value):
    """The numbers of a tensor, an array or a float."""
    value = value.detach() if hasattr(value, "detach") else value
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value, dtype="float64")


def loss(name, y_true, y_pred, **options):
    return lambda: getattr(L, name)(**options)(np.array(y_true, "float32"), np.array(y_pred, "float32"))


def metric(name, y_true, y_pred, weights=None, **options):
    def run():
        made = getattr(M, name)(**options)
        made.update_state(np.array(y_true, "float32"), np.array(y_pred, "float32"), sample_weight=weights)
        return made.result()

    return run


def stepped(name, steps=2, gradient=0.5, **options):
    """The weight 1 after steps with one gradient."""

    def run():
        made, weight = getattr(O, name)(**options), K.Variable(np.array([1.0], "float32"))
        for _ in range(steps):
            made.apply([K.ops.convert_to_tensor(np.array([gradient], "float32"))], [weight])
        return number(weight.value if hasattr(weight, "value") else weight)[0]

    return run


def schedule(name, step, *args, **options):
    return lambda: getattr(O.schedules, name)(*args, **options)(step)


def spread(name, shape=(300, 200), **options):
    return lambda: number(getattr(I, name)(seed=1, **options)(shape)).std()


def activation(name, at, **options):
    return lambda: getattr(K.activations, name)(np.array([[at, 0.0]], "float32"), **options)[0, 0]


LOSSES = [
    ("BCE of a certain error", loss("BinaryCrossentropy", [[1.0]], [[0.0]]), 16.118095),
    ("BCE", loss("BinaryCrossentropy", T, P), 0.916291),
    ("BCE, logits", loss("BinaryCrossentropy", [[1.0, 0.0]], [[2.0, -1.0]], from_logits=True), 0.220095),
    ("BCE, smoothed", loss("BinaryCrossentropy", T, P, label_smoothing=0.2), 0.875744),
    ("CCE", loss("CategoricalCrossentropy", ONE, THREE), 0.0512933),
    ("CCE rescales", loss("CategoricalCrossentropy", [[0.0, 1.0]], [[1.0, 3.0]]), 0.2876821),
    ("CCE, logits", loss("CategoricalCrossentropy", [[0.0, 1.0]], [[1.0, 3.0]], from_logits=True), 0.126928),
    ("SCCE", loss("SparseCategoricalCrossentropy", [1.0], THREE), 0.0512933),
    ("MSE", loss("MeanSquaredError", [[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]), 0.5),
    ("MAE", loss("MeanAbsoluteError", [[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]), 0.5),
    ("MAPE", loss("MeanAbsolutePercentageError", [[1.0, 4.0]], [[2.0, 3.0]]), 62.5),
    ("MSLE", loss("MeanSquaredLogarithmicError", [[0.0, 1.0]], [[1.0, 1.0]]), 0.2402265),
    ("Huber", loss("Huber", [[0.0, 0.0]], [[0.5, 3.0]]), 1.3125),
    ("LogCosh", loss("LogCosh", [[0.0, 0.0]], [[1.0, 2.0]]), 0.8793916),
    ("KLD", loss("KLDivergence", [[0.3, 0.7]], [[0.5, 0.5]]), 0.0822831),
    ("Poisson", loss("Poisson", [[1.0, 2.0]], [[2.0, 3.0]]), 1.0548149),
    ("Hinge", loss("Hinge", [[1.0, -1.0]], [[0.3, 0.6]]), 1.15),
    ("Hinge of 0 and 1", loss("Hinge", [[1.0, 0.0]], [[0.3, 0.6]]), 1.15),
    ("SquaredHinge", loss("SquaredHinge", [[1.0, -1.0]], [[0.3, 0.6]]), 1.525),
    ("CategoricalHinge", loss("CategoricalHinge", [[0.0, 1.0]], [[0.4, 0.6]]), 0.8),
    ("CosineSimilarity", loss("CosineSimilarity", [[3.0, 4.0]], [[4.0, 3.0]]), -0.96),
    ("focal", loss("BinaryFocalCrossentropy", [[1.0]], [[0.8]]), 0.00892574),
    ("Dice", loss("Dice", [[1.0, 0.0]], [[0.5, 0.5]]), 0.5),
    ("Tversky", loss("Tversky", [[1.0, 0.0]], [[0.5, 0.5]]), 0.5),
    ("a sum", loss("MeanSquaredError", [[0.0], [0.0]], [[1.0], [2.0]], reduction="sum"), 5.0),
    ("none", loss("MeanSquaredError", [[0.0], [0.0]], [[1.0], [2.0]], reduction=None), [1.0, 4.0]),
]
METRICS = [
    ("BinaryAccuracy at 0.5", metric("BinaryAccuracy", [[1.0], [0.0], [1.0]], [[0.5], [0.5], [0.51]]), 2 / 3),
    ("CategoricalAccuracy", metric("CategoricalAccuracy", ONE, THREE), 1.0),
    ("SparseCategoricalAccuracy", metric("SparseCategoricalAccuracy", [[2.0]], THREE), 0.0),
    ("TopK", metric("SparseTopKCategoricalAccuracy", [0.0], THREE, k=2), 1.0),
    ("TopK of a column", metric("SparseTopKCategoricalAccuracy", [[0.0]], THREE, k=2), 1.0),
    ("AUC", metric("AUC", [0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]), 0.75),
    ("AUC of weights", metric("AUC", [0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9], [1, 0, 0, 1]), 1.0),
    ("AUC, PR", metric("AUC", [0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9], curve="PR"), 0.7972674),
    ("Precision", metric("Precision", [0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]), 2 / 3),
    ("Precision of weights", metric("Precision", [0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0], [0, 0, 1, 0]), 1.0),
    ("Recall", metric("Recall", [0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]), 2 / 3),
    ("F1", metric("F1Score", [[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]],
                  threshold=0.5), [0.5, 0.8, 2 / 3]),
    ("R2", metric("R2Score", [[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]), 0.5714286),
    ("RMSE", metric("RootMeanSquaredError", [[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]), 0.5),
    ("MAPE", metric("MeanAbsolutePercentageError", [[1.0, 4.0]], [[2.0, 3.0]]), 62.5),
    ("BinaryCrossentropy", metric("BinaryCrossentropy", T, P), 0.916291),
    ("CosineSimilarity", metric("CosineSimilarity", [[3.0, 4.0]], [[4.0, 3.0]]), 0.96),
    ("MeanIoU", metric("MeanIoU", [0, 0, 1, 1], [0, 1, 0, 1], num_classes=2), 1 / 3),
]  # fmt: skip
OPTIMIZERS = [
    ("SGD", stepped("SGD"), 0.99),
    ("SGD, momentum", stepped("SGD", momentum=0.9), 0.9855),
    ("SGD, nesterov", stepped("SGD", momentum=0.9, nesterov=True), 0.97695),
    ("SGD, decay before the step", stepped("SGD", 1, weight_decay=0.1), 0.994),
    ("RMSprop", stepped("RMSprop"), 0.9945436),
    ("Adam", stepped("Adam"), 0.998),
    ("Adam, amsgrad", stepped("Adam", amsgrad=True), 0.998),
    ("Adam, epsilon before the correction", stepped("Adam", 1, gradient=1e-6), 0.9997597),
    ("AdamW", stepped("AdamW"), 0.997992),
    ("Adagrad", stepped("Adagrad"), 0.9985098),
    ("Adadelta", stepped("Adadelta"), 0.999997),
    ("Adamax", stepped("Adamax"), 0.998),
    ("Nadam", stepped("Nadam"), 0.9981636),
    ("Lion", stepped("Lion"), 0.998),
    ("Ftrl", stepped("Ftrl"), 0.4639869),
    ("clipvalue", stepped("SGD", 1, clipvalue=0.1), 0.999),
    ("clipnorm", stepped("SGD", 1, gradient=5.0, clipnorm=1.0), 0.99),
]
SCHEDULES = [
    ("ExponentialDecay", schedule("ExponentialDecay", 5, 0.1, 10, 0.5), 0.0707107),
    ("ExponentialDecay in stairs", schedule("ExponentialDecay", 15, 0.1, 10, 0.5, staircase=True), 0.05),
    ("InverseTimeDecay", schedule("InverseTimeDecay", 10, 0.1, 10, 0.5), 0.0666667),
    ("PolynomialDecay", schedule("PolynomialDecay", 5, 0.1, 10), 0.05005),
    ("PiecewiseConstantDecay", schedule("PiecewiseConstantDecay", 7, [5, 10], [1.0, 0.5, 0.1]), 0.5),
    ("CosineDecay", schedule("CosineDecay", 5, 0.1, 10), 0.05),
    ("CosineDecay, warm", schedule("CosineDecay", 5, 0.0, 10, warmup_target=0.1, warmup_steps=10), 0.05),
    ("CosineDecayRestarts", schedule("CosineDecayRestarts", 15, 0.1, 10), 0.0853553),
]
INITIALIZERS = [
    ("glorot_uniform", spread("GlorotUniform"), math.sqrt(2 / 500)),
    ("glorot_normal", spread("GlorotNormal"), math.sqrt(2 / 500)),
    ("he_normal", spread("HeNormal"), math.sqrt(2 / 300)),
    ("he_uniform", spread("HeUniform"), math.sqrt(2 / 300)),
    ("lecun_normal", spread("LecunNormal"), math.sqrt(1 / 300)),
    ("random_uniform", spread("RandomUniform"), 0.1 / math.sqrt(12)),
    ("random_normal", spread("RandomNormal"), 0.05),
    ("truncated_normal", spread("TruncatedNormal"), 0.05 * 0.87962566),
    ("orthogonal", lambda: np.linalg.norm(number(I.Orthogonal(seed=1)((300, 200)))[:, 3]), 1.0),
]
OTHERS = [
    ("hard_sigmoid", activation("hard_sigmoid", 1.0), 2 / 3),
    ("gelu is exact", activation("gelu", 1.0), 0.8413447),
    ("gelu, tanh", activation("gelu", 1.0, approximate=True), 0.8411920),
    ("leaky_relu's function", activation("leaky_relu", -1.0), -0.2),
    ("LeakyReLU", lambda: K.layers.LeakyReLU()(np.array([[-1.0]], "float32")), [[-0.3]]),
    ("elu", activation("elu", -1.0), -0.6321206),
    ("selu", activation("selu", -1.0), -1.1113307),
    ("swish", activation("swish", 1.0), 0.7310586),
    ("softsign", activation("softsign", 3.0), 0.75),
    ("softplus", activation("softplus", 1.0), 1.3132616),
    ("mish", activation("mish", 1.0), 0.8650984),
    ("relu6", activation("relu6", 7.0), 6.0),
    ("exponential", activation("exponential", 1.0), math.e),
    ("l2", lambda: K.regularizers.L2()(np.array([[1.0, 2.0]], "float32")), 0.05),
    ("l1_l2", lambda: K.regularizers.L1L2(0.1, 0.2)(np.array([[1.0, -2.0]], "float32")), 1.3),
    ("orthogonal penalty", lambda: K.regularizers.OrthogonalRegularizer(0.01)(np.ones((2, 2), "float32")), 0.01),
    ("max_norm", lambda: K.constraints.MaxNorm(1.0)(np.array([[3.0], [4.0]], "float32")), [[0.6], [0.8]]),
    ("unit_norm", lambda: K.constraints.UnitNorm()(np.array([[3.0], [4.0]], "float32")), [[0.6], [0.8]]),
    ("normalize", lambda: K.utils.normalize(np.array([3.0, 4.0])), [[0.6, 0.8]]),
    ("to_categorical", lambda: K.utils.to_categorical([1, 0], 3), [[0, 1, 0], [1, 0, 0]]),
    ("pad_sequences", lambda: K.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2), [[0, 1], [3, 4]]),
    ("pad_sequences, post", lambda: K.utils.pad_sequences([[1], [2, 3, 4]], 2, padding="post", truncating="post"),
     [[1, 0], [2, 3]]),
    ("Rescaling", lambda: K.layers.Rescaling(1 / 127.5, -1)(np.array([[255.0, 0.0]], "float32")), [[1.0, -1.0]]),
    ("Normalization", lambda: K.layers.Normalization(mean=1.0, variance=4.0)(np.array([[5.0]], "float32")), [[2.0]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("use", "expected", "tolerance"),
    [
        pytest.param(use, expected, tolerance, id=f"{room}: {name}")
        for room, rows, tolerance in (
            ("loss", LOSSES, 2e-6), ("metric", METRICS, 2e-6), ("optimizer", OPTIMIZERS, 2e-6),
            ("schedule", SCHEDULES, 2e-6), ("initializer", INITIALIZERS, 0.02), ("other", OTHERS, 2e-6),
        )
        for name, use, expected in rows
    ],
)  # fmt: skip
def test_number(use, expected, tolerance):
    np.testing.assert_allclose(number(use()), expected, rtol=tolerance, atol=tolerance / 10)
