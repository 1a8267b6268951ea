"""A folder of generated pictures, written once and read many times."""

import json
import os
import pathlib

import numpy as np
import torch

from images.scenes import pictures

FAMILIES_PER_CHUNK = 8
INSTANCES = 4
CHUNK = FAMILIES_PER_CHUNK * INSTANCES


class Pool:
    """`pictures.u8`: [count, size, size, 3] uint8; picture i belongs to family i // 4. `progress.json`: how many are there."""

    def __init__(self, folder: str, count: int, size: int, seed: int):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.count, self.size, self.seed = count // CHUNK * CHUNK, size, seed
        path = self.folder / "pictures.u8"
        expected = {"size": size, "seed": seed}
        described = self.folder / "pool.json"
        if described.exists():
            if json.loads(described.read_text()) != expected:
                raise SystemExit(f"{folder} holds other pictures ({described.read_text().strip()}): take another folder or delete it")
        else:
            # Generator and training may come here at once: whoever reads the file sees all of it.
            temporary = self.folder / f"pool.{os.getpid()}.new"
            temporary.write_text(json.dumps(expected))
            os.replace(temporary, described)
        with open(path, "ab") as file:
            file.truncate(self.count * size * size * 3)
        self.pixels = np.memmap(path, np.uint8, "r+", shape=(self.count, size, size, 3))
        # On a GPU: what is ready, in its memory, so that no step waits for a copy of its pictures.
        self._resident: torch.Tensor | None = None
        self._resident_count = 0

    @property
    def ready(self) -> int:
        try:
            return min(self.count, json.loads((self.folder / "progress.json").read_text())["ready"])
        except FileNotFoundError:
            return 0

    def fill(self, device: str, report=print) -> None:
        """Renders what is missing, chunk by chunk: chunk k is drawn from the pool's seed and k alone."""
        for chunk in range(self.ready // CHUNK, self.count // CHUNK):
            batch = pictures(self.seed * 1_000_003 + chunk, FAMILIES_PER_CHUNK, INSTANCES, self.size, device)
            first = chunk * CHUNK
            rows = (batch * 255 + 0.5).byte().permute(0, 2, 3, 1).cpu().numpy()
            self.pixels[first:first + CHUNK] = rows
            progress = self.folder / "progress.json"
            temporary = progress.with_suffix(".new")
            temporary.write_text(json.dumps({"ready": first + CHUNK}))
            os.replace(temporary, progress)
            if chunk % 50 == 49:
                report(f"{first + CHUNK} of {self.count} pictures")

    def take(self, numbers: np.ndarray, device: str) -> torch.Tensor:
        """[n, 3, size, size] float in 0...1."""
        if device == "cpu":
            rows = torch.from_numpy(self.pixels[np.sort(numbers)][np.argsort(np.argsort(numbers))])
        else:
            self._load(int(numbers.max()) + 1, device)
            rows = self._resident[torch.from_numpy(numbers).to(device)]
        return rows.permute(0, 3, 1, 2).float().div_(255)

    def _load(self, count: int, device: str) -> None:
        if self._resident is None:
            self._resident = torch.empty(self.pixels.shape, dtype=torch.uint8, device=device)
        if count > self._resident_count:
            ready = self.ready
            for first in range(self._resident_count, ready, 4096):
                last = min(ready, first + 4096)
                self._resident[first:last] = torch.from_numpy(self.pixels[first:last]).to(device)
            self._resident_count = ready
