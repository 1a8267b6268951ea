"""Whole pictures: materials and shapes put together as scenes."""

import math

import torch
import torch.nn.functional as F

from . import colours, fields, shapes
from .draw import Draw, spread


def material(draw: Draw, points: torch.Tensor, kinds=None) -> torch.Tensor:
    """A painted surface: [count, 3, h, w]."""
    kind = draw.choices.choice(kinds or fields.MATERIALS)
    field = kind(draw, points)
    if draw.choices.random() < 0.35:
        other = draw.choices.choice(fields.GROUNDS)(draw, points)
        field = field + spread(draw.shared(0.1, 0.6)) * (other - 0.5)
    paint = colours.colour(field, colours.palette(draw, draw.choices.randint(2, 5)))
    return paint


def _shaded(draw: Draw, paint: torch.Tensor, points: torch.Tensor, light: torch.Tensor) -> torch.Tensor:
    """Light from one side on a body that bulges towards the viewer."""
    u, v = points[:, 0].clamp(-1.2, 1.2), points[:, 1].clamp(-1.2, 1.2)
    bulge = -(u * spread(light.cos()) + v * spread(light.sin()))
    return paint * (1 + spread(draw.shared(0, 0.55)) * bulge - 0.15)[:, None].clamp(0.1, 1.8)


def _put(canvas: torch.Tensor, paint: torch.Tensor, cover: torch.Tensor) -> torch.Tensor:
    return canvas + cover[:, None] * (paint - canvas)


