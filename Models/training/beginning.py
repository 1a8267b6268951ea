"""Where training starts: every layer passes on what it gets, and adds something of its own."""

import torch
from torch import nn

from network import Chain, Extended


@torch.no_grad()
def begin(network: Chain, added: float = 0.3, lift: float = 0.7, last: float = -0.5) -> None:
    """Sets every convolution to the identity on the channels it shares with its input, plus random filters.

    A plain chain of thirteen layers learns slowly from random filters: little of the picture reaches its end. Begun like this, the
    last map holds channels of every depth, as if the chain had shortcuts (compare delta-orthogonal beginnings, Xiao et al. 2018,
    and the identity branch of RepVGG, Ding et al. 2021), and training bends them from there. `lift`: batch norm's offset of carried
    channels, in deviations, so that the ReLU lets most of them through. `last`: added to it in the last layer, so that the vectors
    have less in common.
    """
    previous = 0
    for layer, norm in _convolutions(network):
        shared = min(previous, layer.out_channels)
        layer.weight[:shared] *= added
        for channel in range(shared):
            layer.weight[channel, channel, 1, 1] += 1
        norm.bias[:shared] = lift
        norm.bias[shared:] = 0.3
        previous = layer.out_channels
    norm.bias += last


@torch.no_grad()
def begin_beside(network: Extended, added: float = 0.3, lift: float = 0.7, last: float = 0.15) -> None:
    """The same for the second chain of `Extended`: each layer passes on its own channels. `last`: gain and offset of its last one,
    whose values are cube roots of shares, near 0.15 in most cells."""
    previous = 0
    for layer, norm in _convolutions(network):
        shared = min(previous, layer.out_channels)
        beside = layer.in_channels - previous
        if previous:
            layer.weight *= added
            for channel in range(layer.out_channels):
                layer.weight[channel, beside + channel % previous, 1, 1] += 1
        norm.bias[:shared] = lift
        norm.bias[shared:] = 0.3
        previous = layer.out_channels
    norm.weight.fill_(last)
    norm.bias.fill_(last)


def _convolutions(network: Chain | Extended) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Every convolution with the batch norm that follows it."""
    layers = list(network.layers)
    return [(layer, norm) for layer, norm in zip(layers, layers[1:]) if isinstance(layer, nn.Conv2d)]
