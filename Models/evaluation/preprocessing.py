"""How an image becomes the square that a network takes: what Sources/Imaging does, with Pillow.

Both are Pillow's antialiased BILINEAR, bit for bit. What is left out here is that the daemon reduces a JPEG of at least four times the
wanted size before; with photos of 384 x 256 that concerns networks of 64 pixels and less.
"""
import json
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from .problem import Problem


class Geometry(NamedTuple):
    """The square's `side`; `short_side` is that of the whole image where its centre is cut out, None where it is squashed."""

    side: int
    short_side: int | None = None

    def apply(self, image):
        """An RGB image of `side` x `side`."""
        if self.short_side is None:
            return image.resize((self.side, self.side), Image.Resampling.BILINEAR)
        short = max(self.short_side, self.side)
        long = short * max(image.size) // min(image.size)
        size = (long, short) if image.width > image.height else (short, long)
        left, top = (round((length - self.side) / 2) for length in size)
        scaled = image.resize(size, Image.Resampling.BILINEAR)
        return scaled.crop((left, top, left + self.side, top + self.side))


# Of `likeness-bench --preprocessing keras`.
KERAS = Geometry(224)


def geometry(manifest):
    """What the `preprocessing` of a manifest (a path) says of sizes."""
    try:
        fields = json.loads(Path(manifest).read_text(encoding="utf-8"))["preprocessing"]
        crop = fields["geometry"].get("centreCrop")
        return Geometry(int(fields["side"]), int(crop["shortSide"]) if crop else None)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Problem(f"{manifest} is no manifest of a model as Sources/ModelFiles/README.md describes it: {error!r}") from error
