"""Palettes, and fields turned into colours by them."""

import torch

from .draw import Draw

# Rough bands of hue, saturation and value that outdoor and indoor pictures are full of; a palette takes its colours from one
# band, from two, or from anywhere.
_BANDS = [
    ((0.50, 0.68), (0.15, 0.80), (0.45, 1.00)),  # skies, water
    ((0.18, 0.42), (0.25, 0.90), (0.10, 0.75)),  # leaves, grass
    ((0.04, 0.14), (0.20, 0.75), (0.15, 0.85)),  # earth, wood, sand, skin
    ((0.00, 1.00), (0.00, 0.12), (0.05, 1.00)),  # stone, concrete, snow, night
    ((0.94, 1.16), (0.60, 1.00), (0.35, 1.00)),  # red to yellow paint, flowers, food
    ((0.70, 0.95), (0.30, 0.90), (0.30, 0.95)),  # violet to pink
    ((0.00, 1.00), (0.30, 1.00), (0.20, 1.00)),  # anything
]


def hsv_to_rgb(hsv: torch.Tensor) -> torch.Tensor:
    """[..., 3] in 0...1; the hue may run past 1."""
    hue, saturation, value = hsv.unbind(-1)
    offsets = torch.tensor([5.0, 3.0, 1.0], device=hsv.device)
    k = (offsets + hue[..., None] * 6) % 6
    wave = torch.minimum(torch.minimum(k, 4 - k), torch.ones_like(k)).clamp(min=0)
    return value[..., None] * (1 - saturation[..., None] * wave)


def palette(draw: Draw, colours: int) -> torch.Tensor:
    """Colours for every image, dark to light or unordered: [count, colours, 3] RGB in 0...1."""
    bands = torch.tensor(_BANDS, device=draw.device)
    main = (draw.shared(0, len(_BANDS)).long()).clamp(max=len(_BANDS) - 1)
    other = (draw.shared(0, len(_BANDS)).long()).clamp(max=len(_BANDS) - 1)
    takes_other = draw.shared(0, 1, colours) < 0.25
    band = torch.where(takes_other[..., None, None], bands[other][:, None], bands[main][:, None])
    # Colours of a band cluster around one of its own: real materials have few hues.
    centre = draw.shared(0, 1, 1, 3)
    width = draw.shared(0.1, 1.0, 1, 1)
    place = (centre + width * (draw.shared(-0.5, 0.5, colours, 3, jitter=0.04))).clamp(0, 1)
    hsv = band[..., 0] + (band[..., 1] - band[..., 0]) * place
    if draw.choices.random() < 0.6:
        hsv[..., 2] = hsv[..., 2].sort(dim=1).values
    return hsv_to_rgb(hsv)


def colour(field: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """Looks a field in 0...1 up in palettes, linearly between neighbours: [count, 3, h, w]."""
    last = colours.shape[1] - 1
    if last == 0:
        return colours[:, 0, :, None, None].expand(-1, -1, *field.shape[1:])
    position = field.clamp(0, 1) * last
    steps = torch.arange(last + 1, device=field.device)[None, :, None, None]
    weights = (1 - (position[:, None] - steps).abs()).clamp(min=0)
    return torch.einsum("bkhw,bkc->bchw", weights, colours)
