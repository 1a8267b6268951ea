"""The edits of which copies of photos are made: a fixed list, the same pixels in every run with the same Pillow.

An edit is a function of an RGB image and a source of random numbers, and gives an RGB image of any size. `apply` seeds that source
by the photo's number and the edit's name, so that an edited copy depends on nothing else. All lengths are shares of the photo's.

| edit | what it does |
| --- | --- |
| mild | |
| `resize50` | both sides to 50 %, antialiased |
| `jpeg50` | JPEG, quality 50, chroma subsampled 4:2:0 |
| `brightness` | every channel times 0.8 or 1.2, by chance |
| `crop90` | a window of 90 % of the area, aspect ratio kept, anywhere |
| heavy | |
| `crop40` | a window of 40 % of the area, aspect ratio kept, anywhere |
| `rotate15` | 15 degrees either way about the centre; the frame stays, its corners become black |
| `flip` | mirrored, left to right |
| `jpeg15` | JPEG, quality 15, chroma subsampled 4:2:0 |
| `blur` | Gaussian, sigma 2 % of the shorter side (5 pixels of 256) |
| `cast` | the three channels times 1.3, 1.0 and 0.7, in an order given by chance |
| `overlay` | a band with a caption over 8 % of the area, at the top or bottom, and a round sticker over 10 %, anywhere beside it |
| `screenshot` | the photo in a window 1.14 times as wide and 1.5 times as high (58 % of it), light or dark: bar, icons, text, buttons |
"""
import io
import math
import random

from PIL import Image, ImageFilter, ImageOps

from . import drawing

# Kept by the crops, of the area.
MILD_CROP_SHARE = 0.9
HEAVY_CROP_SHARE = 0.4
MILD_JPEG_QUALITY = 50
HEAVY_JPEG_QUALITY = 15
BRIGHTNESS_CHANGE = 0.2
ROTATION_DEGREES = 15
# Of the shorter side.
BLUR_SIGMA = 0.02
CAST_GAINS = (1.3, 1.0, 0.7)


def _jpeg(image, quality):
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=quality, subsampling="4:2:0")
    return Image.open(encoded).convert("RGB")


def _crop(image, generator, share):
    width, height = (max(1, round(side * math.sqrt(share))) for side in image.size)
    left = generator.randint(0, image.width - width)
    top = generator.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


def _gains(image, gains):
    table = [min(255, round(value * gain)) for gain in gains for value in range(256)]
    return image.point(table)


def _resize50(image, generator):
    return image.resize([max(1, side // 2) for side in image.size], Image.Resampling.BICUBIC)


def _jpeg50(image, generator):
    return _jpeg(image, MILD_JPEG_QUALITY)


def _brightness(image, generator):
    return _gains(image, [1 + generator.choice((-BRIGHTNESS_CHANGE, BRIGHTNESS_CHANGE))] * 3)


def _crop90(image, generator):
    return _crop(image, generator, MILD_CROP_SHARE)


def _crop40(image, generator):
    return _crop(image, generator, HEAVY_CROP_SHARE)


def _rotate15(image, generator):
    angle = generator.choice((-ROTATION_DEGREES, ROTATION_DEGREES))
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(0, 0, 0))


def _flip(image, generator):
    return ImageOps.mirror(image)


def _jpeg15(image, generator):
    return _jpeg(image, HEAVY_JPEG_QUALITY)


def _blur(image, generator):
    return image.filter(ImageFilter.GaussianBlur(BLUR_SIGMA * min(image.size)))


def _cast(image, generator):
    return _gains(image, generator.sample(CAST_GAINS, 3))


MILD = {"resize50": _resize50, "jpeg50": _jpeg50, "brightness": _brightness, "crop90": _crop90}
HEAVY = {
    "crop40": _crop40,
    "rotate15": _rotate15,
    "flip": _flip,
    "jpeg15": _jpeg15,
    "blur": _blur,
    "cast": _cast,
    "overlay": drawing.overlay,
    "screenshot": drawing.screenshot,
}
ALL = MILD | HEAVY


def apply(name, image, number):
    """The copy of photo `number` under the edit `name`; always the same."""
    return ALL[name](image.convert("RGB"), random.Random(f"{number} {name}"))
