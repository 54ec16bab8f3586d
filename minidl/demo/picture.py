"""The demo's picture: curves of loss and accuracy, and the held-out digits that the network got wrong."""

from minidl.extras import need


def draw(path, history, images, labels, predicted):
    """Writes a PNG: the curves of ``history`` above a grid of at most 24 wrong digits (NumPy arrays)."""
    matplotlib = need("matplotlib", "matplotlib", "demo")
    matplotlib.use("Agg")
    figures = need("matplotlib.figure", "matplotlib", "demo")
    figure = figures.Figure(figsize=(9, 7.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.1])
    _curves(top, history)
    _wrong(bottom, images, labels, predicted)
    figure.savefig(path, dpi=110)


def _curves(figure, history):
    epochs = range(1, len(history) + 1)
    for axis, key, title in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), ("cross entropy", "accuracy"), strict=True
    ):
        axis.plot(epochs, [h[key] for h in history], label="training")
        axis.plot(epochs, [h["test_" + key] for h in history], label="held out")
        axis.set(xlabel="epoch", title=title)
        axis.grid(alpha=0.3)
        axis.legend()


def _wrong(figure, images, labels, predicted):
    wrong = (labels != predicted).nonzero()[0]
    figure.suptitle(f"{len(wrong)} of {len(labels)} held-out digits wrong (true -> predicted)")
    axes = figure.subplots(3, 8).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, i in zip(axes, wrong, strict=False):
        axis.imshow(images[i, 0], cmap="gray_r")
        axis.set_title(f"{labels[i]} -> {predicted[i]}", fontsize=9)
