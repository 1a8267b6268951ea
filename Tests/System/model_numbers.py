"""The checks of Tests/System/model.sh that are numbers: what to check, then its arguments."""
import sys
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Models" / "training"))


def rows(path):
    values = np.fromfile(path, "<f4")
    return values.reshape(-1, values[:1].view("<u4")[0] + 1)[:, 1:].astype(np.float64)


def write_pictures(side, count, path):
    """Generated pictures as raw RGB: no file of anybody is needed."""
    from images.scenes import pictures

    batch = pictures(11, int(count), 1, int(side))
    Path(path).write_bytes((batch * 255 + 0.5).byte().permute(0, 2, 3, 1).numpy().tobytes())


def write_copies(photos, count, folder):
    """Copies of `count` photos under the edits of Models/evaluate: `<mild or heavy>-<edit>-<number>.png`.

    Without those that write text: Debian 12's Pillow has no font of any size.
    """
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Models"))
    from evaluation import edits
    from PIL import Image

    numbers = sorted(int(path.stem) for path in Path(photos).glob("*.jpg"))
    for number in numbers[:: max(1, len(numbers) // int(count))][: int(count)]:
        photo = Image.open(f"{photos}/{number}.jpg")
        for name in [name for name in edits.ALL if name not in ("overlay", "screenshot")]:
            kind = "mild" if name in edits.MILD else "heavy"
            edits.apply(name, photo, number).save(f"{folder}/{kind}-{name}-{number}.png")


def check_alike(least, one, other):
    one, other = rows(one), rows(other)
    assert one.shape == other.shape and len(one) > 0, f"{one.shape} and {other.shape}"
    # Four heads in a row: each is a vector.
    one, other = (values.reshape(len(values) * 4, -1) for values in (one, other))
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert cosines.min() >= float(least), f"cosine {cosines.min()}"


def check_lively(path):
    values = rows(path)
    values = values.reshape(len(values), 4, -1)[:, 0]
    silent = int((values.max(0) <= 0).sum())
    assert silent <= values.shape[1] // 8, f"{silent} of {values.shape[1]} dimensions are zero in every picture"


def check_exported(folder, pixels, vectors):
    import torch
    from export import balance, joined
    from network import Chain, pooled
    from pool import Pool
    from presets import PRESETS

    preset = PRESETS["tiny"]
    network = Chain(preset.stages, preset.mean, preset.scale)
    network.load_state_dict(torch.load(f"{folder}/checkpoint.pt", map_location="cpu")["average"])
    network = joined(network, preset, torch.load(f"{folder}/counting.pt", map_location="cpu")).eval()
    balance(network, preset, Pool(f"{folder}/pool", preset.pictures, preset.picture_side, preset.seed), 32, 1000)
    batch = torch.from_numpy(np.fromfile(pixels, np.uint8).reshape(-1, 32, 32, 3)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        wanted = pooled(network(batch), "gem3").numpy()
    # fp16 weights against fp32 ones.
    cosines = (wanted * rows(vectors)).sum(1)
    assert cosines.min() >= 0.9999, f"cosine {cosines.min()}"


checks = {"pictures": write_pictures, "copies": write_copies, "alike": check_alike, "lively": check_lively, "exported": check_exported}
checks[sys.argv[1]](*sys.argv[2:])
