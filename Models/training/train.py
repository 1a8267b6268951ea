"""Trains a network on generated pictures alone: `python train.py --preset slim --folder DIR`. Run again to go on where it stopped."""

import argparse
import copy
import pathlib
import time

import numpy as np
import torch
from torch import nn

from augment import Edits
from beginning import begin
from counted import COUNT, statistics
from counting import Counter
from losses import contrast, decorrelation, spreading, supervised_contrast
from network import Chain, pooled, projector
from pool import INSTANCES, Pool
from presets import PRESETS, Preset
from running import Run, adam


class Learner(nn.Module):
    """The network, and the projectors that only training needs."""

    def __init__(self, preset: Preset):
        super().__init__()
        self.network = Chain(preset.stages, preset.mean, preset.scale)
        width = self.network.channels
        self.picture = projector(width, preset.hidden, 128)
        self.family = projector(width, preset.hidden, 128)
        self.counted = nn.Linear(width, COUNT)
        begin(self.network)


class Memory:
    """The last vectors of one head: a memory of further negatives."""

    def __init__(self, capacity: int, width: int, device: str):
        self.vectors = torch.zeros(capacity, width, device=device)
        self.families = torch.full((capacity,), -1, dtype=torch.long, device=device)
        self.cursor = 0

    def add(self, vectors: torch.Tensor, families: torch.Tensor) -> None:
        places = (torch.arange(len(vectors), device=vectors.device) + self.cursor) % len(self.vectors)
        self.vectors[places], self.families[places] = vectors.detach(), families
        self.cursor = (self.cursor + len(vectors)) % len(self.vectors)


class Training(Run):
    """The first part: views of a picture are told from those of all others."""

    def __init__(self, preset: Preset, folder: str, device: str):
        super().__init__("checkpoint", "loss", preset.name, preset.steps, folder, device)
        self.preset = preset
        self.pool = Pool(str(self.folder / "pool"), preset.pictures, preset.picture_side, preset.seed)
        torch.manual_seed(preset.seed)
        self.learner = Learner(preset).to(device).to(memory_format=torch.channels_last)
        self.network = self.learner.network
        self.average = copy.deepcopy(self.network)
        self.optimiser = adam(self.learner, preset.phases[0].rates[0])
        width = self.learner.network.channels
        self.memories = {head: Memory(preset.memory, width, device) for head in ("gem3", "mean")}

    def advance(self) -> dict[str, torch.Tensor]:
        # Everything random in a step follows from the seed and the step's number: a run that was cut goes on as if it had not been.
        mixed = self.preset.seed * 1_000_003 + self.step
        numbers = np.random.default_rng(mixed)
        phase, within = self.preset.phase(self.step)
        side = phase.side
        strength = min(1.0, 0.5 + self.step / (0.1 * self.preset.steps))
        edits = Edits(side, strength, torch.Generator().manual_seed(mixed), self.device, phase.colour)
        families = numbers.choice(self._families(), self.preset.families, replace=False)
        pictures = np.concatenate([families * INSTANCES + k for k in numbers.choice(INSTANCES, 2, replace=False)])
        base = self.pool.take(pictures, self.device)
        # Edits sample by single points: what is much finer than the views must be gone before.
        base = nn.functional.interpolate(base, min(self.preset.picture_side, side * 3 // 2), mode="area")
        views = torch.cat([edits(base), edits(base)]).mul_(255).to(memory_format=torch.channels_last)
        picture = torch.from_numpy(np.concatenate([pictures, pictures])).to(self.device)
        family = picture // INSTANCES

        rate = self.set_rate(phase.rates, within / phase.steps, self.preset.steps // 25)
        self.learner.train()
        with torch.autocast(self.device, torch.bfloat16):
            last = self.learner.network(views)
        last = last.float()
        summary = last.mean((2, 3))
        parts = {
            "picture": contrast(nn.functional.normalize(self.learner.picture(summary), dim=1), picture, family, 0.1),
            "family": supervised_contrast(nn.functional.normalize(self.learner.family(summary), dim=1), family, 0.1),
        }
        counts = statistics(base)
        guess = self.learner.counted(nn.functional.normalize(summary, dim=1) * summary.shape[1] ** 0.5)
        parts["counted"] = nn.functional.smooth_l1_loss(guess, torch.cat([counts, counts]))
        total = parts["picture"] + 0.5 * parts["family"] + 5 * parts["counted"]
        warm = self.step * len(views) > 2 * self.preset.memory
        fresh: dict[str, torch.Tensor] = {}
        for head, memory in self.memories.items():
            vectors = pooled(last, head)
            others = (memory.vectors, memory.families) if warm else (None, None)
            parts[head] = contrast(vectors, picture, family, 0.08, *others)
            parts[f"{head}_spreading"] = spreading(vectors, picture)
            parts[f"{head}_decorrelation"] = decorrelation(vectors)
            if phase.family_weight:
                parts[f"{head}_family"] = supervised_contrast(vectors, family, 0.1)
                total = total + phase.family_weight * parts[f"{head}_family"]
            total = total + 0.5 * parts[head] + 0.1 * parts[f"{head}_spreading"] + 0.05 * parts[f"{head}_decorrelation"]
            fresh[head] = vectors
        parts["gradient"] = self.descend(total, self.learner, 5.0)
        for head, memory in self.memories.items():
            memory.add(fresh[head], family)
        return {"total": total.detach(), "rate": torch.tensor(rate), **{k: v.detach() for k, v in parts.items()}}

    def _families(self) -> int:
        """Families that may be drawn from: the pool is filled while training runs, and a step's share of it is fixed beforehand."""
        share = min(1.0, 0.05 + 2 * self.step / self.preset.steps)
        wanted = min(self.pool.count, max(int(share * self.pool.count), self.preset.families * INSTANCES * 2))
        while self.pool.ready < wanted:
            time.sleep(1)
        return wanted // INSTANCES

    def state(self) -> dict:
        return {"learner": self.learner.state_dict(), "memories": {k: (m.vectors, m.families, m.cursor) for k, m in self.memories.items()}}

    def restore(self, state: dict) -> None:
        self.learner.load_state_dict(state["learner"])
        for head, (vectors, families, cursor) in state["memories"].items():
            memory = self.memories[head]
            memory.vectors, memory.families, memory.cursor = vectors, families, cursor


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", choices=PRESETS, required=True)
    arguments.add_argument("--folder", required=True, help="pool, checkpoint and log; outside the repository")
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--until", type=int, help="stop after this step; those of counting.py follow those of the presets' phases")
    arguments.add_argument("--generate", action="store_true", help="only fill the pool; may run beside the training")
    arguments.add_argument("--threads", type=int)
    options = arguments.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    preset = PRESETS[options.preset]
    pathlib.Path(options.folder).mkdir(parents=True, exist_ok=True)
    if options.generate:
        Pool(f"{options.folder}/pool", preset.pictures, preset.picture_side, preset.seed).fill(options.device)
    else:
        Training(preset, options.folder, options.device).run(options.until)
        if preset.counting and (options.until is None or options.until > preset.steps):
            Counter(preset, options.folder, options.device).run(options.until and options.until - preset.steps)


if __name__ == "__main__":
    main()
