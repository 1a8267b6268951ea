"""What is trained, and how long."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phase:
    """A stretch of training in one manner."""

    # Side of the views in pixels.
    side: int
    steps: int
    # The learning rate falls from the first to the second, by half a cosine.
    rates: tuple[float, float]
    # Strength of edits of colour, 0...1.
    colour: float = 1.0
    # Weight of kinship among the vectors themselves, beside that of what the projector makes of them.
    kinship: float = 0.0


@dataclass(frozen=True)
class Preset:
    name: str
    # Output channels of every convolution, stage by stage.
    stages: list[list[int]]
    # Pictures in the pool, and their side in pixels.
    pictures: int
    picture_side: int
    # Small views first, because most is learnt from many views; then larger ones, in which pictures keep more of their colours and
    # kindred ones come together.
    phases: tuple[Phase, ...]
    # A step takes two pictures of each of so many families, and two views of each picture.
    families: int
    # Vectors of earlier steps that serve as negatives.
    memory: int
    hidden: int = 1024
    seed: int = 1
    mean: list[float] = field(default_factory=lambda: [127.5, 127.5, 127.5])
    scale: list[float] = field(default_factory=lambda: [0.015625, 0.015625, 0.015625])

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def phase(self, step: int) -> tuple[Phase, int]:
        """The phase of a step, and the step's number within it."""
        for phase in self.phases:
            if step < phase.steps:
                return phase, step
            step -= phase.steps
        return self.phases[-1], self.phases[-1].steps


def _vgg16(*widths: int) -> list[list[int]]:
    return [[width] * count for width, count in zip(widths, (2, 2, 3, 3, 3))]


PRESETS = {
    # Two cores with AVX-512 BF16, an hour and a half.
    "slim": Preset(
        "likeness-slim", _vgg16(16, 32, 64, 128, 256), 48_000, 192,
        (Phase(64, 2_300, (8e-4, 7e-5)), Phase(128, 350, (3e-4, 6e-5), 0.5, 0.5), Phase(160, 200, (3e-4, 1e-5), 1.0, 0.5)),
        families=64, memory=4096),
    # One H200, 25 minutes.
    "full": Preset(
        "likeness", _vgg16(64, 128, 256, 512, 512), 200_000, 256,
        (Phase(112, 7_000, (8e-4, 7e-5)), Phase(160, 1_600, (3e-4, 6e-5), 0.5, 0.5), Phase(224, 500, (2e-4, 1e-5), 1.0, 0.5)),
        families=256, memory=32_768, hidden=2048),
    # A minute on anything: does every part work?
    "tiny": Preset(
        "likeness-tiny", _vgg16(4, 8, 8, 16, 32), 256, 64,
        (Phase(32, 8, (8e-4, 7e-5)), Phase(48, 4, (3e-4, 3e-5), 0.5, 0.5)),
        families=8, memory=128, hidden=64),
}