def _dropped(canvas: torch.Tensor, distance: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """The soft dark around a body that stands before its ground."""
    return canvas * (1 - spread(strength) * (-4 * distance.clamp(min=0)).exp())[:, None]


def _body(draw: Draw, canvas: torch.Tensor, frame: torch.Tensor, shape, paints, centre, scale, angle, light) -> torch.Tensor:
    """One shape with a material of its own, shadow and shading."""
    inner = shapes.local(frame, centre, scale, angle)
    distance = shape(inner)
    flat = scale if scale.dim() == 1 else scale.mean(1)
    paint = _shaded(draw, paints(inner), inner, light - angle)
    canvas = _dropped(canvas, distance, draw.shared(0, 0.6))
    return _put(canvas, paint, shapes.mask(distance, flat * draw.size / 2))


def dead_leaves(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """Shapes that hide each other, sizes by a power law (Lee, Mumford and Huang 2001)."""
    light = draw.own(0, math.tau)
    canvas = material(draw, frame)
    sheets = [material(draw, frame) for _ in range(draw.choices.randint(2, 4))]
    outlines = [draw.choices.choice(shapes.SHAPES)(draw) for _ in range(2)]
    bodies = draw.choices.choice([6, 10, 16, 24])
    tints = colours.palette(draw, 6)
    for k in range(bodies):
        scale = (0.9 / (1 + 0.35 * k)) * draw.shared(0.5, 1.2, 2, jitter=0.2) + 0.03
        inner = shapes.local(frame, draw.own(-1.1, 1.1, 2), scale, draw.own(0, math.tau))
        distance = outlines[k % len(outlines)](inner)
        paint = sheets[k % len(sheets)]
        if k % 3 == 1:
            paint = 0.35 * paint + 0.65 * tints[:, k % 6, :, None, None]
        canvas = _dropped(canvas, distance, draw.shared(0, 0.5))
        canvas = _put(canvas, _shaded(draw, paint, inner, light), shapes.mask(distance, scale.mean(1) * draw.size / 2))
    return canvas


def portrait(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """One thing, or few, before a ground."""
    light = draw.own(0, math.tau)
    kinds = [fields.gradient, fields.gradient, fields.noise, fields.fine_noise] if draw.choices.random() < 0.7 else None
    canvas = material(draw, frame, kinds)
    if draw.choices.random() < 0.5:
        # A floor.
        level = spread(draw.shared(0.1, 0.8, jitter=0.1))
        floor = material(draw, frame, kinds)
        canvas = _put(canvas, floor, ((frame[:, 1] - level) * draw.size / 6).clamp(0, 1))
    for _ in range(draw.choices.choice([1, 1, 1, 2, 3])):
        shape = draw.choices.choice(shapes.SHAPES[:5])(draw)
        parts = draw.choices.randint(1, 3)
        centre, angle = draw.own(-0.35, 0.35, 2), draw.shared(-0.4, 0.4, jitter=0.5)
        scale = draw.shared(0.35, 0.8, jitter=0.15)[:, None] * draw.shared(0.7, 1.2, 2, jitter=0.05)
        canvas = _body(draw, canvas, frame, shape, lambda p: material(draw, p), centre, scale, angle, light)
        for _ in range(parts - 1):
            part = draw.choices.choice(shapes.SHAPES[:4])(draw)
            place = centre + 0.5 * scale * draw.shared(-1, 1, 2, jitter=0.05)
            size = scale * draw.shared(0.15, 0.5)[:, None]
            canvas = _body(draw, canvas, frame, part, lambda p: material(draw, p), place, size, angle, light)
    return canvas


def landscape(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """Sky, ranges behind each other, a ground in perspective, and what stands on it."""
    light = draw.own(math.pi, math.tau)
    sky = colours.palette(draw, 2)
    height = (0.5 + 0.5 * frame[:, 1]).clamp(0, 1)
    canvas = colours.colour(height, sky)
    if draw.choices.random() < 0.6:
        clouds = fields.noise(draw, frame * torch.tensor([0.7, 1.6], device=draw.device)[None, :, None, None])
        canvas = _put(canvas, colours.palette(draw, 1)[:, 0, :, None, None].expand_as(canvas) * 0.3 + 0.7, clouds * spread(draw.shared(0, 0.9)))
    horizon = draw.shared(-0.5, 0.4, jitter=0.12)
    ranges = draw.choices.randint(0, 3)
    for k in range(ranges):
        atlas = fields.power_law_atlas(draw, draw.shared(1.4, 2.4))
        line = torch.stack([frame[:, 0] * 0.6, torch.zeros_like(frame[:, 0])], 1)
        top = spread(horizon) - spread(draw.shared(0.05, 0.5) / (k + 1)) * (1 + fields.sample(atlas, line)) * 0.6
        paint = material(draw, frame)
        haze = 0.6 * (1 - (k + 1) / (ranges + 0.5))
        paint = paint * (1 - haze) + haze * sky[:, 1, :, None, None]
        canvas = _put(canvas, paint, ((frame[:, 1] - top) * draw.size / 2).clamp(0, 1))
    depth = (frame[:, 1] - spread(horizon)).clamp(min=0.02)
    ground = torch.stack([frame[:, 0] / (depth + 0.15) * 0.5, 0.35 / (depth + 0.15)], 1)
    paint = material(draw, ground, fields.GROUNDS + [fields.gradient, fields.marble])
    canvas = _put(canvas, paint, ((frame[:, 1] - spread(horizon)) * draw.size / 2).clamp(0, 1))
    if draw.choices.random() < 0.75:
        shape = draw.choices.choice(shapes.SHAPES[:5])(draw)
        sheet = material(draw, frame)
        bodies = draw.choices.choice([1, 2, 3, 6, 10])
        feet = draw.own(0.05, 0.6, bodies).sort(dim=1).values
        across = draw.own(-1, 1, bodies)
        size = draw.shared(0.3, 1.1, jitter=0.1)
        for k in range(bodies):
            # Farther is smaller and higher.
            scale = size * (0.25 + feet[:, k]) * (0.9 if bodies < 4 else 0.5)
            centre = torch.stack([across[:, k], horizon + feet[:, k] - 0.5 * scale], 1)
            angle = draw.own(-0.12, 0.12)
            stretch = scale[:, None] * draw.shared(0.6, 1.1, 2)
            canvas = _body(draw, canvas, frame, shape, lambda p: sheet, centre, stretch, angle, light)
    return canvas


def facade(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """Built things: fronts with rows of openings, seen at an angle, before something."""
    light = draw.own(0, math.tau)
    canvas = material(draw, frame, [fields.gradient, fields.noise])
    for _ in range(draw.choices.randint(1, 3)):
        centre, angle = draw.own(-0.5, 0.5, 2), draw.own(-0.06, 0.06)
        scale = draw.shared(0.45, 1.1, 2, jitter=0.1)
        inner = shapes.local(frame, centre, scale, angle)
        # Vanishing lines.
        lean = spread(draw.own(-0.3, 0.3))
        inner = torch.stack([inner[:, 0], inner[:, 1] / (1 + lean * inner[:, 0]).clamp(min=0.4)], 1)
        distance = inner.abs().amax(1) - 1
        wall = material(draw, inner, fields.GROUNDS + [fields.gradient])
        columns, rows = spread(draw.shared(1, 7).round()), spread(draw.shared(1, 7).round())
        cell_x, cell_y = ((inner[:, 0] + 1) * columns / 2) % 1 - 0.5, ((inner[:, 1] + 1) * rows / 2) % 1 - 0.5
        width, tall = spread(draw.shared(0.1, 0.45)), spread(draw.shared(0.1, 0.45))
        opening = torch.maximum(cell_x.abs() - width, cell_y.abs() - tall)
        pane = colours.palette(draw, 1)[:, 0, :, None, None].expand_as(wall)
        wall = _put(wall, pane, (0.5 - opening * draw.size / 10).clamp(0, 1))
        wall = _shaded(draw, wall, inner, light)
        canvas = _dropped(canvas, distance, draw.shared(0, 0.4))
        canvas = _put(canvas, wall, shapes.mask(distance, scale.mean(1) * draw.size / 2))
    return canvas


def bouquet(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """Things that repeat around a centre: flowers, plates, wheels, crowds of petals."""
    light = draw.own(0, math.tau)
    canvas = material(draw, frame, fields.GROUNDS + [fields.gradient])
    petal = draw.choices.choice(shapes.SHAPES[:4])(draw)
    for _ in range(draw.choices.choice([1, 1, 2, 4])):
        centre, whole = draw.own(-0.5, 0.5, 2), draw.shared(0.35, 0.9, jitter=0.15)
        inner = shapes.local(frame, centre, whole, draw.own(0, math.tau))
        petals = draw.choices.choice([5, 6, 8, 12, 16])
        paint = material(draw, inner, [fields.gradient, fields.marble, fields.noise, fields.ridges])
        for ring in range(draw.choices.randint(1, 3)):
            radius = (inner[:, 0].square() + inner[:, 1].square()).sqrt()
            angle = torch.atan2(inner[:, 1], inner[:, 0]) + ring * math.pi / petals
            sector = ((angle / math.tau * petals) % 1 - 0.5) * math.tau / petals
            reach = 0.6 / (1 + 0.5 * ring)
            point = torch.stack([(radius * sector.cos() - reach) / (0.45 * reach + 0.1), radius * sector.sin() / (0.28 * reach + 0.05)], 1)
            distance = petal(point)
            canvas = _dropped(canvas, distance, draw.shared(0, 0.4))
            tone = 1 - 0.35 * (1 - radius.clamp(0, 1))
            canvas = _put(canvas, _shaded(draw, paint * tone[:, None], point, light), shapes.mask(distance, whole * draw.size / 8))
        canvas = _body(draw, canvas, frame, shapes.star(draw), lambda p: material(draw, p), centre, whole * draw.shared(0.1, 0.3), draw.own(0, 1), light)
    return canvas


def surface(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """Nothing but a material, near or in perspective."""
    if draw.choices.random() < 0.4:
        depth = (1.4 + frame[:, 1]).clamp(min=0.2)
        frame = torch.stack([frame[:, 0] / depth, 1.2 / depth], 1)
    first = material(draw, frame)
    if draw.choices.random() < 0.6:
        cover = shapes.mask(shapes.island(draw)(frame), draw.shared(10, 60))
        first = _put(first, material(draw, frame), cover)
    return first


def poster(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """Flat graphics: panels, signs and letters."""
    paper = colours.palette(draw, 4)
    canvas = paper[:, 0, :, None, None].expand(-1, -1, draw.size, draw.size)
    for k in range(draw.choices.randint(2, 7)):
        centre, scale = draw.own(-0.9, 0.9, 2), draw.shared(0.1, 0.7, 2, jitter=0.15)
        inner = shapes.local(frame, centre, scale, draw.shared(-0.2, 0.2) * draw.flag(0.4))
        shape = draw.choices.choice([shapes.block, shapes.star])(draw)
        paint = paper[:, k % 4, :, None, None].expand_as(canvas)
        if draw.choices.random() < 0.5:
            letters = fields.glyphs(draw, inner * scale[:, :, None, None])
            paint = paint * letters[:, None] + (1 - letters[:, None]) * paper[:, (k + 1) % 4, :, None, None]
        elif draw.choices.random() < 0.5:
            paint = material(draw, inner)
        canvas = _put(canvas, paint, shapes.mask(shape(inner), scale.mean(1) * draw.size / 2))
    return canvas


SCENES = [dead_leaves, dead_leaves, portrait, portrait, portrait, landscape, landscape, landscape, facade, bouquet, surface, poster]


def _bent(draw: Draw, frame: torch.Tensor) -> torch.Tensor:
    """The view: a little turned, nearer or farther, in perspective."""
    turned = shapes.local(frame, draw.own(-0.2, 0.2, 2), draw.own(0.8, 1.25), draw.own(-0.1, 0.1))
    tilt = draw.own(-0.15, 0.15, 2)
    depth = 1 + turned[:, 0] * spread(tilt[:, 0]) + turned[:, 1] * spread(tilt[:, 1])
    return turned / depth.clamp(min=0.5)[:, None]


def _exposed(draw: Draw, picture: torch.Tensor, frame: torch.Tensor) -> torch.Tensor:
    """Light that falls off, a lens that does not resolve everything, an exposure, grain."""
    u, v = frame[:, 0], frame[:, 1]
    angle = draw.own(0, math.tau)
    light = 1 + spread(draw.own(0, 0.3)) * (u * spread(angle.cos()) + v * spread(angle.sin()))
    light = light * (1 - spread(draw.own(0, 0.25)) * (u * u + v * v) * 0.5)
    picture = (picture * light[:, None]).clamp(0, 1.2)
    soft = F.avg_pool2d(F.pad(picture, (1, 1, 1, 1), "replicate"), 3, 1)
    picture = torch.lerp(picture, soft, spread(draw.own(0, 1))[:, None])
    if draw.choices.random() < 0.5:
        atlas = fields.power_law_atlas(draw, draw.shared(0.6, 1.6))
        grain = fields.sample(atlas, draw.frame())
        picture = picture * (1 + spread(draw.shared(0, 0.25))[:, None] * grain[:, None])
    picture = picture + spread(draw.own(0, 0.02))[:, None] * draw.normal(1, draw.size, draw.size)
    gamma = spread(draw.own(-0.5, 0.25).exp())[:, None]
    return (picture.clamp(1e-3, 1).pow(gamma) * spread(draw.own(0.85, 1.1))[:, None]).clamp(0, 1)


def pictures(seed: int, families: int, instances: int, size: int, device: str = "cpu") -> torch.Tensor:
    """Renders `families * instances` pictures, those of a family next to each other.

    Returns: [families * instances, 3, size, size] float in 0...1. A seed gives the same pictures every time.
    """
    draw = Draw(seed, families, instances, size, device)
    frame = _bent(draw, draw.frame())
    picture = draw.choices.choice(SCENES)(draw, frame)
    return torch.nan_to_num(_exposed(draw, picture, draw.frame()), nan=0.5)
