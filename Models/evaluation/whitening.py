"""The whitening of Sources/LinearAlgebra/README.md, learned and applied."""
import numpy as np

REGULARISATION = 7.0


def needed_count(dimension):
    """Vectors from which on the daemon learns a whitening."""
    return 2 * dimension


def learn(features):
    """A function that whitens rows like `features` `[n, d]`, which it is learned from: W (x - mean), then L2.

    W = V diag(1 / sqrt(lambda + e)) V^T for the covariance V diag(lambda) V^T, e = 7 times the mean eigenvalue.
    """
    features = np.asarray(features, np.float64)
    mean = features.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(features, rowvar=False, bias=True))
    added = REGULARISATION * values.mean()
    matrix = (vectors / np.sqrt(np.maximum(values, 0) + added)) @ vectors.T

    def whiten(rows):
        product = ((np.asarray(rows, np.float64) - mean) @ matrix.T)
        lengths = np.linalg.norm(product, axis=1, keepdims=True)
        return (product / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    return whiten
