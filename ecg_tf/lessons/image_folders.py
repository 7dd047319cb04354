"""Folders of PNG images, and the control that takes their neighbourhoods away.

A fixed permutation of the pixels loses nothing (it has an exact inverse), but parts neighbours.
"""

import io
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.images.quantize import dequantize, quantize

LARGEST_SIDE = 1024  # pixels
_MODES = {"1": "L", "L": "L", "LA": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB"}
MOST_VALUES = 2**28  # of all images together: 1 GB


def write_digits(folder) -> Path:
    """Writes the 1,797 handwritten digits of scikit-learn to a folder: grey PNGs of 8 x 8 pixels.

    Args:
        folder: made if missing. Files are named by number and digit, `0007_digit_7.png`.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = [f"{k:04d}_digit_{digit}.png" for k, digit in enumerate(digits.target)]
    return write_images(digits.images[..., None] / 8 - 1, folder, names)


def write_images(images, folder, names=None) -> Path:
    """Images (n, height, width, 1 or 3) in [-1, 1] as PNG files of 8 bits, grey or RGB: rounded,
    never truncated. Named `000000.png` and so on, unless `names` are given. InputError: another
    shape, or the folder cannot be written to."""
    from PIL import Image

    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise InputError("These images cannot be written as PNG.", got=f"shape {images.shape}",
                         expected="(n, height, width, channel) with 1 or 3 channels",
                         fix="write the channels one by one")
    names = [f"{k:06d}.png" for k in range(len(images))] if names is None else names
    for image, name in zip(quantize(images, "uint8"), names, strict=True):
        content = io.BytesIO()
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(content, "PNG")
        write_whole(Path(folder) / name, content.getvalue())
    return Path(folder)


def read_image_folder(folder, most: int = 0) -> np.ndarray:
    """All PNG images of a folder, in the order of their names.

    Args:
        folder: holds `*.png` of one size, all grey or all in colour, 8 bits a channel.
        most: int, read only so many, evenly chosen; default 0 for all.

    Returns:
        (n, height, width, channel) float32 in [-1, 1], 1 channel for grey, 3 for RGB;
        `write_images` gives the same pixels again.

    Raises:
        InputError: no such folder, fewer than 2 PNGs, files that are broken, transparent, of 16
            bits, or of another size than the first.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", expected="a folder of PNG images",
                         got="a file" if folder.exists() else "no such folder",
                         fix="check the path")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".png")
    if len(files) < 2:
        kinds = sorted({file.suffix for file in folder.iterdir() if file.suffix})[:8]
        raise InputError(f"There are too few PNG images in '{folder}'.", expected="2 or more",
                         got=f"{len(files)} PNG files, endings {', '.join(kinds) or 'none'}",
                         fix="save the images as PNG; JPEG would change their pixels")
    most = count(most, "most", 0, 10**9)
    if 0 < most < len(files):
        files = [files[k] for k in np.linspace(0, len(files) - 1, most).astype(int)]
    first = _read_png(files[0])
    if first.size * len(files) > MOST_VALUES:
        raise InputError(f"The images of '{folder}' are too many for memory.",
                         expected=f"{MOST_VALUES:,} pixel values at most",
                         got=f"{first.size * len(files):,}", fix=f"read fewer, such as "
                         f"most={max(2, MOST_VALUES // first.size)}, or make them smaller")
    images = np.empty((len(files), *first.shape), np.uint8)
    for k, file in enumerate(files):
        image = _read_png(file)
        if image.shape != first.shape:
            raise InputError(f"The image '{file.name}' is unlike the first one, '{files[0].name}'.",
                             expected=_describe(first), got=_describe(image),
                             fix="bring all images to one size, and all to grey or to RGB")
        images[k] = image
    return dequantize(images).astype(np.float32)


def enlarge(images, factor: int) -> np.ndarray:
    """Images (n, height, width, channel) with blocks of `factor` x `factor` for each pixel."""
    factor = count(factor, "factor", 1, LARGEST_SIDE)
    return np.repeat(np.repeat(images, factor, axis=1), factor, axis=2)


def reduce(images, factor: int) -> np.ndarray:
    """The mean of every block of `factor` x `factor` pixels: undoes `enlarge` exactly.

    Raises:
        InputError: sides that are no multiples of `factor`.
    """
    images, factor = np.asarray(images), count(factor, "factor", 1, LARGEST_SIDE)
    n, height, width, channels = images.shape
    if height % factor or width % factor:
        raise InputError("The images cannot be reduced.", got=f"{height} x {width} pixels",
                         expected=f"sides that are multiples of {factor}",
                         fix="take the factor they were enlarged by")
    blocks = images.reshape(n, height // factor, factor, width // factor, factor, channels)
    # A mean of equal numbers is exact in float64.
    return blocks.mean(axis=(2, 4), dtype=np.float64).astype(images.dtype)


def nearest_levels(images, like) -> np.ndarray:
    """Every pixel of `images` at the nearest grey level that occurs in `like`.

    A generated background is -0.998 where that of a folder is -1: invisible, but a
    Kolmogorov-Smirnov distance would see nothing else.
    """
    levels = np.unique(like)
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, images)]


class PixelPermutation:
    """One fixed permutation of the pixels, the same for all images; channels stay together.

    Args:
        height, width: int, pixels.
        seed: int, which permutation; default 0.

    Example:
        >>> permutation = PixelPermutation(8, 8, seed=1)
        >>> bool((permutation.decode(permutation.encode(images)) == images).all())
        True
    """

    def __init__(self, height: int, width: int, seed: int = 0):
        self.height = count(height, "height", 1, LARGEST_SIDE)
        self.width = count(width, "width", 1, LARGEST_SIDE)
        self.seed = count(seed, "seed", 0, 2**32 - 1)
        self.order = np.random.default_rng(self.seed).permutation(self.height * self.width)

    def encode(self, images) -> np.ndarray:
        """Images (n, height, width, channel) with their pixels at new places."""
        return self._moved(images, self.order)

    def decode(self, images) -> np.ndarray:
        """Undoes `encode`, bit by bit."""
        return self._moved(images, np.argsort(self.order))

    def _moved(self, images, order) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:3] != (self.height, self.width):
            raise InputError("The images do not fit the permutation.", got=f"shape {images.shape}",
                             expected=f"(n, {self.height}, {self.width}, channel)",
                             fix="make a PixelPermutation of these images' height and width")
        flat = images.reshape(len(images), -1, images.shape[-1])
        return flat[:, order].reshape(images.shape)


def _read_png(file: Path) -> np.ndarray:
    from PIL import Image

    def bad(got):
        return InputError(f"The image '{file.name}' cannot be used.", got=got,
                          expected=f"8 bits a channel, grey or RGB, opaque, sides of "
                          f"{LARGEST_SIDE} pixels at most",
                          fix="save it so, as PNG, or take it out of the folder")

    try:
        with Image.open(file, formats=["PNG"]) as image:
            if max(image.size) > LARGEST_SIDE:  # known before the pixels are unpacked
                raise bad(f"{image.size[1]} x {image.size[0]} pixels")
            if image.mode not in _MODES:
                raise bad(f"pixels of mode {image.mode}")
            if "A" in image.mode or "transparency" in image.info:
                if np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
                    raise bad("transparent pixels")
            pixels = np.asarray(image.convert(_MODES[image.mode]))
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise bad(f"{type(error).__name__}: {str(error)[:80]}") from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _describe(image: np.ndarray) -> str:
    return f"{image.shape[0]} x {image.shape[1]} pixels, {'grey' if image.shape[2] == 1 else 'RGB'}"
