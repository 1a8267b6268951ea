"""Edits that a copy of a picture may have gone through, on a batch at once (as in SSCD, Pizzi et al. 2022)."""

import math

import torch
import torch.nn.functional as F


class Edits:
    """Random edits of a batch [n, 3, s, s] into views [n, 3, side, side]; 0...1 both."""

    def __init__(self, side: int, strength: float, generator: torch.Generator, device: str, colour: float = 1.0):
        self.side, self.strength, self.generator, self.device, self.colour = side, strength, generator, device, colour

    def _uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return (low + (high - low) * torch.rand(*shape, generator=self.generator)).to(self.device)

    def _some(self, count: int, share: float) -> torch.Tensor:
        """Indices of about `share` of a batch."""
        return (torch.rand(count, generator=self.generator) < share).nonzero()[:, 0].to(self.device)

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        count = batch.shape[0]
        views = self._seen(batch)
        views = self._coloured(views)
        self._mixed(views, self._some(count, 0.08))
        self._covered(views, self._some(count, 0.35))
        self._blurred(views, self._some(count, 0.3))
        self._compressed(views, self._some(count, 0.35))
        self._grainy(views, self._some(count, 0.15))
        return views.clamp_(0, 1)

    def pieces(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pieces of the pictures [n, 3, side, side], near their own scale; and the same, some as JPEG or with grain."""
        n = batch.shape[0]
        # A pixel of a piece is 0.65 to 1.5 pixels of the picture; `share`: the piece's side in sides of the picture.
        share = (self._uniform(math.log(0.65), math.log(1.5), n).exp() * self.side / batch.shape[-1]).clamp(max=1)
        flip = torch.where(self._uniform(0, 1, n) < 0.5, -1.0, 1.0)
        shift_x, shift_y = (self._uniform(-1, 1, n) * (1 - share) for _ in range(2))
        none = torch.zeros_like(share)
        theta = torch.stack([torch.stack([flip * share, none, shift_x], 1), torch.stack([none, share, shift_y], 1)], 1)
        grid = F.affine_grid(theta, (n, 3, self.side, self.side), align_corners=False)
        pieces = F.grid_sample(batch, grid, "bilinear", "reflection", align_corners=False)
        # Photos are paler than what is generated.
        chosen = self._some(n, 0.5)
        gray = pieces[chosen].mean(1, keepdim=True)
        pieces[chosen] = torch.lerp(gray, pieces[chosen], self._uniform(0.2, 1, len(chosen), 1, 1, 1))
        pieces = self._coloured(pieces)
        self._mixed(pieces, self._some(n, 0.1))
        self._blurred(pieces, self._some(n, 0.15))
        pieces = pieces.clamp_(0, 1)
        worn = pieces.clone()
        self._compressed(worn, self._some(n, 0.3))
        self._grainy(worn, self._some(n, 0.15))
        return pieces, worn.clamp_(0, 1)

    def _seen(self, batch: torch.Tensor) -> torch.Tensor:
        """Crop, aspect, rotation, flip, a little perspective; for some the whole picture inside a frame."""
        n = batch.shape[0]
        area = self._uniform(1 - 0.7 * self.strength, 1.0, n)
        aspect = self._uniform(math.log(3 / 4), math.log(4 / 3), n).exp().sqrt()
        width, height = (area.sqrt() * aspect).clamp(max=1), (area.sqrt() / aspect).clamp(max=1)
        turned = self._uniform(0, 1, n) < 0.5
        angle = torch.where(turned, self._uniform(-0.42, 0.42, n) * self.strength, torch.zeros(n, device=self.device))
        framed = self._uniform(0, 1, n) < 0.18
        room = self._uniform(1.1, 1.8, n)
        width, height = torch.where(framed, room * aspect, width), torch.where(framed, room / aspect, height)
        shift_x = self._uniform(-1, 1, n) * (1 - width).abs()
        shift_y = self._uniform(-1, 1, n) * (1 - height).abs()
        flip = torch.where(self._uniform(0, 1, n) < 0.4, -1.0, 1.0)
        cosine, sine = angle.cos(), angle.sin()
        theta = torch.stack([
            torch.stack([flip * width * cosine, -height * sine, shift_x], 1),
            torch.stack([flip * width * sine, height * cosine, shift_y], 1)], 1)
        grid = F.affine_grid(theta, (n, 3, self.side, self.side), align_corners=False)
        tilt = self._uniform(-0.12, 0.12, n, 1, 1, 2) * self.strength
        depth = 1 + (grid * tilt).sum(-1, keepdim=True)
        grid = grid / depth
        # Half of what leaves the picture is black or another plain colour, half its mirror image or its edge.
        outside = (grid.abs() > 1).any(-1)[:, None]
        views = F.grid_sample(batch, grid, "bilinear", "reflection" if torch.rand(1, generator=self.generator) < 0.5 else "border", align_corners=False)
        plain = (self._uniform(0, 1, n, 3, 1, 1) * (self._uniform(0, 1, n, 1, 1, 1) > 0.4)).expand_as(views)
        fill = (framed | (self._uniform(0, 1, n) < 0.6))[:, None, None, None]
        return torch.where(outside & fill, plain, views)

    def _coloured(self, views: torch.Tensor) -> torch.Tensor:
        """Brightness, contrast, saturation, hue, cast: one matrix; for some a tone curve."""
        n = views.shape[0]
        amount = (self._uniform(0, 1, n) < 0.55).float() * self.strength * self.colour
        bright = 1 + amount * self._uniform(-0.35, 0.35, n)
        contrast = 1 + amount * self._uniform(-0.35, 0.35, n)
        colour = 1 + amount * self._uniform(-0.4, 0.4, n)
        gray = self._uniform(0, 1, n) < 0.02 * self.strength
        colour = torch.where(gray, torch.zeros_like(colour), colour)
        hue = (self._uniform(0, 1, n) < 0.15).float() * amount * self._uniform(-0.25, 0.25, n)
        cast = 1 + (self._uniform(0, 1, n, 1) < 0.4).float() * amount[:, None] * self._uniform(-0.28, 0.28, n, 3)
        weights = torch.tensor([0.299, 0.587, 0.114], device=self.device)
        axis = torch.full((3,), 1 / math.sqrt(3), device=self.device)
        cross = torch.tensor([[0, -1.0, 1], [1, 0, -1], [-1, 1, 0]], device=self.device) / math.sqrt(3)
        eye = torch.eye(3, device=self.device)
        turn = hue.cos()[:, None, None] * eye + hue.sin()[:, None, None] * cross + (1 - hue.cos())[:, None, None] * torch.outer(axis, axis)
        saturate = colour[:, None, None] * eye + (1 - colour)[:, None, None] * weights.expand(3, 3)
        matrix = cast[:, :, None] * (saturate @ turn) * (bright * contrast)[:, None, None]
        offset = 0.5 * (1 - contrast)[:, None].expand(-1, 3)
        flat = torch.baddbmm(offset[:, :, None], matrix, views.flatten(2)).view_as(views).clamp_(0, 1)
        chosen = self._some(n, 0.2)
        flat[chosen] = flat[chosen].clamp(min=1e-3).pow(self._uniform(-0.5, 0.5, len(chosen), 1, 1, 1).exp())
        return flat

    def _mixed(self, views: torch.Tensor, chosen: torch.Tensor) -> None:
        """Another picture shines through."""
        if len(chosen) == 0:
            return
        others = views[(chosen + 1 + views.shape[0] // 2) % views.shape[0]]
        views[chosen] = torch.lerp(views[chosen], others, self._uniform(0.1, 0.3, len(chosen), 1, 1, 1))

    def _covered(self, views: torch.Tensor, chosen: torch.Tensor) -> None:
        """Stickers, bars, captions and pieces of other pictures."""
        n = len(chosen)
        if n == 0:
            return
        steps = torch.linspace(0, 1, self.side, device=self.device)
        part = views[chosen]
        for _ in range(2):
            centre, half = self._uniform(0, 1, n, 2), self._uniform(0.05, 0.24, n, 2)
            bar = self._uniform(0, 1, n) < 0.3
            half = torch.where(bar[:, None], torch.stack([torch.full((n,), 1.0, device=self.device), self._uniform(0.03, 0.12, n)], 1), half)
            x = (steps[None] - centre[:, :1]).abs() / half[:, :1]
            y = (steps[None] - centre[:, 1:]).abs() / half[:, 1:]
            round_ = (self._uniform(0, 1, n) < 0.4)[:, None, None]
            reach = torch.where(round_, (x[:, None, :].square() + y[:, :, None].square()), torch.maximum(x[:, None, :], y[:, :, None]))
            inside = (reach < 1)[:, None]
            colour = self._uniform(0, 1, n, 3, 1, 1)
            # Letters: random marks in rows.
            cell = max(2, self.side // 40)
            marks = torch.rand(n, 1, self.side // cell + 1, self.side // cell + 1, generator=self.generator).to(self.device) < 0.45
            marks = marks.repeat_interleave(cell, 2).repeat_interleave(cell, 3)[:, :, :self.side, :self.side]
            rows = ((steps * self.side).long() % (4 * cell) < 3 * cell)[None, None, :, None]
            letters = (marks & rows & (self._uniform(0, 1, n) < 0.5)[:, None, None, None])
            paint = torch.where(letters, self._uniform(0, 1, n, 3, 1, 1), colour).expand_as(part)
            clear = (self._uniform(0, 1, n) < 0.35)[:, None, None, None]
            foreign = (self._uniform(0, 1, n) < 0.25)[:, None, None, None]
            paint = torch.where(foreign, part.roll(1, 0), paint)
            cover = torch.where(clear, inside & letters, inside)
            part = torch.where(cover, paint, part)
        views[chosen] = part

    def _blurred(self, views: torch.Tensor, chosen: torch.Tensor) -> None:
        n = len(chosen)
        if n == 0:
            return
        radius = max(2, self.side // 24)
        sigma = self._uniform(math.log(0.4), math.log(radius / 2), n).exp()
        taps = torch.arange(-radius, radius + 1, device=self.device)
        kernel = (-(taps[None] / sigma[:, None]).square() / 2).exp()
        kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)[:, None]
        part = views[chosen].reshape(1, n * 3, self.side, self.side)
        part = F.pad(part, (radius, radius, radius, radius), "replicate")
        part = F.conv2d(part, kernel[:, :, None, :], groups=n * 3)
        part = F.conv2d(part, kernel[:, :, :, None], groups=n * 3)
        views[chosen] = part.view(n, 3, self.side, self.side)

    def _compressed(self, views: torch.Tensor, chosen: torch.Tensor) -> None:
        """What JPEG loses: coefficients of 8x8 blocks rounded to multiples of the standard tables, colour at half size."""
        n = len(chosen)
        if n == 0:
            return
        side = self.side // 16 * 16
        part = views[chosen][:, :, :side, :side] * 255 - 128
        to_ycc = torch.tensor([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], device=self.device)
        ycc = torch.einsum("dc,nchw->ndhw", to_ycc, part)
        quality = self._uniform(12, 85, n)
        scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[:, None, None, None, None]
        luma = _rounded(ycc[:, :1], _LUMA.to(self.device) * scale)
        chroma = F.avg_pool2d(ycc[:, 1:], 2)
        chroma = F.interpolate(_rounded(chroma, _CHROMA.to(self.device) * scale), scale_factor=2.0, mode="nearest")
        back = torch.linalg.inv(to_ycc)
        rgb = torch.einsum("dc,nchw->ndhw", back, torch.cat([luma, chroma], 1))
        views[chosen, :, :side, :side] = ((rgb + 128) / 255).clamp(0, 1)

    def _grainy(self, views: torch.Tensor, chosen: torch.Tensor) -> None:
        n = len(chosen)
        if n == 0:
            return
        noise = torch.randn(n, 1, self.side, self.side, generator=self.generator).to(self.device)
        views[chosen] = views[chosen] + self._uniform(0.01, 0.08, n, 1, 1, 1) * noise


# Tables K.1 and K.2 of ITU-T T.81.
_LUMA = torch.tensor([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100,
    103, 99]).float().view(8, 8)
_CHROMA = torch.full((8, 8), 99.0)
_CHROMA[:4, :4] = torch.tensor([[17.0, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]])
_K = torch.arange(8).float()
_DCT = (math.pi * (2 * _K[None] + 1) * _K[:, None] / 16).cos() * torch.where(_K > 0, 0.5, math.sqrt(1 / 8))[:, None]


def _rounded(planes: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    n, channels, height, width = planes.shape
    dct = _DCT.to(planes.device)
    blocks = planes.view(n, channels, height // 8, 8, width // 8, 8).permute(0, 1, 2, 4, 3, 5).reshape(n, -1, 1, 8, 8)
    coefficients = dct @ blocks @ dct.T
    coefficients = (coefficients / table).round() * table
    blocks = (dct.T @ coefficients @ dct).view(n, channels, height // 8, width // 8, 8, 8)
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(n, channels, height, width)
