"""Codebooks: how much of which colours and textures a piece of a picture holds. What the second part of a vector learns to count.

Colours are k-means centres in CIELAB; textures are k-means centres of small patches without their mean and contrast, whitened
(Coates, Lee and Ng 2011), at two scales. Everything is learned from generated pictures.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from pool import Pool

# A cell of the last map: the four pools of the chain halve a picture four times.
CELL = 16
# How far in CIELAB, squared, a colour still counts for a centre beside its own.
_COLOUR_SPREAD = 100.0
# How sharply a patch belongs to its nearest centre: the factor on distances that are standardised over all centres.
_SHARPNESS = 10.0


@dataclass
class Patches:
    """A codebook of patches of `size` pixels, in a picture made `shrink` times smaller, every `stride` pixels."""

    size: int
    shrink: int
    stride: int
    mean: torch.Tensor
    whitening: torch.Tensor
    centres: torch.Tensor

    @staticmethod
    def learn(pictures: torch.Tensor, size: int, shrink: int, stride: int, count: int, generator: torch.Generator) -> "Patches":
        small = F.avg_pool2d(pictures, shrink)
        taken = 60_000
        which = torch.randint(len(small), (taken,), generator=generator)
        top, left = (torch.randint(small.shape[-1] - size + 1, (taken,), generator=generator) for _ in range(2))
        reach = torch.arange(size)
        rows, columns = (top[:, None] + reach)[:, :, None], (left[:, None] + reach)[:, None, :]
        flat = _normalised(small[which[:, None, None], :, rows, columns].permute(0, 3, 1, 2).flatten(1))
        mean = flat.mean(0)
        values, directions = torch.linalg.eigh(torch.cov((flat - mean).T))
        whitening = directions @ torch.diag((values + 1e-3 * values.sum()).rsqrt()) @ directions.T
        return Patches(size, shrink, stride, mean, whitening, _kmeans((flat - mean) @ whitening, count, generator))

    def shares(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, s, s] to [n, centres, s / CELL, s / CELL]."""
        small = F.avg_pool2d(pictures, self.shrink)
        number = len(pictures)
        along = (small.shape[-1] - self.size) // self.stride + 1
        flat = _normalised(F.unfold(small, self.size, stride=self.stride).permute(0, 2, 1).reshape(-1, self.mean.numel())) - self.mean
        # |x - c|^2 of whitened x, which is computed as two products of one matrix.
        with torch.autocast(pictures.device.type, torch.bfloat16):
            product = (flat @ torch.cat([self.whitening, self.whitening @ self.centres.T], 1)).float()
        own, crossed = product[:, :self.mean.numel()], product[:, self.mean.numel():]
        distance = (own.square().sum(1, keepdim=True) + self.centres.square().sum(1) - 2 * crossed).clamp(min=0).sqrt()
        distance = (distance - distance.mean(1, keepdim=True)) / distance.std(1, keepdim=True)
        belongs = torch.softmax(-_SHARPNESS * distance, 1).view(number, along, along, -1).permute(0, 3, 1, 2)
        cell = CELL // self.shrink // self.stride
        missing = small.shape[-1] // self.stride - along
        return F.avg_pool2d(F.pad(belongs, (missing // 2, missing - missing // 2) * 2, "replicate"), cell)

    def drawn(self) -> torch.Tensor:
        """The centres as patches [centres, 3, size, size] in 0...1, gray where they have no structure."""
        flat = self.centres @ torch.linalg.inv(self.whitening) + self.mean
        return (0.5 + flat / (4 * flat.square().mean(1, keepdim=True).sqrt())).clamp(0, 1).view(-1, 3, self.size, self.size)

    def to(self, device: str) -> "Patches":
        return Patches(self.size, self.shrink, self.stride, self.mean.to(device), self.whitening.to(device), self.centres.to(device))


class Codes:
    """`colours` centres of colours, `fine` of patches of 4 x 4 pixels, `coarse` of patches of 6 x 6 in a picture a quarter as large."""

    def __init__(self, pool: Pool, colours: int, fine: int, coarse: int, seed: int, device: str):
        generator = torch.Generator().manual_seed(seed)
        numbers = np.linspace(0, pool.count - 1, min(2000, pool.count)).astype(int)
        pictures = pool.take(numbers, "cpu")
        pixels = _lab(F.avg_pool2d(pictures, 4)).permute(0, 2, 3, 1).reshape(-1, 3)
        pixels = pixels[torch.randint(len(pixels), (100_000,), generator=generator)]
        self.colours = _kmeans(pixels, colours, generator).to(device)
        self.patches = [
            Patches.learn(pictures, size, shrink, stride, count, generator).to(device)
            for size, shrink, stride, count in ((4, 1, 2, fine), (6, 4, 1, coarse))]

    def drawn(self) -> list[torch.Tensor]:
        """What is counted, as pictures in 0...1: colours [n, 3, 1, 1] from dark to light, fine and coarse patches."""
        colours = self.colours[self.colours[:, 0].argsort()]
        return [_rgb(colours.view(-1, 3, 1, 1))] + [patches.drawn() for patches in self.patches]

    @torch.no_grad()
    def shares(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures [n, 3, s, s] in 0...1, s a multiple of 16: the share of each code in each cell, [n, codes, s / 16, s / 16].

        Over all colours, and over all patches of either scale, the shares of a cell add up to 1.
        """
        half = _lab(F.avg_pool2d(pictures, 2)).permute(0, 2, 3, 1)
        distance = (half.square().sum(-1, keepdim=True) + self.colours.square().sum(1) - 2 * half @ self.colours.T).clamp(min=0)
        colours = F.avg_pool2d(torch.softmax(-distance / _COLOUR_SPREAD, -1).permute(0, 3, 1, 2), CELL // 2)
        return torch.cat([colours] + [patches.shares(pictures) for patches in self.patches], 1)


def _normalised(patches: torch.Tensor) -> torch.Tensor:
    """Patches [n, values] of mean 0 and deviation near 1; the floor keeps noise in flat patches small."""
    centred = patches - patches.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True) + 3e-4).sqrt()


def _kmeans(rows: torch.Tensor, count: int, generator: torch.Generator, rounds: int = 15) -> torch.Tensor:
    centres = rows[torch.randperm(len(rows), generator=generator)[:count]]
    for _ in range(rounds):
        nearest = (rows @ centres.T - 0.5 * centres.square().sum(1)).argmax(1)
        sizes = torch.zeros(count).index_add_(0, nearest, torch.ones(len(rows)))
        sums = torch.zeros(count, rows.shape[1]).index_add_(0, nearest, rows)
        spare = rows[torch.randint(len(rows), (count,), generator=generator)]
        centres = torch.where(sizes[:, None] > 0, sums / sizes.clamp(min=1)[:, None], spare)
    return centres


_XYZ = torch.tensor([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = torch.tensor([0.9505, 1.0, 1.089]).view(3, 1, 1)


def _lab(pictures: torch.Tensor) -> torch.Tensor:
    """sRGB [n, 3, h, w] in 0...1 to CIELAB under D65."""
    linear = torch.where(pictures > 0.04045, ((pictures + 0.055) / 1.055).clamp(min=1e-6) ** 2.4, pictures / 12.92)
    xyz = torch.einsum("dc,nchw->ndhw", _XYZ.to(pictures.device), linear) / _WHITE.to(pictures.device)
    bent = torch.where(xyz > 0.008856, xyz.clamp(min=1e-6) ** (1 / 3), 7.787 * xyz + 16 / 116)
    return torch.stack([116 * bent[:, 1] - 16, 500 * (bent[:, 0] - bent[:, 1]), 200 * (bent[:, 1] - bent[:, 2])], 1)


def _rgb(lab: torch.Tensor) -> torch.Tensor:
    """The inverse of `_lab`; what no screen shows is cut off."""
    light = (lab[:, 0] + 16) / 116
    bent = torch.stack([light + lab[:, 1] / 500, light, light - lab[:, 2] / 200], 1)
    xyz = torch.where(bent > 6 / 29, bent ** 3, (bent - 16 / 116) / 7.787) * _WHITE
    linear = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(_XYZ), xyz).clamp(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055, 12.92 * linear)
