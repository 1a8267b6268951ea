"""Random numbers for a batch of images that come in families."""

import math
import random

import torch


class Draw:
    """Draws the parameters of `families * instances` images.

    Images of one family share what makes them similar (palette, material, kind of object) and differ in what makes them
    different pictures (place, size, noise). Every number comes from the seed alone and from the processor's generator, so
    that a seed means the same image on every device, up to rounding.
    """

    def __init__(self, seed: int, families: int, instances: int, size: int, device: str = "cpu"):
        self.families, self.instances, self.size, self.device = families, instances, size, device
        self.choices = random.Random(seed)
        self._generator = torch.Generator().manual_seed(seed)

    @property
    def count(self) -> int:
        return self.families * self.instances

    def _unit(self, *shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=self._generator)

    def own(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """Uniform, another number for each image: [count, *shape]."""
        return (low + (high - low) * self._unit(self.count, *shape)).to(self.device)

    def shared(self, low: float, high: float, *shape: int, jitter: float = 0.0) -> torch.Tensor:
        """Uniform, one number for a family, moved by up to `jitter` of the range for each image: [count, *shape]."""
        values = self._unit(self.families, *shape).repeat_interleave(self.instances, 0)
        if jitter:
            values = values + jitter * (2 * self._unit(self.count, *shape) - 1)
        return (low + (high - low) * values).to(self.device)

    def shared_log(self, low: float, high: float, *shape: int, jitter: float = 0.0) -> torch.Tensor:
        """As `shared`, uniform in the logarithm."""
        return self.shared(math.log(low), math.log(high), *shape, jitter=jitter).exp()

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normal, another for each image: [count, *shape]."""
        return torch.randn(self.count, *shape, generator=self._generator).to(self.device)

    def flag(self, probability: float) -> torch.Tensor:
        """1 with this probability, else 0, one for a family: [count]."""
        return (self.shared(0, 1) < probability).float()

    def frame(self) -> torch.Tensor:
        """Coordinates of the pixels' centres, x then y, in -1...1: [count, 2, size, size]."""
        steps = (torch.arange(self.size, device=self.device) + 0.5) * (2 / self.size) - 1
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        return torch.stack([x, y]).expand(self.count, 2, -1, -1)


def spread(values: torch.Tensor) -> torch.Tensor:
    """[count] as [count, 1, 1], for arithmetic with fields."""
    return values[:, None, None]
