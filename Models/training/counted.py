"""What can be counted in a picture: targets that teach a network early what colour, texture and layout are."""

import torch
import torch.nn.functional as F

_BINS = 4


def _colour_histogram(pictures: torch.Tensor) -> torch.Tensor:
    """Square roots of a joint histogram of RGB, 4 x 4 x 4 bins that overlap linearly: [n, 64]."""
    pixels = F.interpolate(pictures, 32, mode="area").flatten(2) * (_BINS - 1)
    steps = torch.arange(_BINS, device=pictures.device)[None, None, :, None]
    shares = (1 - (pixels[:, :, None] - steps).abs()).clamp(min=0)
    joint = torch.einsum("nip,njp,nkp->nijk", shares[:, 0], shares[:, 1], shares[:, 2]) / pixels.shape[2]
    return joint.flatten(1).clamp(min=1e-6).sqrt()


def _edges(pictures: torch.Tensor) -> torch.Tensor:
    """Energy of gradients by direction at two scales, and of colour: [n, 18]."""
    gray = pictures.mean(1, keepdim=True)
    parts = []
    for side in (64, 24):
        plane = F.interpolate(gray, side, mode="area")
        dx, dy = plane[..., 1:-1, 2:] - plane[..., 1:-1, :-2], plane[..., 2:, 1:-1] - plane[..., :-2, 1:-1]
        size = (dx.square() + dy.square()).sqrt()
        angle = torch.atan2(dy, dx)
        # A picture and its mirror image count as the same.
        fold = (angle % torch.pi - torch.pi / 2).abs() / (torch.pi / 2) * 7
        steps = torch.arange(8, device=pictures.device)[None, :, None, None]
        shares = (1 - (fold - steps).abs()).clamp(min=0) * size
        parts += [(shares.mean((2, 3)) + 1e-3).log(), (size.mean((1, 2, 3)) + 1e-3).log()[:, None]]
    return torch.cat(parts, 1)


def _layout(pictures: torch.Tensor) -> torch.Tensor:
    """Mean colours of a 4 x 4 grid, the mean of it and its mirror image: [n, 24]."""
    grid = F.interpolate(pictures, 4, mode="area")
    return ((grid + grid.flip(3)) / 2)[..., :2].flatten(1)


COUNT = _BINS ** 3 + 18 + 24


@torch.no_grad()
def statistics(pictures: torch.Tensor) -> torch.Tensor:
    """[n, 3, s, s] in 0...1 to [n, COUNT], each component of mean 0 and deviation 1 within the batch."""
    values = torch.cat([_colour_histogram(pictures), _edges(pictures), _layout(pictures)], 1)
    return (values - values.mean(0)) / values.std(0).clamp(min=1e-2)
