"""Features of networks, computed by the program that ships: `likeness-bench features`."""
import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import preprocessing
from .problem import Problem

HEADS = ("max", "mean", "gem3", "rmac")
# Photos whose cached features are computed again, and how near both must be.
SAMPLE_COUNT = 8
SAMPLE_COSINE = 0.9999


class Network(NamedTuple):
    """Weights, and how pixels enter them."""

    title: str
    # A path, or what likeness-bench calls networks of random weights.
    weights: str
    # A path; None for Keras's preprocessing.
    manifest: Path | None
    geometry: preprocessing.Geometry

    @property
    def is_untrained(self):
        return self.weights.startswith("random:")

    @property
    def key(self):
        """Digest of everything that features depend on besides pixels."""
        digest = hashlib.sha256(self.weights.encode() if self.is_untrained else Path(self.weights).read_bytes())
        if self.manifest:
            fields = json.loads(self.manifest.read_text(encoding="utf-8"))
            digest.update(json.dumps(fields["preprocessing"], sort_keys=True).encode())
        return digest.hexdigest()


def untrained():
    """VGG16 as the daemon starts with it when it has no model."""
    return Network("VGG16, untrained", "random:vgg16", None, preprocessing.KERAS)


def network(path):
    """The network of a weight file, with the preprocessing of the manifest beside it, `NAME.json`, where there is one."""
    path = Path(path)
    if not path.is_file():
        raise Problem(f"there is no weight file {path}")
    if path.suffix == ".pack":
        raise Problem(f"{path} is a packed model file; give the weight file that it was imported from")
    manifest = path.with_suffix(".json")
    if manifest.is_file():
        return Network(path.stem, str(path), manifest, preprocessing.geometry(manifest))
    return Network(path.stem, str(path), None, preprocessing.KERAS)


class PixelFile:
    """`[count, side, side, 3]` uint8 RGB in a file, written image by image."""

    def __init__(self, path, geometry):
        self.path, self.count = Path(path), 0
        self._geometry = geometry
        self._digest = hashlib.sha256()
        self._file = open(path, "wb")

    def add(self, image):
        data = self._geometry.apply(image).tobytes()
        self._digest.update(data)
        self._file.write(data)
        self.count += 1

    def finish(self):
        self._file.close()

    @property
    def digest(self):
        return self._digest.hexdigest()


class Bench:
    """likeness-bench, and a folder that keeps what it computed by the digests of network and pixels."""

    def __init__(self, program, cache):
        self._program, self._cache = Path(program), Path(cache)
        self._trusted = set()
        if not self._program.is_file():
            raise Problem(
                f"there is no {program}; build it (swift build -c release --static-swift-stdlib --scratch-path .build-install"
                " --product likeness-bench) or name another with --bench"
            )

    def features(self, network, pixels):
        """`{head: [n, channels]}` of a finished `PixelFile`, L2-normalised."""
        folder = self._cache / network.key
        kept = folder / f"{pixels.digest}.npy"
        if kept.is_file() and not self._is_true(network, pixels, kept):
            shutil.rmtree(folder)
        if kept.is_file():
            rows = np.load(kept)
        else:
            rows = self._run(network, pixels.path, pixels.count)
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                np.save(file, rows)
            Path(file.name).replace(kept)
        self._trusted.add(network.key)
        return {head: rows[:, place] for place, head in enumerate(HEADS)}

    def _is_true(self, network, pixels, kept):
        """Whether this program computes what the folder keeps, by the first photos, once for each network."""
        if network.key in self._trusted:
            return True
        count = min(SAMPLE_COUNT, pixels.count)
        with tempfile.NamedTemporaryFile() as sample:
            with open(pixels.path, "rb") as file:
                sample.write(file.read(count * network.geometry.side**2 * 3))
            sample.flush()
            rows = self._run(network, sample.name, count)
        rows_kept = np.load(kept)[:count]
        return rows.shape == rows_kept.shape and bool(((rows * rows_kept).sum(axis=2) >= SAMPLE_COSINE).all())

    def _run(self, network, pixels, count):
        """`[count, heads, channels]`."""
        with tempfile.NamedTemporaryFile() as output:
            command = [
                self._program, "features", "--backend", "cpu", "--weights", network.weights,
                "--preprocessing", network.manifest or "keras",
                "--head", ",".join(HEADS), "--input", pixels, "--output", output.name,
            ]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                raise Problem(f"{network.title}: {result.stderr.strip() or f'likeness-bench gave {result.returncode}'}")
            rows = np.fromfile(output.name, np.dtype("<f4"))
        rows = rows.reshape(count, -1)[:, 1:].reshape(count, len(HEADS), -1)
        if not np.isfinite(rows).all():
            raise Problem(f"{network.title}: a feature is NaN or infinite")
        return rows
