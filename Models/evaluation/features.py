"""All methods' features of the photos and of their edited copies, in one walk over both."""
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import edits, photos
from .networks import PixelFile

ORIGINAL = "original"


class Features(NamedTuple):
    """One method's rows."""

    # `[n, d]`, the photos.
    base: np.ndarray
    # By edit, `[q, d]`.
    copies: dict
    # `[q]`: the photo, a row of `base`, that each copy was made of.
    targets: np.ndarray


class Work(NamedTuple):
    """A method, and of how many photos copies are made."""

    method: object
    copy_count: int


def describe(corpus, descriptors, networks, bench, report):
    """The features of every method.

    corpus: the photos. descriptors, networks: `{name: Work}`. report: takes a line about progress.
    Gives two dictionaries by name: of `Features`, and of `{head: Features}`.
    """
    work = descriptors | networks
    targets = {name: np.array(photos.evenly(range(len(corpus)), item.copy_count)) for name, item in work.items()}
    rows = {name: {} for name in work}
    variants = [ORIGINAL, *edits.ALL]
    for place, variant in enumerate(variants, 1):
        start = time.monotonic()
        wanted = {name: range(len(corpus)) if variant == ORIGINAL else targets[name] for name in work}
        with tempfile.TemporaryDirectory() as folder:
            files = _walk(corpus, variant, wanted, descriptors, networks, rows, Path(folder))
            seconds = time.monotonic() - start
            for name, item in networks.items():
                rows[name][variant] = bench.features(item.method, files[_file_key(item, wanted[name])])
        total = time.monotonic() - start
        report(f"{place}/{len(variants)} {variant}: pictures {seconds:.0f} s, networks {total - seconds:.0f} s")

    def gathered(name, pick):
        return Features(
            pick(rows[name][ORIGINAL]), {edit: pick(rows[name][edit]) for edit in edits.ALL}, targets[name]
        )

    return (
        {name: gathered(name, np.stack) for name in descriptors},
        {
            name: {head: gathered(name, lambda found, head=head: found[head]) for head in rows[name][ORIGINAL]}
            for name in networks
        },
    )


def _file_key(item, wanted):
    """Networks that take the same squares of the same photos share a file."""
    return item.method.geometry, len(wanted)


def _walk(corpus, variant, wanted, descriptors, networks, rows, folder):
    """Makes each picture of a variant once; fills in the descriptors' rows, gives the networks' pixel files by key."""
    files, takers = {}, {}
    for name, item in networks.items():
        key = _file_key(item, wanted[name])
        if key not in files:
            files[key] = PixelFile(folder / f"{len(files)}.rgb", item.method.geometry)
            takers[key] = set(wanted[name])
    for name in descriptors:
        rows[name][variant] = []
    chosen = {name: set(wanted[name]) for name in descriptors}
    for place, photo in enumerate(corpus):
        if not any(place in places for places in (*takers.values(), *chosen.values())):
            continue
        image = photo.open()
        if variant != ORIGINAL:
            image = edits.apply(variant, image, photo.number)
        for name, item in descriptors.items():
            if place in chosen[name]:
                rows[name][variant].append(item.method.describe(image))
        for key, file in files.items():
            if place in takers[key]:
                file.add(image)
    for file in files.values():
        file.finish()
    return files
