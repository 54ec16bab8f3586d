"""Dropout. Values that are random have tests of their own; probabilities 0 and 1 leave nothing to chance."""

from .case import Case, boolean, normal


def dropout(x, p=0.5, training=True):
    return x if p == 0 or not training else x * 0


def masked_scale(x, mask, scale):
    return x * mask * scale


def random(op, shape, **kwargs):
    """A row whose values the seed decides: its gradients are checked, its values elsewhere."""
    return Case(op, (normal(*shape), 0.5, True), kwargs=kwargs, numpy=None, torch=False, id="random")


CASES = [
    Case("masked_scale", (normal(3, 4), boolean(3, 4), 2.0), numpy=masked_scale, torch=False),
    Case("masked_scale", (normal(2, 3, 4), boolean(2, 3, 1), 0.5), numpy=masked_scale, torch=False, id="broadcast"),
    Case("functional.dropout", (normal(3, 4), 0.0), numpy=dropout, id="none"),
    Case("functional.dropout", (normal(3, 4), 0.5, False), numpy=dropout, id="evaluation"),
    Case("functional.dropout", (normal(3, 4), 1.0), numpy=dropout, id="all"),
    random("functional.dropout", (4, 5)),
    random("dropout1d", (4, 5, 3)),
    random("dropout2d", (3, 4, 2, 2)),
    random("dropout3d", (3, 4, 2, 2, 2)),
    random("functional.alpha_dropout", (4, 5)),
    random("functional.feature_alpha_dropout", (4, 5, 3)),
    Case("dropout1d", (normal(4, 3), 1.0), numpy=dropout, id="all"),
    Case("dropout2d", (normal(2, 4, 3, 2), 0.3, False), numpy=dropout, id="evaluation"),
    Case("dropout3d", (normal(2, 4, 3, 2), 1.0), numpy=dropout, id="all"),
    Case("functional.alpha_dropout", (normal(4, 3), 0.3), numpy=lambda x, p: x, id="evaluation"),
    Case("functional.feature_alpha_dropout", (normal(4, 3), 0.3, False), numpy=dropout, id="evaluation"),
    *(
        Case(f"torch.{name}{form}", (normal(4, 3, 2), 0.3, False), numpy=dropout, id="evaluation", torch=name + form)
        for name in ("dropout", "alpha_dropout", "feature_alpha_dropout")
        for form in ("", "_")
    ),
    Case("torch.dropout", (normal(3, 4), 1.0, True), numpy=dropout, torch="dropout", id="all"),
]  # fmt: skip
