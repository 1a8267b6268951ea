"""Outlines as signed distances: negative inside, about one unit per half width of the shape."""

import math

import torch

from .draw import Draw, spread
from .fields import power_law_atlas, sample


def local(points: torch.Tensor, centre: torch.Tensor, scale: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Points in a shape's own frame. `centre` is [count, 2], `scale` [count] or [count, 2] in units of the frame."""
    moved = points - centre[:, :, None, None]
    cosine, sine = spread(angle.cos()), spread(angle.sin())
    x = moved[:, 0] * cosine + moved[:, 1] * sine
    y = moved[:, 1] * cosine - moved[:, 0] * sine
    turned = torch.stack([x, y], 1)
    if scale.dim() == 1:
        scale = scale[:, None].expand(-1, 2)
    return turned / scale[:, :, None, None]


def star(draw: Draw):
    """A closed curve around a centre, by a few harmonics: pebbles, leaves, petals, blobs."""
    order = draw.choices.choice([3, 4, 5, 6, 8])
    depth = draw.shared(0, 0.45) * draw.flag(0.6)
    phase = draw.own(0, math.tau)
    waves = draw.shared(-0.12, 0.12, 4, jitter=0.1)
    phases = draw.shared(0, math.tau, 4, jitter=0.05)

    def distance(points: torch.Tensor) -> torch.Tensor:
        x, y = points[:, 0], points[:, 1]
        angle = torch.atan2(y, x)
        edge = 1 + spread(depth) * (order * angle + spread(phase)).cos()
        for k in range(2):
            edge = edge + spread(waves[:, k]) * ((k + 1) * angle + spread(phases[:, k])).cos()
        return (x * x + y * y).sqrt() / edge.clamp(min=0.2) - 1

    return distance


def block(draw: Draw):
    """From a diamond over an ellipse to a rounded rectangle (superellipse)."""
    power = spread(draw.shared_log(1.0, 12))
    bend = spread(draw.shared(-0.3, 0.3) * draw.flag(0.4))

    def distance(points: torch.Tensor) -> torch.Tensor:
        x, y = points[:, 0].abs().clamp(min=1e-4, max=20), points[:, 1].abs().clamp(min=1e-4, max=20)
        x = x * (1 + bend * points[:, 1].clamp(-1, 1))
        return (x.pow(power) + y.pow(power)).pow(1 / power) - 1

    return distance


def creature(draw: Draw):
    """A skeleton of tapered limbs around a trunk: what stands, walks, or grows."""
    limbs = draw.choices.randint(4, 8)
    starts, ends = draw.shared(-0.55, 0.55, limbs, 2, jitter=0.06), draw.shared(-1, 1, limbs, 2, jitter=0.10)
    upright = draw.choices.random() < 0.6
    if upright:
        # Legs reach down from the trunk.
        legs = max(2, limbs - 3)
        starts[:, :legs, 1] = 0.1 + 0.1 * starts[:, :legs, 1]
        ends[:, :legs, 0] = starts[:, :legs, 0] + 0.2 * ends[:, :legs, 0]
        ends[:, :legs, 1] = 0.85 + 0.1 * ends[:, :legs, 1]
    thick = draw.shared(0.05, 0.2, limbs, jitter=0.03)
    thin = draw.shared(0.02, 0.14, limbs, jitter=0.03)
    trunk = draw.shared(0.2, 0.5, 2, jitter=0.03)

    def distance(points: torch.Tensor) -> torch.Tensor:
        x, y = points[:, 0], points[:, 1]
        best = ((x / spread(trunk[:, 0] + 0.25)).square() + ((y - 0.05) / spread(trunk[:, 1] * 0.7)).square()).sqrt() - 1
        best = best * spread(trunk[:, 1]) * 0.7
        for k in range(limbs):
            ax, ay = spread(starts[:, k, 0]), spread(starts[:, k, 1])
            dx, dy = spread(ends[:, k, 0]) - ax, spread(ends[:, k, 1]) - ay
            along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).clamp(min=1e-3)).clamp(0, 1)
            width = spread(thick[:, k]) * (1 - along) + spread(thin[:, k]) * along
            limb = ((x - ax - along * dx).square() + (y - ay - along * dy).square()).sqrt() - width
            best = torch.minimum(best, limb)
        return best

    return distance


def island(draw: Draw):
    """Noise cut at a level: clouds, lakes, spots, foliage."""
    atlas = power_law_atlas(draw, draw.shared(1.3, 2.2))
    level, scale = spread(draw.shared(-0.2, 0.9)), spread(draw.shared_log(0.3, 1.0))[:, None]

    def distance(points: torch.Tensor) -> torch.Tensor:
        return level - sample(atlas, points * scale) + 0.6 * (points.square().sum(1).sqrt() - 0.6).clamp(min=0)

    return distance


def mask(distance: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Coverage in 0...1 with an edge about one pixel wide; `pixels` is the shape's half width in pixels, [count]."""
    return (0.5 - distance * spread(pixels)).clamp(0, 1)


SHAPES = [star, star, block, block, creature, island]
