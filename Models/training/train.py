"""Trains a network on generated pictures alone: `python train.py --preset slim --folder DIR`. Run again to go on where it stopped."""

import argparse
import copy
import json
import math
import pathlib
import time

import numpy as np
import torch
from torch import nn

from augment import Edits
from beginning import begin
from counted import COUNT, statistics
from losses import contrast, decorrelation, kinship, spreading
from network import Chain, pooled, projector
from pool import INSTANCES, Pool
from presets import PRESETS, Phase, Preset


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
    """The last vectors of one head, as further strangers."""

    def __init__(self, capacity: int, width: int, device: str):
        self.vectors = torch.zeros(capacity, width, device=device)
        self.families = torch.full((capacity,), -1, dtype=torch.long, device=device)
        self.cursor = 0

    def add(self, vectors: torch.Tensor, families: torch.Tensor) -> None:
        places = (torch.arange(len(vectors), device=vectors.device) + self.cursor) % len(self.vectors)
        self.vectors[places], self.families[places] = vectors.detach(), families
        self.cursor = (self.cursor + len(vectors)) % len(self.vectors)


class Training:
    def __init__(self, preset: Preset, folder: str, device: str):
        self.preset, self.device = preset, device
        self.folder = pathlib.Path(folder)
        self.pool = Pool(str(self.folder / "pool"), preset.pictures, preset.picture_side, preset.seed)
        torch.manual_seed(preset.seed)
        self.learner = Learner(preset).to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.learner.network)
        decayed = [p for p in self.learner.parameters() if p.dim() > 1]
        plain = [p for p in self.learner.parameters() if p.dim() <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0.0}], lr=preset.phases[0].rates[0], betas=(0.9, 0.98))
        width = self.learner.network.channels
        self.memories = {head: Memory(preset.memory, width, device) for head in ("gem3", "mean")}
        self.step = 0
        self._restore()

    def run(self, until: int | None = None, save_every: int = 200) -> None:
        last = min(self.preset.steps, until or self.preset.steps)
        log = open(self.folder / "loss.jsonl", "a")
        started, first = time.monotonic(), self.step
        while self.step < last:
            parts = self._advance()
            self.step += 1
            if self.step % 10 == 0 or self.step == last:
                speed = (self.step - first) / (time.monotonic() - started)
                line = {"step": self.step, "steps_per_second": round(speed, 3), **{k: round(float(v), 4) for k, v in parts.items()}}
                log.write(json.dumps(line) + "\n")
                log.flush()
                if self.step % 50 == 0:
                    print(json.dumps(line), flush=True)
            if self.step % save_every == 0 or self.step == last:
                self._save()

    def _advance(self) -> dict[str, torch.Tensor]:
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

        rate = self._rate(phase, within)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.learner.train()
        with torch.autocast(self.device, torch.bfloat16):
            last = self.learner.network(views)
        last = last.float()
        summary = last.mean((2, 3))
        parts = {
            "picture": contrast(nn.functional.normalize(self.learner.picture(summary), dim=1), picture, family, 0.1),
            "family": kinship(nn.functional.normalize(self.learner.family(summary), dim=1), family, 0.1),
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
            if phase.kinship:
                parts[f"{head}_family"] = kinship(vectors, family, 0.1)
                total = total + phase.kinship * parts[f"{head}_family"]
            total = total + 0.5 * parts[head] + 0.1 * parts[f"{head}_spreading"] + 0.05 * parts[f"{head}_decorrelation"]
            fresh[head] = vectors
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        parts["gradient"] = nn.utils.clip_grad_norm_(self.learner.parameters(), 5.0)
        self.optimiser.step()
        self._average()
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

    def _rate(self, phase: Phase, within: int) -> float:
        start, end = phase.rates
        warm = min(1.0, (self.step + 1) / max(1, self.preset.steps // 25))
        return warm * (end + (start - end) * 0.5 * (1 + math.cos(math.pi * within / phase.steps)))

    @torch.no_grad()
    def _average(self) -> None:
        """The weights that ship are a running mean of those that are trained (Polyak and Juditsky 1992)."""
        keep = min(0.998, self.step / (self.step + 20))
        for mean, now in zip(self.average.state_dict().values(), self.learner.network.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def _save(self) -> None:
        state = {"step": self.step, "learner": self.learner.state_dict(), "average": self.average.state_dict(),
                 "optimiser": self.optimiser.state_dict(), "preset": self.preset.name,
                 "memories": {k: (m.vectors, m.families, m.cursor) for k, m in self.memories.items()}}
        temporary = self.folder / "checkpoint.new"
        torch.save(state, temporary)
        temporary.replace(self.folder / "checkpoint.pt")

    def _restore(self) -> None:
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        # Our own file; the safe reader of PyTorch 1.13 knows no floats.
        state = torch.load(path, map_location=self.device, weights_only=False)
        if state["preset"] != self.preset.name:
            raise SystemExit(f"{path} is of {state['preset']}, not {self.preset.name}: take another folder")
        self.learner.load_state_dict(state["learner"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        for head, (vectors, families, cursor) in state["memories"].items():
            memory = self.memories[head]
            memory.vectors, memory.families, memory.cursor = vectors, families, cursor
        self.step = state["step"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--preset", choices=PRESETS, required=True)
    arguments.add_argument("--folder", required=True, help="pool, checkpoint and log; outside the repository")
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--until", type=int, help="stop after this step")
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


if __name__ == "__main__":
    main()
