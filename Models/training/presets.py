"""What is trained, and how long."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Preset:
    name: str
    # Output channels of every convolution, stage by stage.
    stages: list[list[int]]
    # Pictures in the pool, and their side in pixels.
    pictures: int
    picture_side: int
    # (side of the training views, steps): small views first, because most is learnt from many views, then larger ones.
    phases: tuple[tuple[int, int], ...]
    # A step takes two pictures of each of so many families, and two views of each picture.
    families: int
    rate: float
    # Vectors of earlier steps that serve as negatives.
    memory: int
    hidden: int = 1024
    seed: int = 1
    mean: list[float] = field(default_factory=lambda: [127.5, 127.5, 127.5])
    scale: list[float] = field(default_factory=lambda: [0.015625, 0.015625, 0.015625])

    @property
    def steps(self) -> int:
        return sum(steps for _, steps in self.phases)

    def side(self, step: int) -> int:
        """Of the views of a step."""
        for side, steps in self.phases:
            if step < steps:
                return side
            step -= steps
        return self.phases[-1][0]


def _vgg16(*widths: int) -> list[list[int]]:
    return [[width] * count for width, count in zip(widths, (2, 2, 3, 3, 3))]


PRESETS = {
    # Two cores with AVX-512 BF16, about an hour and a half.
    "slim": Preset("likeness-slim", _vgg16(16, 32, 64, 128, 256), 48_000, 192, ((64, 2_000), (96, 550), (128, 250)), 64, 8e-4, 4096),
    # One H200, 25 minutes.
    "full": Preset("likeness", _vgg16(64, 128, 256, 512, 512), 200_000, 256, ((112, 9_000), (160, 2_500), (224, 1_000)), 256, 8e-4, 32_768, hidden=2048),
    # A minute on anything: does every part work?
    "tiny": Preset("likeness-tiny", _vgg16(4, 8, 8, 16, 32), 256, 64, ((32, 8), (48, 4)), 8, 8e-4, 128, hidden=64),
}
