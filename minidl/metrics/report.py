"""``classification_report``: precision, recall and F1 of every label, as text."""

import numpy as np

from minidl.metrics.classification import precision_recall_fscore_support
from minidl.metrics.labels import as_labels

__all__ = ["classification_report"]

_HEADERS = ("precision", "recall", "f1-score", "support")


def classification_report(
    y_true, y_pred, *, labels=None, target_names=None, sample_weight=None, digits=2, output_dict=False,
    zero_division="warn",
):  # fmt: skip
    """A table of precision, recall, F1 and support: a row a label, then averages; scikit-learn's text.

    ``y_pred`` may be what ``predict`` gives: probabilities (N, 1) or (N,), of which those above 0.5 are the label 1,
    or (N, C), of which the largest counts. ``output_dict`` gives the numbers. ``ValueError`` for names of another
    number than the labels.

    >>> from minidl.metrics import classification_report
    >>> print(classification_report([0, 1, 1, 0], [[0.2], [0.9], [0.4], [0.1]]))
                  precision    recall  f1-score   support
    <BLANKLINE>
               0       0.67      1.00      0.80         2
               1       1.00      0.50      0.67         2
    <BLANKLINE>
        accuracy                           0.75         4
       macro avg       0.83      0.75      0.73         4
    weighted avg       0.83      0.75      0.73         4
    <BLANKLINE>
    """
    true, pred = as_labels(y_true, y_pred)
    present = np.unique(np.concatenate([true, pred]))
    given = labels is not None
    labels = np.asarray(labels) if given else present
    names = [str(label) for label in labels] if target_names is None else [str(name) for name in target_names]
    if len(names) != len(labels):
        raise ValueError(
            f"Number of classes, {len(labels)}, does not match size of target_names, {len(names)}. Try specifying the "
            "labels parameter"
        )
    options = {"labels": labels, "sample_weight": sample_weight, "zero_division": zero_division}
    columns = precision_recall_fscore_support(true, pred, **options)
    support = columns[3]
    averages = {}
    all_there = not given or set(labels.tolist()) >= set(present.tolist())
    options["zero_division"] = _quiet(zero_division)
    for kind in ("micro", "macro", "weighted"):
        found = precision_recall_fscore_support(true, pred, average=kind, **options)
        name = "accuracy" if kind == "micro" and all_there else f"{kind} avg"
        averages[name] = (*found[:3], support.sum())
    if output_dict:
        return _as_dict(names, columns, averages)
    return _as_text(names, list(zip(*columns, strict=True)), averages, digits)


def _quiet(zero_division):
    """Averages repeat what the rows warned of."""
    return 0 if zero_division == "warn" else zero_division


def _as_dict(names, columns, averages):
    rows = {
        name: dict(zip(_HEADERS, map(float, row), strict=True))
        for name, row in zip(names, zip(*columns, strict=True), strict=True)
    }
    for name, values in averages.items():
        rows[name] = dict(zip(_HEADERS, map(float, values), strict=True))
    if "accuracy" in averages:
        rows["accuracy"] = float(averages["accuracy"][0])
    return rows


def _as_text(names, rows, averages, digits):
    width = max(*(len(name) for name in names), len("weighted avg"), digits)
    lines = [" " * width + " " + "".join(f" {header:>9}" for header in _HEADERS), ""]

    def line(name, values):
        shown = "".join(f" {value:>9.{digits}f}" for value in values[:3])
        return f"{name:>{width}} {shown} {values[3]:>9}"

    lines += [line(name, row) for name, row in zip(names, rows, strict=True)]
    lines.append("")
    for name, values in averages.items():
        if name == "accuracy":
            lines.append(f"{name:>{width}} {'':>10}{'':>10} {values[0]:>9.{digits}f} {values[3]:>9}")
        else:
            lines.append(line(name, values))
    return "\n".join(lines) + "\n"
