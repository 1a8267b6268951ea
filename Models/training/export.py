"""Writes a trained network as it ships: batch norm folded, fp16, safetensors, and its manifest: `python export.py --preset slim ...`."""

import argparse
import hashlib
import json
import pathlib
import re
from collections.abc import Iterator

import numpy as np
import torch

from network import Chain, Extended, pooled
from pool import Pool
from presets import PRESETS, Preset

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


def joined(first: Chain, preset: Preset, state: dict) -> Chain:
    """Both parts as one chain; `state`: the second part's checkpoint."""
    assert preset.counting is not None
    extended = Extended(first, preset.counting.stages)
    extended.load_state_dict(state["average"])
    return extended.joined()


@torch.no_grad()
def balance(network: Chain, preset: Preset, pool: Pool, side: int, count: int) -> None:
    """Scales the last layer's channels so that the parts of a `gem3` vector have the lengths that the preset names, on average.

    Batch norm is the last thing before the ReLU, so that a factor on its gain and offset is one on the channel.
    """
    assert preset.counting is not None
    kept = preset.stages[-1][-1]
    ends = [kept, kept + preset.counting.colours, network.channels]
    summaries = torch.cat([last.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3) for last in maps(network, pool, side, count)])
    norm = list(network.layers)[-2]
    for first, end, length in zip([0, *ends], ends, preset.counting.balance):
        factor = length / summaries[:, first:end].norm(dim=1).mean()
        norm.weight[first:end] *= factor
        norm.bias[first:end] *= factor


@torch.no_grad()
def maps(network: Chain, pool: Pool, side: int, count: int) -> Iterator[torch.Tensor]:
    """Last maps of `count` generated pictures, of all parts of the pool, in batches."""
    numbers = np.linspace(0, pool.ready - 1, min(count, pool.ready)).astype(int)
    mode = {"mode": "area"} if side < pool.size else {"mode": "bilinear", "align_corners": False}
    for first in range(0, len(numbers), 50):
        pictures = pool.take(numbers[first:first + 50], "cpu")
        yield network(torch.nn.functional.interpolate(pictures, side, **mode) * 255)


@torch.no_grad()
def whitening(network: Chain, pool: Pool, side: int, head: str, share: float, count: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Mean [d] and symmetric whitening matrix [d, d] of the head's vectors of `count` generated pictures.

    `Sources/LinearAlgebra/README.md` defines it; `share` times the mean eigenvalue is added to each. Generated pictures vary more than
    anybody's photos, so less must be added than for a collection.
    """
    vectors = torch.cat([pooled(last, head) for last in maps(network, pool, side, count)]).double()
    mean = vectors.mean(0)
    values, directions = torch.linalg.eigh(torch.cov((vectors - mean).T))
    matrix = directions @ torch.diag((values + share * values.mean()).rsqrt()) @ directions.T
    return mean.float(), matrix.float(), len(vectors)


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
    # A training that was cut in its first part is exported as far as it came.
    counted = preset.counting is not None and pathlib.Path(options.folder, "counting.pt").exists()
    if counted:
        state = torch.load(f"{options.folder}/counting.pt", map_location="cpu", weights_only=False)
        network = joined(network, preset, state)
    network.eval()
    pool = Pool(f"{options.folder}/pool", preset.pictures, preset.picture_side, preset.seed)
    if counted:
        balance(network, preset, pool, options.side, 1000)
    tensors = {name: value.half() for name, value in network.folded().items()}
    metadata = {"licence": LICENCE, "steps": str(state["step"]), "seed": str(preset.seed)}
    if options.whiten:
        mean, matrix, samples = whitening(network, pool, options.side, options.head, options.whiten, options.whiten_pictures)
        tensors |= {"whitening.mean": mean.half(), "whitening.matrix": matrix.half()}
        metadata |= {"whitening_head": options.head, "whitening_samples": str(samples)}
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise SystemExit("a weight is beyond fp16")
    output = pathlib.Path(options.output)
    weights = output / f"{preset.name}.safetensors"
    content = safetensors(tensors, metadata)
    weights.write_bytes(content)
    manifest = {
        "name": preset.name,
        "aliases": [],
        "description": f"Comes with Likeness: a chain in VGG16's shape, trained by this project on {preset.pictures:,} generated "
        f"pictures ({preset.views:,} edited views) and on nothing else; no photo, no download.",
        "stages": network.stages,
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
    print(f"{weights}: {count:,} numbers, {len(content):,} bytes, step {state['step']} of its part")


if __name__ == "__main__":
    main()
