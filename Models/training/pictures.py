"""Pictures of a training run: its loss curve and a sheet of what it was trained on: `python pictures.py --preset slim ...`."""

import argparse
import json
import pathlib

import numpy as np
import torch
from PIL import Image, ImageDraw

from augment import Edits
from codes import Codes
from pool import INSTANCES, Pool
from presets import PRESETS

_RED, _BLUE, _GREEN, _VIOLET = (200, 60, 40), (40, 110, 200), (20, 140, 80), (150, 90, 190)
_COMPARED = {"picture": _RED, "family": _BLUE, "gem3": _GREEN, "mean": _VIOLET}
_COUNTED = {"cells": _RED, "whole": _BLUE}


def sheet(pool: Pool, columns: int, rows: int, cell: int) -> Image.Image:
    """Two pictures of each of many families, side by side."""
    numbers = np.linspace(0, pool.ready // INSTANCES - 1, columns // 2 * rows).astype(int)
    result = Image.new("RGB", (columns * cell, rows * cell))
    for place, family in enumerate(numbers):
        for instance in range(2):
            picture = Image.fromarray(pool.pixels[family * INSTANCES + instance]).resize((cell, cell), Image.Resampling.BICUBIC)
            row, column = divmod(place * 2 + instance, columns)
            result.paste(picture, (column * cell, row * cell))
    return result


def edits(pool: Pool, columns: int, rows: int, cell: int) -> Image.Image:
    """Pictures of the pool in the first row, random edits of each below it."""
    base = pool.take(np.linspace(0, pool.ready - 1, columns).astype(int), "cpu")
    edit = Edits(cell, 1.0, torch.Generator().manual_seed(7), "cpu")
    views = [torch.nn.functional.interpolate(base, cell, mode="area")] + [edit(base) for _ in range(rows - 1)]
    grid = torch.cat([torch.cat(list(row), 2) for row in views], 1)
    return Image.fromarray((grid * 255).byte().permute(1, 2, 0).numpy())


def codes(codes: Codes, cell: int = 24, columns: int = 32) -> Image.Image:
    """What the second part counts: colours, then patches of either scale, each as a square of `cell` pixels."""
    rows = []
    for squares in codes.drawn():
        large = torch.nn.functional.interpolate(squares, cell - 2, mode="nearest")
        large = torch.nn.functional.pad(large, (1, 1, 1, 1), value=1.0)
        missing = -len(large) % columns
        large = torch.cat([large, torch.ones(missing, 3, cell, cell)])
        rows.append(large.view(-1, columns, 3, cell, cell).permute(0, 3, 1, 4, 2).reshape(-1, columns * cell, 3))
    return Image.fromarray((torch.cat(rows) * 255).byte().numpy())


def curve(log: pathlib.Path, parts: dict[str, tuple[int, int, int]], width: int = 900, height: int = 420) -> Image.Image:
    """The parts of the loss over the steps, each a running mean, on one linear scale."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    # A run that was cut repeats the steps after its last checkpoint: the later line counts.
    by_step = {line["step"]: line for line in lines}
    steps = np.array(sorted(by_step))
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = 50, 20, width - 20, height - 40
    most = max(max(by_step[step][name] for name in parts) for step in steps)

    def place(step: float, value: float) -> tuple[float, float]:
        return left + (right - left) * step / steps[-1], bottom - (bottom - top) * value / most

    for value in range(int(most) + 1):
        draw.line([place(0, value), place(steps[-1], value)], fill=(225, 225, 225))
        draw.text((20, place(0, value)[1] - 6), str(value), fill=(90, 90, 90))
    for quarter in range(5):
        step = steps[-1] * quarter / 4
        draw.text((place(step, 0)[0] - 10, bottom + 8), f"{step:.0f}", fill=(90, 90, 90))
    for number, (name, colour) in enumerate(parts.items()):
        values = np.array([by_step[step][name] for step in steps])
        window = max(1, len(values) // 40)
        smooth = np.convolve(np.pad(values, (window // 2, window - 1 - window // 2), "edge"), np.ones(window) / window, "valid")
        draw.line([place(step, value) for step, value in zip(steps, smooth)], fill=colour, width=2)
        draw.text((right - 90, top + 14 * number), name, fill=colour)
    return image


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", choices=PRESETS, required=True)
    arguments.add_argument("--folder", required=True, help="where train.py works")
    arguments.add_argument("--output", required=True, help="folder for the pictures")
    options = arguments.parse_args()
    preset = PRESETS[options.preset]
    pool = Pool(f"{options.folder}/pool", preset.pictures, preset.picture_side, preset.seed)
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    sheet(pool, 12, 8, 80).save(output / "pictures.jpg", quality=88)
    edits(pool, 12, 6, 80).save(output / "edits.jpg", quality=88)
    curve(pathlib.Path(options.folder) / "loss.jsonl", _COMPARED).save(output / "loss.png", optimize=True)
    if plan := preset.counting:
        codes(Codes(pool, plan.colours, plan.fine, plan.coarse, preset.seed, "cpu")).save(output / "codes.png", optimize=True)
    if (log := pathlib.Path(options.folder) / "counting.jsonl").exists():
        curve(log, _COUNTED).save(output / "counting.png", optimize=True)


if __name__ == "__main__":
    main()
