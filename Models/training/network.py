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
