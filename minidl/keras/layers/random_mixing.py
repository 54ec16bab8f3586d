"""Images mixed with one another, and mixtures of changes: MixUp, CutMix, RandAugment, AugMix."""

from minidl import rand, randint, randperm
from minidl.keras.draws import beta_draw, gamma_draw
from minidl.keras.layers.image_changes import RandomImages, range_of
from minidl.keras.layers.random_colors import (
    AutoContrast,
    Equalization,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    Solarization,
)
from minidl.keras.layers.random_filters import RandomSharpness, boxes
from minidl.keras.layers.random_images import RandomRotation, RandomShear, RandomTranslation
from minidl.ops.selection import where

__all__ = ["AugMix", "CutMix", "MixUp", "RandAugment"]


class Mixing(RandomImages):
    """What MixUp and CutMix share: each image meets another, and the labels mix like the images."""

    def order(self, images):
        """Which image each one meets."""
        return randperm(images.shape[0], generator=self.generator()).to(images.device)

    def changed_labels(self, labels, drawn):
        """The labels mixed: one-hot, or numbers."""
        order, weight = drawn[0], drawn[1]
        weight = weight.reshape(-1, *(1,) * (labels.ndim - 1))
        return weight * labels + (1 - weight) * labels.index_select(0, order)


class MixUp(Mixing):
    """w x + (1 - w) y for each image x and another one y of the batch, with w of Beta(alpha, alpha).

    Called on a dict of ``images`` and one-hot ``labels``, which are mixed alike. Source: H. Zhang et al., 2017.

    >>> import numpy as np
    >>> from minidl import keras
    >>> out = keras.layers.MixUp()({"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)})
    >>> out["labels"].shape
    torch.Size([2, 2])
    """

    def __init__(self, alpha=0.2, data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(alpha=alpha)

    def draw(self, images):
        """Which image each one meets, and its own weight."""
        weight = beta_draw((images.shape[0],), self.alpha, self.alpha, self.generator()).to(images.dtype)
        return self.order(images), weight.to(images.device)

    def changed(self, images, drawn):
        """The images mixed."""
        order, weight = drawn
        weight = weight.reshape(-1, 1, 1, 1)
        return weight * images + (1 - weight) * images.index_select(0, order)

    changed_masks = changed


class CutMix(Mixing):
    """Puts a rectangle of another image of the batch into each, its share 1 - w, w of Beta(a, a), a of ``factor``.

    Called on a dict of ``images`` and one-hot ``labels``, which are mixed by the rectangle's share; a single image
    stays. Source: S. Yun et al., 2019.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.CutMix()(np.ones((2, 4, 4, 3))).shape
    torch.Size([2, 4, 4, 3])
    """

    def __init__(self, factor=1.0, seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor, 0, 1))

    def draw(self, images):
        """Which image each one meets, its own share, and the pixels that come from the other."""
        n, (low, high) = images.shape[0], self.factor
        alpha = low + (high - low) * float(self.drawn(rand, images, (1,))) + 1e-6
        weight = beta_draw((n,), alpha, alpha, self.generator()).to(images.dtype).to(images.device)
        shares = (1 - weight).sqrt().reshape(-1, 1).expand(n, 2)
        inside, (wide, high) = boxes(images, shares, self.drawn(rand, images, (n, 2)))
        return self.order(images), 1 - wide * high / (images.shape[1] * images.shape[2]), inside

    def changed(self, images, drawn):
        """The images, each with a part of another."""
        return where(drawn[2], images.index_select(0, drawn[0]), images)

    changed_masks = changed


def _changes(owner, names, factor, value_range, interpolation):
    """The layers of RandAugment and AugMix, by name, drawing from their owner's generator."""
    moved, ranged = {"interpolation": interpolation}, {"value_range": value_range}
    makers = {
        "random_shear": lambda: RandomShear(factor, factor, **moved),
        "random_translation": lambda: RandomTranslation(factor, factor, **moved),
        "random_rotation": lambda: RandomRotation(factor, **moved),
        "random_brightness": lambda: RandomBrightness(factor, **ranged),
        "random_color_degeneration": lambda: RandomColorDegeneration(factor, **ranged),
        "random_contrast": lambda: RandomContrast(factor, **ranged),
        "random_sharpness": lambda: RandomSharpness(factor, **ranged),
        "random_posterization": lambda: RandomPosterization(max(1, int(8 * factor[1])), **ranged),
        "solarization": lambda: Solarization(factor, factor, **ranged),
        "auto_contrast": lambda: AutoContrast(**ranged),
        "equalization": lambda: Equalization(**ranged),
    }
    return {name: makers[name]().draws_from(owner) for name in names or makers}


