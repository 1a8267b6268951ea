"""The network in PyTorch: a chain of 3x3 convolutions, batch norm and ReLU, 2x2 max pools between stages; and its heads."""

import torch
import torch.nn.functional as F
from torch import nn


class Chain(nn.Module):
    """`stages` as in a manifest of `Models/`: output channels of every convolution, stage by stage. Input is 0...255 RGB."""

    def __init__(self, stages: list[list[int]], mean: list[float], scale: list[float]):
        super().__init__()
        self.stages = stages
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(scale).view(1, 3, 1, 1), persistent=False)
        layers: list[nn.Module] = []
        channels = 3
        for position, stage in enumerate(stages):
            if position:
                layers.append(nn.MaxPool2d(2))
            for width in stage:
                convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
        self.layers = nn.Sequential(*layers)
        self.channels = channels

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """[n, 3, side, side] in 0...255 to the last map, [n, channels, h, w]."""
        return self.layers((pixels - self.mean) * self.scale)

    @torch.no_grad()
    def folded(self) -> dict[str, torch.Tensor]:
        """Weights with batch norm folded in, under the names of torchvision: `features.N.weight` [out, in, 3, 3], `features.N.bias`."""
        tensors: dict[str, torch.Tensor] = {}
        number = 0
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                convolution = layer
            elif isinstance(layer, nn.BatchNorm2d):
                gain = layer.weight.double() / (layer.running_var.double() + layer.eps).sqrt()
                weight = convolution.weight.double() * gain[:, None, None, None]
                tensors[f"features.{number}.weight"] = weight.float().contiguous()
                tensors[f"features.{number}.bias"] = (layer.bias.double() - layer.running_mean.double() * gain).float().contiguous()
                number += 1
            else:
                number += 1
        return tensors


class Extended(nn.Module):
    """A chain that stays as it is, and a second one beside it that reads, in every layer, what both have made.

    Nothing of the first is forgotten, and the second need not find again what the first knows: a progressive network (Rusu et al.
    2016). Both together are one chain (`joined`), in which the first one's filters have zeros where the second one's channels come in.
    """

    def __init__(self, first: Chain, added: list[list[int]]):
        super().__init__()
        self.first = first.eval().requires_grad_(False)
        self.stages = added
        # The pools and ReLUs of the first serve for both.
        layers: list[nn.Module] = []
        before = second = 0
        widths = iter([width for stage in added for width in stage])
        for layer in first.layers:
            if isinstance(layer, nn.Conv2d):
                before, width = second, next(widths)
                convolution = nn.Conv2d(layer.in_channels + before, width, 3, padding=1, bias=False)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                layers.append(convolution)
                second = width
            elif isinstance(layer, nn.BatchNorm2d):
                layers.append(nn.BatchNorm2d(second))
            else:
                layers.append(nn.Identity())
        self.layers = nn.ModuleList(layers)

    def train(self, mode: bool = True) -> "Extended":
        super().train(mode)
        self.first.eval()
        return self

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[n, 3, side, side] in 0...255 to the last maps of the first and of the second chain."""
        first = (pixels - self.first.mean) * self.first.scale
        second = first[:, :0]
        for one, two in zip(self.first.layers, self.layers):
            if isinstance(one, nn.Conv2d):
                second = two(torch.cat([first, second], 1))
            elif isinstance(one, nn.BatchNorm2d):
                second = two(second)
            else:
                second = one(second)
            with torch.no_grad():
                first = one(first)
        return first, second

    @torch.no_grad()
    def joined(self) -> Chain:
        stages = [[one + two for one, two in zip(*pair)] for pair in zip(self.first.stages, self.stages)]
        result = Chain(stages, self.first.mean.flatten().tolist(), self.first.scale.flatten().tolist()).eval()
        for whole, one, two in zip(result.layers, self.first.layers, self.layers):
            if isinstance(whole, nn.Conv2d):
                whole.weight.zero_()
                whole.weight[:one.out_channels, :one.in_channels] = one.weight
                whole.weight[one.out_channels:] = two.weight
            elif isinstance(whole, nn.BatchNorm2d):
                for name in ("weight", "bias", "running_mean", "running_var"):
                    getattr(whole, name).copy_(torch.cat([getattr(one, name), getattr(two, name)]))
        return result


def pooled(last: torch.Tensor, head: str) -> torch.Tensor:
    """One head of `Sources/Inference/README.md`, L2-normalised: [n, channels]."""
    last = last.float()
    if head == "mean":
        summary = last.mean((2, 3))
    elif head == "max":
        summary = last.amax((2, 3))
    elif head == "gem3":
        summary = last.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)
    else:
        raise ValueError(f"no head is called {head}")
    return F.normalize(summary, dim=1)


def projector(width: int, hidden: int, output: int) -> nn.Module:
    """Maps summaries to where the losses compare them; thrown away afterwards (Chen et al. 2020)."""
    return nn.Sequential(nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, output))
