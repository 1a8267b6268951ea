"""What both parts of a training share: steps that are logged and saved, a run that goes on where it was cut, averaged weights."""

import json
import math
import pathlib
import time

import torch
from torch import nn


class Run:
    """A stretch of training that keeps `<name>.pt` and `<log>.jsonl` in its folder.

    A subclass sets `network`, `average` and `optimiser`, says in `advance` what a step does and in `state` what else must be kept.
    """

    def __init__(self, name: str, log: str, preset: str, steps: int, folder: str, device: str):
        self.name, self.log, self.preset_name, self.steps, self.device = name, log, preset, steps, device
        self.folder = pathlib.Path(folder)
        self.step = 0
        self.network: nn.Module
        self.average: nn.Module
        self.optimiser: torch.optim.Optimizer

    def advance(self) -> dict[str, torch.Tensor]:
        """One step; the parts of its loss."""
        raise NotImplementedError

    def state(self) -> dict:
        raise NotImplementedError

    def restore(self, state: dict) -> None:
        raise NotImplementedError

    def run(self, until: int | None = None, save_every: int = 200) -> None:
        self._restore()
        last = min(self.steps, self.steps if until is None else until)
        started, first = time.monotonic(), self.step
        with open(self.folder / f"{self.log}.jsonl", "a") as log:
            while self.step < last:
                parts = self.advance()
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

    def set_rate(self, rates: tuple[float, float], share: float, warm: int) -> float:
        """The learning rate falls by half a cosine, after a rise over the first `warm` steps."""
        start, end = rates
        rate = min(1.0, (self.step + 1) / max(1, warm)) * (end + (start - end) * 0.5 * (1 + math.cos(math.pi * share)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def descend(self, total: torch.Tensor, trained: nn.Module, longest: float) -> torch.Tensor:
        """A step of the optimiser, then of the average; the gradient's length before it was cut to `longest`."""
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        length = nn.utils.clip_grad_norm_(trained.parameters(), longest)
        self.optimiser.step()
        # The weights that ship are a running mean of those that are trained (Polyak and Juditsky 1992).
        keep = min(0.998, self.step / (self.step + 20))
        with torch.no_grad():
            for mean, now in zip(self.average.state_dict().values(), self.network.state_dict().values()):
                if mean.dtype.is_floating_point:
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)
        return length

    def _save(self) -> None:
        kept = {"step": self.step, "preset": self.preset_name, "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(), **self.state()}
        temporary = self.folder / f"{self.name}.new"
        torch.save(kept, temporary)
        temporary.replace(self.folder / f"{self.name}.pt")

    def _restore(self) -> None:
        path = self.folder / f"{self.name}.pt"
        if not path.exists():
            return
        # Our own file; the safe reader of PyTorch 1.13 knows no floats.
        kept = torch.load(path, map_location=self.device, weights_only=False)
        if kept["preset"] != self.preset_name:
            raise SystemExit(f"{path} is of {kept['preset']}, not {self.preset_name}: take another folder")
        self.average.load_state_dict(kept["average"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.restore(kept)
        self.step = kept["step"]


def adam(module: nn.Module, rate: float) -> torch.optim.AdamW:
    """AdamW that decays matrices and filters, not gains and offsets."""
    decayed = [p for p in module.parameters() if p.dim() > 1]
    plain = [p for p in module.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
