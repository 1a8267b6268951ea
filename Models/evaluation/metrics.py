"""Measures of retrieval on rows of features.

Rows are compared by `similarity(query [q, d], base [n, d]) -> [q, n]`, greater is nearer; by default the inner product, which is
the cosine similarity of L2-normalised rows. Among equal similarities the lower row number comes first, except where said otherwise.
"""
import numpy as np


def inner_product(query, base):
    """`[q, n]` inner products of `query` `[q, d]` and `base` `[n, d]`."""
    return np.asarray(query, np.float32) @ np.asarray(base, np.float32).T


def _matches(features, labels, similarity):
    """`[n, n - 1]`: whether the row's other rows, nearest first, have its label."""
    labels = np.asarray(labels)
    scores = np.array(similarity(features, features), np.float64)
    if scores.shape != (len(labels), len(labels)):
        raise ValueError(f"{scores.shape} similarities for {len(labels)} labels")
    if not np.isfinite(scores).all():
        raise ValueError("a similarity is NaN or infinite")
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    return labels[order] == labels[:, None]


def precision_at(features, labels, count, similarity=inner_product):
    """Of the `count` nearest others of each row, the share that has its label; the mean over all rows (leave one out)."""
    if not 0 < count < len(labels):
        raise ValueError(f"the {count} nearest others of {len(labels)} rows")
    return float(_matches(features, labels, similarity)[:, :count].mean())


def mean_average_precision(features, labels, similarity=inner_product):
    """Mean over all rows of the average precision of the ranking of all others (leave one out).

    The average precision is the mean, over the others with the row's label, of the precision at their ranks. Rows that are alone
    with their label are left out.
    """
    matches = _matches(features, labels, similarity)
    matches = matches[matches.any(axis=1)]
    if not len(matches):
        raise ValueError("no label has two rows")
    precisions = np.cumsum(matches, axis=1) / np.arange(1, matches.shape[1] + 1)
    return float(((precisions * matches).sum(axis=1) / matches.sum(axis=1)).mean())


def recall_at_1(query, base, targets=None, similarity=inner_product):
    """Share of the queries whose original ranks first in `base`; where m rows share the first rank, it counts 1 / m.

    `targets` `[q]`: the row of each query's original; by default query i is an edit of row i.
    """
    scores = np.asarray(similarity(query, base), np.float64)
    if not np.isfinite(scores).all():
        raise ValueError("a similarity is NaN or infinite")
    targets = np.arange(len(scores)) if targets is None else np.asarray(targets)
    best = scores.max(axis=1)
    is_first = scores[np.arange(len(scores)), targets] == best
    return float((is_first / (scores == best[:, None]).sum(axis=1)).mean())
