"""Scalar fields in 0...1 over the plane: what materials are made of."""

import math

import torch
import torch.nn.functional as F

from .draw import Draw, spread

_ATLAS = 256


def power_law_atlas(draw: Draw, slope: torch.Tensor) -> torch.Tensor:
    """Tileable noise whose amplitude falls with frequency to the power `slope`: [count, 1, 256, 256], mean 0, deviation 1.

    Natural images have a slope near 1 (Field 1987). The spectrum is stretched at random along one direction, as of fur, waves
    or grass.
    """
    fy = torch.fft.fftfreq(_ATLAS, device=draw.device)[None, :, None] * _ATLAS
    fx = torch.fft.rfftfreq(_ATLAS, device=draw.device)[None, None, :] * _ATLAS
    angle, stretch = spread(draw.shared(0, math.pi, jitter=0.02)), spread(draw.shared_log(1, 8))
    stretch = torch.where(spread(draw.flag(0.5)) > 0, stretch, torch.ones_like(stretch))
    along = fx * angle.cos() + fy * angle.sin()
    across = fy * angle.cos() - fx * angle.sin()
    radius = (along.square() + (across * stretch).square()).sqrt().clamp(min=1)
    amplitude = radius.pow(-spread(slope))
    amplitude[:, 0, 0] = 0
    shape = (_ATLAS, _ATLAS // 2 + 1)
    spectrum = torch.complex(draw.normal(*shape), draw.normal(*shape)) * amplitude
    noise = torch.fft.irfft2(spectrum, s=(_ATLAS, _ATLAS))
    return (noise / noise.std(dim=(1, 2), keepdim=True).clamp(min=1e-6))[:, None]


def sample(atlas: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """An atlas at points, mirrored beyond its borders: [count, h, w]."""
    return F.grid_sample(atlas, points.permute(0, 2, 3, 1), "bilinear", "reflection", align_corners=False)[:, 0]


def _soft(values: torch.Tensor, contrast: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(values * spread(contrast))


def noise(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Clouds, rock, plaster, water."""
    atlas = power_law_atlas(draw, draw.shared(1.0, 2.4))
    return _soft(sample(atlas, points * spread(draw.shared_log(0.4, 1.5))[:, None]), draw.shared(0.8, 3))


def fine_noise(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Fur, grass, sand."""
    atlas = power_law_atlas(draw, draw.shared(0.3, 1.2))
    return _soft(sample(atlas, points * spread(draw.shared_log(0.5, 1.0))[:, None]), draw.shared(0.6, 2))


def ridges(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Veins, cracks, branches."""
    atlas = power_law_atlas(draw, draw.shared(1.2, 2.2))
    field = sample(atlas, points * spread(draw.shared_log(0.3, 1.2))[:, None]).abs()
    return (1 - field * spread(draw.shared(0.6, 2.0))).clamp(0, 1)


def _warped(draw: Draw, points: torch.Tensor, most: float) -> torch.Tensor:
    atlas = power_law_atlas(draw, draw.shared(1.6, 2.6))
    amount = spread(draw.shared(0, most) * draw.flag(0.6))
    first = sample(atlas, points * 0.5)
    second = sample(atlas, 0.7 - points.flip(1) * 0.5)
    return points + amount[:, None] * torch.stack([first, second], 1)


def _turned(points: torch.Tensor, angle: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    cosine, sine = spread(angle.cos()), spread(angle.sin())
    return points[:, 0] * cosine + points[:, 1] * sine, points[:, 1] * cosine - points[:, 0] * sine


def marble(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Layers bent by turbulence: marble, wood, dunes."""
    atlas = power_law_atlas(draw, draw.shared(1.4, 2.4))
    u, _ = _turned(points, draw.shared(0, math.pi, jitter=0.03))
    turbulence = spread(draw.shared(0.3, 4)) * sample(atlas, points * spread(draw.shared(0.3, 1))[:, None])
    return 0.5 + 0.5 * (u * spread(draw.shared_log(3, 40, jitter=0.03)) + turbulence).sin()


def periodic(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Stripes, checks, dots, bricks, weaves: everything made by people or by scales, leaves and feathers."""
    points = _warped(draw, points, 0.12)
    u, v = _turned(points, draw.shared(0, math.pi, jitter=0.02))
    scale = draw.shared_log(3, 26, jitter=0.03)
    u = u * spread(scale) + spread(draw.own(0, 1))
    v = v * spread(scale * draw.shared(0.4, 1.6, jitter=0.02)) + spread(draw.own(0, 1))
    sharp = spread(draw.shared_log(1.5, 20))
    duty = spread(draw.shared(-0.5, 0.5))
    kind = draw.choices.randrange(5)
    if kind == 0:
        wave = (u * math.tau).sin()
    elif kind == 1:
        wave = (u * math.pi).sin() * (v * math.pi).sin()
    elif kind == 2:
        inner = ((u % 1) - 0.5).square() + ((v % 1) - 0.5).square()
        wave = 1 - inner * 8
    elif kind == 3:
        shifted = u + 0.5 * (v.floor() % 2)
        wave = torch.minimum(0.5 - ((shifted % 1) - 0.5).abs(), 0.5 - ((v % 1) - 0.5).abs()) * 12 - 1
    else:
        wave = torch.where((u.floor() + v.floor()) % 2 < 1, (u * math.tau * 2).sin(), (v * math.tau * 2).sin())
    return torch.sigmoid(sharp * (wave + duty))


def _hash(x: torch.Tensor, y: torch.Tensor, salt: torch.Tensor) -> torch.Tensor:
    return ((x * 12.9898 + y * 78.233 + spread(salt)).sin() * 43758.5453) % 1


def cells(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Voronoi cells of jittered points (Worley 1996): pebbles, leaves, skin, cracked earth, stained glass."""
    points = _warped(draw, points, 0.08)
    scale = draw.shared_log(2, 16, jitter=0.03)
    x, y = points[:, 0] * spread(scale), points[:, 1] * spread(scale * draw.shared(0.5, 1.5))
    salt = draw.own(0, 100)
    jitter = spread(draw.shared(0.3, 1.0))
    near = torch.full_like(x, 9.0)
    second = torch.full_like(x, 9.0)
    number = torch.zeros_like(x)
    base_x, base_y = x.floor(), y.floor()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            cx, cy = base_x + dx, base_y + dy
            one, two = _hash(cx, cy, salt), _hash(cy, cx, salt + 17)
            distance = (cx + 0.5 + jitter * (one - 0.5) - x).square() + (cy + 0.5 + jitter * (two - 0.5) - y).square()
            closer = distance < near
            second = torch.where(closer, near, torch.minimum(second, distance))
            number = torch.where(closer, one, number)
            near = torch.where(closer, distance, near)
    edge = (second.sqrt() - near.sqrt()).clamp(0, 1)
    kind = draw.choices.randrange(3)
    if kind == 0:
        return number * (edge * 12).clamp(0, 1)
    if kind == 1:
        return (1 - near.sqrt()).clamp(0, 1)
    return (edge * spread(draw.shared(1, 4))).clamp(0, 1)


def shader(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """A random little program of sines, folds and products, in the manner of shader art (Baradad et al. 2022)."""
    u, v = _turned(points * spread(draw.shared_log(0.7, 2.5, jitter=0.03))[:, None], draw.shared(0, math.pi))
    u, v = u + spread(draw.own(-1, 1)), v + spread(draw.own(-1, 1))
    for _ in range(draw.choices.randint(2, 4)):
        a, b, c = (spread(draw.shared(-3, 3, jitter=0.01)) for _ in range(3))
        kind = draw.choices.randrange(5)
        if kind == 0:
            u, v = (a * v + c).sin() + u, (b * u).cos() + v
        elif kind == 1:
            square = (u * u + v * v).clamp(min=0.05)
            u, v = u / square + 0.3 * a, v / square + 0.3 * b
        elif kind == 2:
            u, v = (u + 0.3 * a).abs() - 0.5, (v + 0.3 * b).abs() - 0.5
            u, v = u * c.cos() + v * c.sin(), v * c.cos() - u * c.sin()
        elif kind == 3:
            u, v = u * u - v * v + 0.3 * a, 2 * u * v + 0.3 * b
            u, v = u.clamp(-4, 4), v.clamp(-4, 4)
        else:
            radius, angle = (u * u + v * v).sqrt(), torch.atan2(v, u)
            u, v = radius * (1 + 0.2 * (angle * (3 + a.round())).sin()), angle + 0.5 * b * radius
    return 0.5 + 0.5 * (u * spread(draw.shared(0.5, 3)) + (v * spread(draw.shared(0.5, 3))).sin()).sin()


def glyphs(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Lines of letters that no alphabet has."""
    bits = (draw.own(0, 1, 1, 96, 96) < 0.5).float()
    scale = draw.shared_log(3, 14, jitter=0.05)
    x = points[:, 0] * spread(scale) + spread(draw.own(0, 50))
    y = points[:, 1] * spread(scale * 0.7) + spread(draw.own(0, 50))
    column, row = (x % 1) * 5, (y % 1) * 9
    inside = ((column < 4) & (row < 6)).float()
    word = (_hash((x / 1).floor(), y.floor(), draw.own(0, 9)) < 0.82).float()
    at_x = ((x.floor() * 4 + column.floor()) % 96).long()
    at_y = ((y.floor() * 6 + row.floor()) % 96).long()
    picked = bits.view(draw.count, -1).gather(1, (at_y * 96 + at_x).clamp(0, 96 * 96 - 1).view(draw.count, -1)).view_as(x)
    return 1 - picked * inside * word


def fractal(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Density of an iterated function system, by the chaos game (Barnsley 1988; as images to learn from: Kataoka et al. 2020)."""
    maps, chains, steps, side = 4, 3000, 24, 192
    angle = draw.shared(-math.pi, math.pi, maps, jitter=0.01)
    size = draw.shared(0.35, 0.75, maps, jitter=0.01)
    skew = draw.shared(0.5, 1.0, maps, jitter=0.01)
    shift = draw.shared(-0.8, 0.8, maps, 2, jitter=0.01)
    matrix = torch.stack(
        [torch.stack([angle.cos() * size, -angle.sin() * size * skew], -1),
         torch.stack([angle.sin() * size, angle.cos() * size * skew], -1)], -2)
    position = draw.own(-1, 1, chains, 2)
    histogram = torch.zeros(draw.count, side * side, device=draw.device)
    one = torch.ones(draw.count, chains, device=draw.device)
    for step in range(steps):
        which = draw.own(0, maps, chains).long().clamp(max=maps - 1)
        chosen = matrix.gather(1, which[..., None, None].expand(-1, -1, 2, 2))
        moved = shift.gather(1, which[..., None].expand(-1, -1, 2))
        position = (chosen @ position[..., None])[..., 0] + moved
        if step > 4:
            cell = ((position * 0.3 + 0.5) * side).long().clamp(0, side - 1)
            histogram.scatter_add_(1, cell[..., 1] * side + cell[..., 0], one)
    density = (1 + histogram).log().view(-1, 1, side, side)
    density = density / density.amax(dim=(2, 3), keepdim=True).clamp(min=1e-3)
    return sample(density, points * spread(draw.own(0.5, 0.95))[:, None]).clamp(0, 1)


def gradient(draw: Draw, points: torch.Tensor) -> torch.Tensor:
    """Smooth from one side to the other: paint, sky, studio walls."""
    u, _ = _turned(points, draw.own(0, math.tau))
    return (0.5 + u * spread(draw.shared(0.05, 0.5))).clamp(0, 1)


MATERIALS = [noise, noise, fine_noise, fine_noise, ridges, marble, periodic, periodic, cells, shader, fractal, glyphs, gradient, gradient]
GROUNDS = [noise, fine_noise, cells, periodic, ridges]
