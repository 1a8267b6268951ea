"""The second part of a training: every layer is widened, and what is added learns to count colours and textures."""

import copy

import numpy as np
import torch
from torch import nn

from augment import Edits
from beginning import begin_beside
from codes import Codes
from network import Chain, Extended
from pool import Pool
from presets import Preset
from running import Run, adam


class Counter(Run):
    """Goes on from what `Training` ended with, which stays as it is (`Extended`).

    A teacher says what each cell of the last map should hold: the cube root of each code's share, so that `gem3`, which cubes,
    averages and takes the root, gives the cube root of the share in the whole picture: a histogram with its power normalised. A
    target in every cell teaches within minutes what comparing pictures does not teach in hours.
    """

    def __init__(self, preset: Preset, folder: str, device: str):
        assert preset.counting is not None
        super().__init__("counting", "counting", preset.name, preset.counting.steps, folder, device)
        self.preset, self.plan = preset, preset.counting
        self.pool = Pool(str(self.folder / "pool"), preset.pictures, preset.picture_side, preset.seed)
        self.codes = Codes(self.pool, self.plan.colours, self.plan.fine, self.plan.coarse, preset.seed, device)
        torch.manual_seed(preset.seed)
        first = Chain(preset.stages, preset.mean, preset.scale)
        first.load_state_dict(torch.load(self.folder / "checkpoint.pt", map_location="cpu", weights_only=False)["average"])
        self.network = Extended(first, self.plan.stages)
        begin_beside(self.network)
        self.network = self.network.to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network)
        self.optimiser = adam(self.network.layers, self.plan.pieces[0].rates[0])

    def advance(self) -> dict[str, torch.Tensor]:
        mixed = self.preset.seed * 2_000_003 + self.step
        piece, within = self.plan.piece(self.step)
        numbers = np.random.default_rng(mixed).choice(self.pool.count, piece.count, replace=False)
        edits = Edits(piece.side, 1.0, torch.Generator().manual_seed(mixed), self.device)
        clean, worn = edits.pieces(self.pool.take(numbers, self.device))
        shares = self.codes.shares(clean).clamp(min=1e-6)
        cells, whole = shares.pow(1 / 3), shares.mean((2, 3)).pow(1 / 3)
        rate = self.set_rate(piece.rates, within / piece.steps, 60)
        self.network.train()
        with torch.autocast(self.device, torch.bfloat16):
            last = self.network((worn * 255).to(memory_format=torch.channels_last))[1]
        last = last.float()
        counted = (last.clamp(min=1e-4) ** 3).mean((2, 3)).pow(1 / 3)
        parts = {
            "cells": _relative(last - cells, cells.var((0, 2, 3))[None, :, None, None]),
            "whole": _relative(counted - whole, whole.var(0)[None]),
        }
        total = parts["cells"] + 0.5 * parts["whole"]
        self.descend(total, self.network.layers, 2.0)
        return {"total": total.detach(), "rate": torch.tensor(rate), **{k: v.detach() for k, v in parts.items()}}

    def state(self) -> dict:
        return {"network": self.network.state_dict()}

    def restore(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])


def _relative(error: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """Mean squared error in shares of the variance: half channel by channel, so that rare codes count, half of the mean of all."""
    return (error.square() * 2 / (variance + variance.mean())).mean()
