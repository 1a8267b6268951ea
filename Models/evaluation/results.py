"""What features are worth, as rows of a table."""
import json

from . import edits, metrics, whitening

PRECISION_COUNT = 5


def measure(features, labels, similarity=metrics.inner_product, whitened=False):
    """The figures of one row: those of `Features`, as they are or whitened by what the photos teach."""
    apply = whitening.learn(features.base) if whitened else (lambda rows: rows)
    base = apply(features.base)
    recall = {
        name: metrics.recall_at_1(apply(rows), base, features.targets, similarity)
        for name, rows in features.copies.items()
    }
    return {
        "photos": len(base),
        "copies": len(features.targets),
        "dimension": base.shape[1],
        f"precision_at_{PRECISION_COUNT}": metrics.precision_at(base, labels, PRECISION_COUNT, similarity),
        "map": metrics.mean_average_precision(base, labels, similarity),
        "mild": sum(recall[name] for name in edits.MILD) / len(edits.MILD),
        "heavy": sum(recall[name] for name in edits.HEAVY) / len(edits.HEAVY),
        "recall_at_1": recall,
    }


def as_json(row):
    return json.dumps(row, sort_keys=False)


def _figure(value):
    return f"{value:.3f}".removeprefix("0")


def as_markdown(rows):
    """One table; first what counts, then recall@1 for each edit."""
    head = ["method", "head", "P@5", "mAP", "mild", "heavy", *edits.ALL, "copies"]
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)]
    for row in rows:
        figures = [row[f"precision_at_{PRECISION_COUNT}"], row["map"], row["mild"], row["heavy"]]
        figures += [row["recall_at_1"][name] for name in edits.ALL]
        summary = (row["head"] or "-") + (", whitened" if row["whitened"] else "")
        lines.append([row["method"], summary, *map(_figure, figures), str(row["copies"])])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
