"""What the vectors are trained for."""

import torch
import torch.nn.functional as F


def contrast(views: torch.Tensor, picture: torch.Tensor, family: torch.Tensor, temperature: float,
             others: torch.Tensor | None = None, others_family: torch.Tensor | None = None) -> torch.Tensor:
    """InfoNCE (van den Oord et al. 2018): the other views of a picture against those of all others.

    Pictures of the same family neither attract nor repel. `views` [n, d] is normalised; `others` [m, d] are vectors of earlier
    batches, negatives only (Wang et al. 2020, cross-batch memory).
    """
    similarity = views @ views.T / temperature
    same = picture[:, None] == picture[None]
    siblings = (family[:, None] == family[None]) & ~same
    own = torch.eye(len(views), dtype=torch.bool, device=views.device)
    similarity = similarity.masked_fill(own | siblings, float("-inf"))
    if others is not None:
        past = (views @ others.T / temperature).masked_fill(family[:, None] == others_family[None], float("-inf"))
        similarity = torch.cat([similarity, past], 1)
    logs = similarity - similarity.logsumexp(1, keepdim=True)
    positive = same & ~own
    return -(logs[:, :len(views)].masked_fill(~positive, 0).sum(1) / positive.sum(1)).mean()


def supervised_contrast(views: torch.Tensor, family: torch.Tensor, temperature: float) -> torch.Tensor:
    """Supervised contrast (Khosla et al. 2020): pictures of one family against all others."""
    similarity = views @ views.T / temperature
    own = torch.eye(len(views), dtype=torch.bool, device=views.device)
    similarity = similarity.masked_fill(own, float("-inf"))
    logs = similarity - similarity.logsumexp(1, keepdim=True)
    positive = (family[:, None] == family[None]) & ~own
    return -(logs.masked_fill(~positive, 0).sum(1) / positive.sum(1)).mean()


def spreading(views: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Kozachenko-Leonenko entropy: pushes every vector away from its nearest negative (Sablayrolles et al. 2019)."""
    similarity = (views @ views.T).masked_fill(picture[:, None] == picture[None], -1)
    nearest = similarity.amax(1)
    return -((2 - 2 * nearest).clamp(min=1e-6).sqrt()).log().mean()


def decorrelation(summaries: torch.Tensor) -> torch.Tensor:
    """Covariance and variance terms of VICReg (Bardes et al. 2022) on normalised vectors scaled to unit variance on average."""
    width = summaries.shape[1]
    centred = (summaries - summaries.mean(0)) * width ** 0.5
    covariance = centred.T @ centred / (len(centred) - 1)
    deviation = (covariance.diagonal() + 1e-4).sqrt()
    off = covariance - torch.diag(covariance.diagonal())
    return off.square().sum() / width + F.relu(0.7 - deviation).mean()
