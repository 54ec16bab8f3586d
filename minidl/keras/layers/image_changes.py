"""``RandomImages``: what the layers share that change images at random while training."""

from minidl import rand
from minidl.keras.layers.random_noise import Noise
from minidl.keras.settings import named_dtype, standardize_data_format

__all__ = ["RandomImages", "range_of", "value_range_of"]


class RandomImages(Noise):
    """A change of (N, H, W, C) or (H, W, C) in training, of each image by its own draw; channels first as well.

    Called on images, or on a dict of ``images`` and what belongs to them: ``labels`` (N, ...) and
    ``segmentation_masks`` (N, H, W, 1), which change along with their images. A subclass defines ``draw(images)``,
    which gives what is drawn, and ``changed(images, drawn)``, both of (N, H, W, C).
    """

    takes_integers = False  # labels and masks keep their dtype
    always = False  # whether images change outside training as well

    def start(self, seed, data_format):
        """Keeps the arguments that all of them have."""
        self.keep(data_format=standardize_data_format(data_format), seed=seed)
        self.built = True

    def call(self, data, training=True):
        parts = dict(data) if isinstance(data, dict) else {"images": data}
        given = parts["images"]
        if given.ndim not in (3, 4):
            raise ValueError(
                "Expected image tensor to have rank 3 (single image) or 4 (batch of images). Received: "
                f"data.shape={tuple(given.shape)}"
            )
        if "bounding_boxes" in parts:
            raise NotImplementedError(f"{type(self).__name__} does not move bounding boxes: leave them out")
        single = given.ndim == 3
        given = given.to(named_dtype(self.compute_dtype))
        if not (training or self.always):
            parts["images"] = given
            return parts if isinstance(data, dict) else given
        images = self._inside(given, single)
        drawn = self.draw(images)
        parts["images"] = self._outside(self.changed(images, drawn), single)
        if "labels" in parts:
            labels = parts["labels"]
            labels = self.changed_labels(labels.unsqueeze(0) if single else labels, drawn)
            parts["labels"] = labels.squeeze(0) if single else labels
        if "segmentation_masks" in parts:
            masks = parts["segmentation_masks"]
            moved = self.changed_masks(self._inside(masks, single).to(images.dtype), drawn)
            parts["segmentation_masks"] = self._outside(moved, single).to(masks.dtype)
        return parts if isinstance(data, dict) else parts["images"]

    def _inside(self, images, single):
        images = images.unsqueeze(0) if single else images
        return images.permute(0, 2, 3, 1) if self.data_format == "channels_first" else images

    def _outside(self, images, single):
        images = images.permute(0, 3, 1, 2) if self.data_format == "channels_first" else images
        return images.squeeze(0) if single else images

    def draw(self, images):
        """What is drawn for a batch; nothing by default."""
        return None

    def changed(self, images, drawn):
        """The images after the change."""
        raise NotImplementedError(f"{type(self).__name__} defines no changed(images, drawn)")

    def changed_labels(self, labels, drawn):
        """The labels, which stay where the images do not mix."""
        return labels

    def changed_masks(self, masks, drawn):
        """The masks, which stay where nothing moves."""
        return masks

    def uniform(self, images, low, high):
        """A number of [low, high) an image."""
        return low + (high - low) * self.drawn(rand, images, (images.shape[0],))

    def chosen(self, images, odds):
        """Which images are changed, (N, 1, 1, 1): with a probability that is drawn of ``odds`` for each."""
        odds = self.uniform(images, *odds)
        return (self.uniform(images, 0.0, 1.0) < odds).reshape(-1, 1, 1, 1)

    def draws_from(self, other):
        """Takes the next draws from another layer's generator. Returns the layer."""
        object.__setattr__(self, "generator", other.generator)
        return self


def range_of(value, low=-1, high=1, name="factor"):
    """A number f as (max(-f, low), f), two of them as they are. ``ValueError`` outside [low, high]."""
    if isinstance(value, (tuple, list)) and len(value) == 2:
        pair = tuple(sorted(value))
        fits = pair[0] <= high and pair[1] >= low
    elif isinstance(value, (int, float)):
        pair = (max(-abs(value), low), abs(value))
        fits = low <= value <= high
    else:
        fits = False
    if not fits:
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range [{low}, {high}]. "
            f"Received: factor={value}"
        )
    return pair


def value_range_of(value_range):
    """The lowest and the highest value of images, in order. ``ValueError`` unless there are two."""
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ValueError(
            f"The `value_range` argument should be a list of two numbers. Received: value_range={value_range}"
        )
    return sorted(value_range)