class Augment(RandomImages):
    """What RandAugment and AugMix share: a set of changes, applied to the whole batch one after another."""

    def collect(self, names, factor, value_range, interpolation):
        """Makes the changes."""
        made = _changes(self, names, factor, value_range, interpolation)
        object.__setattr__(self, "changes", list(made.values()))

    def choose(self, count, number):
        """``number`` whole numbers below ``count``."""
        return randint(0, count, (number,), generator=self.generator()).tolist()

    def one(self, images, choice):
        """A change drawn, as a pair: the layer, and what it draws."""
        layer = self.changes[choice]
        return layer, layer.draw(images)


class RandAugment(Augment):
    """``num_ops`` changes of a set of eleven, one after another, each with a strength drawn up to ``factor``.

    The set: shear, shift, rotation, brightness, grey, contrast, sharpness, fewer levels, solarization, all the
    contrast, equal histograms. Source: E. Cubuk et al., 2019.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandAugment(factor=0.3)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, value_range=(0, 255), num_ops=2, factor=0.5, interpolation="bilinear", seed=None, data_format=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(
            value_range=value_range,
            num_ops=num_ops,
            factor=range_of(factor, 0, 1),
            interpolation=interpolation,
        )
        self.collect(None, self.factor, value_range, interpolation)

    def draw(self, images):
        """The changes, and what they draw."""
        return [self.one(images, choice) for choice in self.choose(len(self.changes), self.num_ops)]

    def changed(self, images, drawn):
        """The images after the changes."""
        for layer, of_layer in drawn:
            images = layer.changed(images, of_layer)
        return images

    def changed_masks(self, masks, drawn):
        """The masks, moved where the images are."""
        for layer, of_layer in drawn:
            masks = layer.changed_masks(masks, of_layer)
        return masks


class AugMix(Augment):
    """w x + (1 - w) sum of c_i chain_i(x): ``num_chains`` chains of up to ``chain_depth`` changes, mixed with x.

    w is drawn of Beta(alpha, alpha), the c_i of Dirichlet(alpha); without ``all_ops`` the changes are the moves and
    those of levels alone. Source: D. Hendrycks et al., 2019.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.AugMix()(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, value_range=(0, 255), num_chains=3, chain_depth=3, factor=0.3, alpha=1.0, all_ops=True,
        interpolation="bilinear", seed=None, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(
            value_range=value_range, num_chains=num_chains, chain_depth=chain_depth, factor=range_of(factor, 0, 1),
            alpha=alpha, all_ops=all_ops, interpolation=interpolation,
        )  # fmt: skip
        names = None if all_ops else (
            "random_shear", "random_translation", "random_rotation", "random_posterization", "solarization",
            "auto_contrast", "equalization",
        )  # fmt: skip
        self.collect(names, self.factor, value_range, interpolation)

    def draw(self, images):
        """The weights of the chains, the images' own, and each chain's changes: none of them may be 'nothing'."""
        generator, count = self.generator(), len(self.changes)
        shares = gamma_draw((self.num_chains,), self.alpha, generator)
        weight = beta_draw((1,), self.alpha, self.alpha, generator)
        chains = [
            [self.one(images, c) for c in self.choose(count + 1, self.chain_depth) if c < count]
            for _ in range(self.num_chains)
        ]
        return (shares / shares.sum()).tolist(), float(weight), chains

    def changed(self, images, drawn):
        """The images, mixed with what the chains make of them."""
        shares, weight, chains = drawn
        mixed = images * weight
        for share, chain in zip(shares, chains, strict=True):
            out = images
            for layer, of_layer in chain:
                out = layer.changed(out, of_layer)
            mixed = mixed + out * (share * (1 - weight))
        return mixed.clamp(*self.value_range)
