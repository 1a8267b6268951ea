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
    # Weight of the supervised contrast of the vectors themselves, beside that of what the projector makes of them.
    family_weight: float = 0.0


@dataclass(frozen=True)
class Piece:
    """A stretch of the second part: so many square pieces of pictures in a step."""

    side: int
    count: int
    steps: int
    rates: tuple[float, float]


@dataclass(frozen=True)
class Counting:
    """The second part of a training (`counting.py`): channels that count colours and textures (`codes.py`)."""

    # Channels beside those of the first part, but for the last layer's: one for each code.
    widths: list[list[int]]
    colours: int
    fine: int
    coarse: int
    pieces: tuple[Piece, ...]
    # Lengths of the vector's parts beside each other: what the first part made, colours, textures.
    balance: tuple[float, float, float] = (1.4, 1.0, 1.4)

    @property
    def stages(self) -> list[list[int]]:
        """Output channels of every convolution that is added."""
        *before, last = self.widths
        return [*before, [*last, self.colours + self.fine + self.coarse]]

    @property
    def steps(self) -> int:
        return sum(piece.steps for piece in self.pieces)

    def piece(self, step: int) -> tuple[Piece, int]:
        return _at(self.pieces, step)


def _at(stretches, step: int):
    """The stretch that a step belongs to, and the step's number within it."""
    for stretch in stretches:
        if step < stretch.steps:
            return stretch, step
        step -= stretch.steps
    return stretches[-1], stretches[-1].steps


@dataclass(frozen=True)
class Preset:
    name: str
    # Output channels of every convolution, stage by stage.
    stages: list[list[int]]
    # Pictures in the pool, and their side in pixels.
    pictures: int
    picture_side: int
    # Small views first, because most is learnt from many views; then larger ones, in which pictures keep more of their colours and
    # similar ones come together.
    phases: tuple[Phase, ...]
    # A step takes two pictures of each of so many families, and two views of each picture.
    families: int
    # Vectors of earlier steps that serve as negatives.
    memory: int
    counting: Counting | None = None
    hidden: int = 1024
    seed: int = 1
    mean: list[float] = field(default_factory=lambda: [127.5, 127.5, 127.5])
    scale: list[float] = field(default_factory=lambda: [0.015625, 0.015625, 0.015625])

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    @property
    def views(self) -> int:
        """Edited views of pictures, and pieces of them, that the network sees."""
        return self.steps * self.families * 4 + sum(piece.count * piece.steps for piece in (self.counting.pieces if self.counting else ()))

    def phase(self, step: int) -> tuple[Phase, int]:
        return _at(self.phases, step)


def _vgg16(*widths: int) -> list[list[int]]:
    return [[width] * count for width, count in zip(widths, (2, 2, 3, 3, 3))]


PRESETS = {
    # Two cores with AVX-512 BF16, two hours.
    "slim": Preset(
        "likeness-slim-2", _vgg16(16, 32, 64, 128, 256), 48_000, 192,
        (Phase(64, 2_300, (8e-4, 7e-5)), Phase(128, 350, (3e-4, 6e-5), 0.5, 0.5), Phase(160, 200, (3e-4, 1e-5), 1.0, 0.5)),
        families=64, memory=4096,
        counting=Counting([[16] * 2, [32] * 2, [48] * 3, [96] * 3, [160] * 2], 128, 64, 64,
                          (Piece(96, 64, 3_300, (3e-3, 1e-4)), Piece(160, 24, 400, (3e-4, 1e-5))))),
    # Planned for one H200 and half an hour; not run yet. Both parts together have the widths of VGG16.
    "full": Preset(
        "likeness", [*_vgg16(48, 96, 192, 384), [320, 320, 256]], 200_000, 256,
        (Phase(112, 7_000, (8e-4, 7e-5)), Phase(160, 1_600, (3e-4, 6e-5), 0.5, 0.5), Phase(224, 500, (2e-4, 1e-5), 1.0, 0.5)),
        families=256, memory=32_768, hidden=2048,
        counting=Counting([[16] * 2, [32] * 2, [64] * 3, [128] * 3, [192] * 2], 128, 64, 64,
                          (Piece(96, 256, 6_000, (3e-3, 1e-4)), Piece(224, 48, 600, (3e-4, 1e-5))))),
    # A minute on anything: does every part work?
    "tiny": Preset(
        "likeness-tiny", _vgg16(4, 8, 8, 16, 32), 256, 64,
        (Phase(32, 8, (8e-4, 7e-5)), Phase(48, 4, (3e-4, 3e-5), 0.5, 0.5)),
        families=8, memory=128, hidden=64,
        counting=Counting([[4] * 2, [4] * 2, [4] * 3, [8] * 3, [16] * 2], 8, 4, 4,
                          (Piece(32, 8, 6, (1e-3, 1e-4)), Piece(64, 4, 3, (2e-4, 1e-5))))),
}
