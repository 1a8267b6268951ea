"""What a network competes with: colour histograms and perceptual hashes, each a function of an RGB image that gives a row."""
import math
from typing import Callable, NamedTuple

import numpy as np
import pdqhash
from PIL import Image

from . import metrics

HISTOGRAM_BINS = 8
PHASH_SIDE = 32
PHASH_BITS_SIDE = 8


class Descriptor(NamedTuple):
    """A method that needs no weights."""

    title: str
    describe: Callable
    similarity: Callable = metrics.inner_product


def histogram(image):
    """`[512]` shares of the pixels in 8 x 8 x 8 bins of hue, saturation and value."""
    bins = np.asarray(image.convert("HSV")).reshape(-1, 3).astype(np.int64) * HISTOGRAM_BINS // 256
    places = (bins[:, 0] * HISTOGRAM_BINS + bins[:, 1]) * HISTOGRAM_BINS + bins[:, 2]
    return (np.bincount(places, minlength=HISTOGRAM_BINS**3) / len(places)).astype(np.float32)


def intersection(query, base):
    """Sum of the smaller of each two shares (Swain and Ballard, "Color indexing", IJCV 1991)."""
    return np.stack([np.minimum(row, base).sum(axis=1) for row in query])


def roots(image):
    """`[512]` square roots of the histogram's shares, whose inner product is the Bhattacharyya coefficient."""
    return np.sqrt(histogram(image))


def _signs(bits):
    """-1 and 1 for the bits of a hash: the inner product falls by two with each bit that differs."""
    return np.where(bits, 1, -1).astype(np.float32)


def _cosines():
    place, frequency = np.arange(PHASH_SIDE), np.arange(PHASH_BITS_SIDE)
    return np.cos(math.pi * frequency[:, None] * (2 * place + 1) / (2 * PHASH_SIDE))


def phash(image):
    """`[64]` signs: which of the 8 x 8 lowest cosine coefficients of the gray image at 32 x 32 are above their median."""
    gray = image.convert("L").resize((PHASH_SIDE, PHASH_SIDE), Image.Resampling.LANCZOS)
    coefficients = _cosines() @ np.asarray(gray, np.float64) @ _cosines().T
    return _signs(coefficients > np.median(coefficients)).ravel()


def pdq(image):
    """`[256]` signs of the PDQ hash, as its own library computes it."""
    bits, _ = pdqhash.compute(np.asarray(image))
    return _signs(bits)


ALL = {
    "histogram": Descriptor("colour histogram (HSV 8x8x8, intersection)", histogram, intersection),
    "hellinger": Descriptor("colour histogram (HSV 8x8x8, Hellinger)", roots),
    "phash": Descriptor("pHash (64 bits)", phash),
    "pdq": Descriptor("PDQ (256 bits)", pdq),
}
