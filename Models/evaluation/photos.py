"""The photos that are measured on."""
import csv
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from .problem import Problem


class Photo(NamedTuple):
    """One photo of a folder with labels; edits are seeded by `number`."""

    number: int
    label: str
    path: Path

    def open(self):
        """Its pixels as RGB."""
        with Image.open(self.path) as image:
            return image.convert("RGB")


def evenly(items, count):
    """`count` of `items`, at equal distances, so that classes stay as large as each other; all where there are no more."""
    if count >= len(items):
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def load(folder, count=None):
    """The photos that `labels.tsv` of a folder names (file name, label), by number; `count` of them, evenly, or all."""
    try:
        with open(Path(folder) / "labels.tsv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file, delimiter="\t") if row]
        photos = sorted(Photo(int(Path(name).stem), label, Path(folder) / name) for name, label in rows)
    except OSError as error:
        raise Problem(f"{error.filename}: {error.strerror}; --corpus wants a folder of photos with labels.tsv") from error
    except ValueError as error:
        raise Problem(f"{folder}/labels.tsv is not lines of NUMBER.jpg, tab, label ({error})") from error
    photos = evenly(photos, count or len(photos))
    if len(photos) < 10 or len({photo.label for photo in photos}) < 2:
        raise Problem(f"{len(photos)} photos of {folder} are too few to rank; at least ten of two labels are needed")
    return photos
