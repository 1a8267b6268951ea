"""Writes a trained network as it ships: batch norm folded, fp16, safetensors, and its manifest: `python export.py --preset slim ...`."""

import argparse
import hashlib
import json
import pathlib
import re

import numpy as np
import torch

from network import Chain, pooled
from pool import Pool
from presets import PRESETS

LICENCE = "CC0 1.0: generated and trained by Likeness; no rights reserved"


def safetensors(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    """The format of huggingface/safetensors: a little-endian uint64 of the header's length, the header as JSON, the numbers."""
    header: dict[str, object] = {"__metadata__": metadata}
    parts: list[bytes] = []
    offset = 0
    for name, value in tensors.items():
        part = value.contiguous().numpy().astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(value.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


@torch.no_grad()
def whitening(network: Chain, pool: Pool, side: int, head: str, share: float, count: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Mean [d] and symmetric whitening matrix [d, d] of the head's vectors of `count` generated pictures.

    `Sources/Inference/README.md` defines it; `share` times the mean eigenvalue is added to each. Generated pictures vary more than
    anybody's photos, so less must be added than for a collection.
    """
    numbers = np.linspace(0, pool.ready - 1, min(count, pool.ready)).astype(int)
    rows = []
    for first in range(0, len(numbers), 50):
        pictures = pool.take(numbers[first:first + 50], "cpu")
        mode = {"mode": "area"} if side < pool.size else {"mode": "bilinear", "align_corners": False}
        rows.append(pooled(network(torch.nn.functional.interpolate(pictures, side, **mode) * 255), head))
    vectors = torch.cat(rows).double()
    mean = vectors.mean(0)
    values, directions = torch.linalg.eigh(torch.cov((vectors - mean).T))
    matrix = directions @ torch.diag((values + share * values.mean()).rsqrt()) @ directions.T
    return mean.float(), matrix.float(), len(numbers)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", choices=PRESETS, required=True)
    arguments.add_argument("--folder", required=True, help="where train.py kept its checkpoint")
    arguments.add_argument("--output", required=True, help="folder for NAME.safetensors and NAME.json")
    arguments.add_argument("--side", type=int, required=True, help="pixels of the network's input that measured best")
    arguments.add_argument("--head", required=True, help="the head that measured best")
    arguments.add_argument("--whiten", type=float, default=0.0, help="learn a whitening of the head, adding this share (0: none)")
    arguments.add_argument("--whiten-pictures", type=int, default=6000)
    options = arguments.parse_args()
    preset = PRESETS[options.preset]
    state = torch.load(f"{options.folder}/checkpoint.pt", map_location="cpu", weights_only=False)
    network = Chain(preset.stages, preset.mean, preset.scale)
    network.load_state_dict(state["average"])
    network.eval()
    tensors = {name: value.half() for name, value in network.folded().items()}
    metadata = {"licence": LICENCE, "steps": str(state["step"]), "seed": str(preset.seed)}
    if options.whiten:
        pool = Pool(f"{options.folder}/pool", preset.pictures, preset.picture_side, preset.seed)
        mean, matrix, samples = whitening(network, pool, options.side, options.head, options.whiten, options.whiten_pictures)
        tensors |= {"whitening.mean": mean.half(), "whitening.matrix": matrix.half()}
        metadata |= {"whitening_head": options.head, "whitening_samples": str(samples)}
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise SystemExit("a weight is beyond fp16")
    output = pathlib.Path(options.output)
    weights = output / f"{preset.name}.safetensors"
    content = safetensors(tensors, metadata)
    weights.write_bytes(content)
    views = preset.steps * preset.families * 4
    manifest = {
        "name": preset.name,
        "aliases": [],
        "description": f"Comes with Likeness: a chain in VGG16's shape, trained by this project on {preset.pictures:,} generated "
        f"pictures ({views:,} edited views) and on nothing else; no photo, no download.",
        "stages": preset.stages,
        "preprocessing": {"side": options.side, "geometry": {"squash": {}}, "channelOrder": "rgb", "mean": preset.mean, "scale": preset.scale},
        "defaultHead": options.head,
        "licence": LICENCE,
        "weights": {"file": weights.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
    }
    text = json.dumps(manifest, indent=4)
    # Lists of numbers stand on one line.
    while (shorter := re.sub(r"\[\s+([^{}\n]+(?:,\s+[^{}\n]+)*?)\s+\]", lambda match: "[" + re.sub(r",\s+", ", ", match[1]) + "]", text)) != text:
        text = shorter
    (output / f"{preset.name}.json").write_text(text + "\n")
    count = int(np.sum([value.numel() for value in tensors.values()]))
    print(f"{weights}: {count:,} numbers, {len(content):,} bytes, step {state['step']} of {preset.steps}")


if __name__ == "__main__":
    main()
