"""The checks of Tests/System/evaluate.sh that are numbers: what to check, then its arguments."""
import sys
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Models"))

from evaluation import metrics, whitening  # noqa: E402


def near(found, wanted):
    assert abs(found - wanted) < 1e-6, f"{found} where {wanted} is right"


def check_metrics():
    # Points on a line, compared by distance. Others of each, nearest first, and whether they have its label:
    #   0: 1 yes, 2 no, 4 yes, 8 no     1: 0 yes, 2 no, 4 yes, 8 no (0 and 2 are as near: the lower row is first)
    #   2: 1 no, 0 no, 4 no, 8 yes      4: 2 no, 1 yes, 0 yes, 8 no (0 and 8 are as near)     8: 4 no, 2 yes, 1 no, 0 no
    points = np.array([[0.0], [1.0], [2.0], [4.0], [8.0]])
    labels = ["a", "a", "b", "a", "b"]

    def similarity(query, base):
        return -np.abs(query - base.T)

    near(metrics.precision_at(points, labels, 1, similarity), 2 / 5)
    near(metrics.precision_at(points, labels, 2, similarity), (1 / 2 + 1 / 2 + 0 + 1 / 2 + 1 / 2) / 5)
    averages = [(1 + 2 / 3) / 2, (1 + 2 / 3) / 2, 1 / 4, (1 / 2 + 2 / 3) / 2, 1 / 2]
    near(metrics.mean_average_precision(points, labels, similarity), sum(averages) / 5)

    # The first finds its original; the second shares the first rank with another; the third finds another.
    query = np.array([[0.1], [1.5], [3.9]])
    near(metrics.recall_at_1(query, points, [0, 1, 2], similarity), (1 + 1 / 2 + 0) / 3)
    near(metrics.recall_at_1(points, points, similarity=similarity), 1)
    near(metrics.recall_at_1(np.eye(3), np.eye(3)[[1, 0, 2]]), 1 / 3)

    broken = points.copy()
    broken[2] = np.nan
    try:
        metrics.precision_at(broken, labels, 1, similarity)
    except ValueError:
        return
    raise AssertionError("NaN was ranked")


def check_whitening():
    generator = np.random.default_rng(5)
    rows = np.abs(generator.standard_normal((300, 12)) @ generator.standard_normal((12, 12)))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    mean = rows.mean(axis=0)
    _, singular, directions = np.linalg.svd(rows - mean, full_matrices=False)
    values = singular**2 / len(rows)
    wanted = (rows - mean) @ directions.T / np.sqrt(values + 7 * values.mean())
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    found = whitening.learn(rows)(rows)
    difference = np.abs(found @ found.T - wanted @ wanted.T).max()
    assert difference < 1e-5, f"similarities differ by {difference}"


def rows_of(path):
    values = np.fromfile(path, "<i4")
    return values.reshape(-1, values[0] + 1)[:, 1:]


def check_joined(joined, *names):
    *names, _, folder = names
    single = np.concatenate([rows_of(Path(folder) / name) for name in names], axis=1)
    assert np.array_equal(rows_of(joined), single), "the rows differ"


def check_swapped(source, target):
    """Writes the picture with red and blue exchanged."""
    np.fromfile(source, np.uint8).reshape(-1, 3)[:, ::-1].tofile(target)


CHECKS = {"metrics": check_metrics, "whitening": check_whitening, "joined": check_joined, "swapped": check_swapped}
CHECKS[sys.argv[1]](*sys.argv[2:])
