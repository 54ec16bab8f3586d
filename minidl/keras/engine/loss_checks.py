"""A loss's value, or an error that says which data do not fit it and what would."""

from minidl.keras.engine.nest import flatten


def checked(loss, y_true, y_pred, sample_weight):
    """``loss(y_true, y_pred, sample_weight)``; where it fails, the reason in terms of the model and the data."""
    if y_true is None:
        raise ValueError(
            "You must pass `y`: the model was compiled with a loss, but the data have no targets. Hint: fit(x, y), or "
            "batches of (x, y)."
        )
    try:
        problem = _unfit(loss, y_true, y_pred)
        if problem:
            raise ValueError(problem)
        return loss(y_true, y_pred, sample_weight)
    except (ValueError, RuntimeError, IndexError, TypeError) as error:
        reason = explanation(loss, y_true, y_pred)
        if not reason or reason in str(error):
            raise
        raise ValueError(f"{error} {reason}") from error


_ELEMENTWISE = {
    *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError"),
    *(
        "Huber",
        "LogCosh",
        "BinaryCrossentropy",
        "BinaryFocalCrossentropy",
        "KLDivergence",
        "Poisson",
        "Hinge",
    ),
    *("SquaredHinge", "CategoricalHinge", "CosineSimilarity"),
}


def _unfit(loss, y_true, y_pred):
    """Why an elementwise or one-hot loss cannot take the shapes, before it broadcasts them silently."""
    name = type(loss).__name__
    if name == "CategoricalCrossentropy":
        return explanation(loss, y_true, y_pred)
    if name not in _ELEMENTWISE or isinstance(y_pred, (list, tuple, dict)) or not hasattr(y_true, "shape"):
        return ""
    given, made = tuple(y_true.shape), tuple(y_pred.shape)
    if given == made or (*given, 1) == made or given == (*made, 1):
        return ""
    units = (
        f" Hint: the last layer has {made[-1]} units; the targets want {given[-1] if len(given) > 1 else 1}."
    )
    return f"y has shape {given}, the model's output {made}: {name} compares them element by element.{units}"


def explanation(loss, y_true, y_pred):
    """What of ``y_true`` does not fit the loss, in words; empty where nothing is known."""
    if y_true is None or isinstance(y_pred, (list, tuple, dict)) or not hasattr(y_true, "shape"):
        return ""
    name, given, made = type(loss).__name__, tuple(y_true.shape), tuple(y_pred.shape)
    if name == "CategoricalCrossentropy" and given != made and (len(given) < len(made) or given[-1] == 1):
        return (
            f"Arguments `target` and `output` must have the same shape: y has shape {given}, the "
            f"model's output {made}. "
            "Hint: for class numbers use loss='sparse_categorical_crossentropy', or one-hot targets by "
            "keras.utils.to_categorical(y)."
        )
    if name == "CategoricalCrossentropy" and given != made:
        return (
            f"Arguments `target` and `output` must have the same shape: y has shape {given}, the "
            f"model's output {made}. "
            f"Hint: the last layer has {made[-1]} units, the targets have {given[-1]} classes."
        )
    if name == "SparseCategoricalCrossentropy":
        return _classes_out_of_range(y_true, made)
    if name == "BinaryCrossentropy" and given != made and (*given, 1) != made:
        return f"y has shape {given}, the model's output {made}: binary_crossentropy needs the same shape."
    return f"(y has shape {given}, the model's output {made})" if given[:1] != made[:1] else ""


def _classes_out_of_range(y_true, made):
    given = tuple(y_true.shape)
    if given == made and made[-1] > 1:
        return (
            f"y has shape {given}, like the model's output: it seems one-hot. Hint: use "
            "loss='categorical_crossentropy', or "
            "y.argmax(-1)."
        )
    if not y_true.numel():
        return ""
    low, high = (int(flatten(v.item())[0]) for v in (y_true.min(), y_true.max()))
    if low < 0 or high >= made[-1]:
        wrong = high if high >= made[-1] else low
        return (
            f"Target {wrong} is out of bounds: y holds classes from {low} to {high}, the last layer "
            f"has {made[-1]} units. "
            f"Hint: give it {high + 1} units" + (", and number the classes from 0." if low < 0 else ".")
        )
    return ""
