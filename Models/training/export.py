"""Writes a trained network as it ships: batch norm folded, fp16, safetensors, and its manifest: `python export.py --preset slim ...`."""

import argparse
import hashlib
import json
import pathlib

import numpy as np
import torch

from network import Chain
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", choices=PRESETS, required=True)
    arguments.add_argument("--folder", required=True, help="where train.py kept its checkpoint")
    arguments.add_argument("--output", required=True, help="folder for NAME.safetensors and NAME.json")
    arguments.add_argument("--side", type=int, required=True, help="pixels of the network's input that measured best")
    arguments.add_argument("--head", required=True, help="the head that measured best")
    options = arguments.parse_args()
    preset = PRESETS[options.preset]
    state = torch.load(f"{options.folder}/checkpoint.pt", map_location="cpu", weights_only=True)
    network = Chain(preset.stages, preset.mean, preset.scale)
    network.load_state_dict(state["average"])
    tensors = {name: value.half() for name, value in network.folded().items()}
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise SystemExit("a weight is beyond fp16")
    output = pathlib.Path(options.output)
    weights = output / f"{preset.name}.safetensors"
    content = safetensors(tensors, {"licence": LICENCE, "steps": str(state["step"]), "seed": str(preset.seed)})
    weights.write_bytes(content)
    views = sum(steps for _, steps in preset.phases) * preset.families * 4
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
    (output / f"{preset.name}.json").write_text(json.dumps(manifest, indent=4) + "\n")
    count = int(np.sum([value.numel() for value in tensors.values()]))
    print(f"{weights}: {count:,} numbers, {len(content):,} bytes, step {state['step']} of {preset.steps}")


if __name__ == "__main__":
    main()
