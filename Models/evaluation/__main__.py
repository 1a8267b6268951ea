"""The command line of `Models/evaluate`."""
import argparse
import os
import sys
from pathlib import Path

from . import descriptors, features, networks, photos, results, whitening
from .problem import Problem

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
UNTRAINED = "untrained"


def parse(arguments):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(
        prog="Models/evaluate",
        description="Measures what models and other methods find: precision@5 and mAP over classes of photos (leave one out), and"
        " recall@1 of edited copies among the photos. A Markdown table on stdout, progress on stderr.",
        epilog="--environment DIR (default: below the cache folder) says where the Python packages of this command are kept.",
    )
    known = ", ".join([*descriptors.ALL, UNTRAINED])
    parser.add_argument("--methods", metavar="NAME,...", help=f"only these: {known}, or the name of a weight file without suffix")
    parser.add_argument("--model", metavar="FILE", action="append", default=[],
                        help="a weight file, with its manifest FILE.json beside it; without --methods only such files are measured")
    parser.add_argument("--heads", metavar="HEAD,...", default=",".join(networks.HEADS), help="default: %(default)s")
    parser.add_argument("--corpus", metavar="DIR", default=SHARED / "data/corel1k", help="N.jpg and labels.tsv; default: %(default)s")
    parser.add_argument("--photos", metavar="N", type=int, help="so many of the photos, evenly; default: all")
    parser.add_argument("--copies", metavar="N", type=int, help="edit so many of the photos, evenly; default: all")
    parser.add_argument("--untrained-copies", metavar="N", type=int, default=200,
                        help="the same for the untrained VGG16, which is slow; default: %(default)s")
    parser.add_argument("--bench", metavar="FILE", default=PROJECT / ".build-install/release/likeness-bench", help="default: %(default)s")
    parser.add_argument("--cache", metavar="DIR", default=cache / "likeness/features", help="features computed before; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of the table")
    options = parser.parse_args(arguments)
    options.heads = options.heads.split(",")
    if unknown := set(options.heads) - set(networks.HEADS):
        parser.error(f"--heads takes {', '.join(networks.HEADS)}, not {', '.join(sorted(unknown))}")
    for name in ("photos", "copies", "untrained_copies"):
        if (value := getattr(options, name)) is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} is at least 1, not {value}")
    return options


def offered():
    """Every method that is at hand, by name; networks by what opens them."""
    files = sorted(file for file in (PROJECT / "Models").glob("*.safetensors") if file.with_suffix(".json").is_file())
    files += sorted((SHARED / "models").glob("*.safetensors"))
    found = dict(descriptors.ALL)
    found[UNTRAINED] = networks.untrained
    for file in files:
        found[file.stem] = lambda file=file: networks.network(file)
    return found


def chosen(options):
    """The methods to measure, by name."""
    known = offered()
    if options.methods is not None:
        names = options.methods.split(",")
    else:
        names = [] if options.model else list(known)
    for name in names:
        if name not in known:
            raise Problem(f"there is no method {name}; there are {', '.join(known)}, and --model FILE")
    methods = {name: known[name]() if callable(known[name]) else known[name] for name in names}
    for file in options.model:
        methods[str(file)] = networks.network(file)
    return methods


def report(line):
    print(line, file=sys.stderr, flush=True)


def evaluate(options):
    """One row for each method, head and whitening."""
    methods = chosen(options)
    corpus = photos.load(options.corpus, options.photos)
    labels = [photo.label for photo in corpus]
    count = options.copies or len(corpus)
    work = {"plain": {}, "networks": {}}
    for name, method in methods.items():
        is_network = isinstance(method, networks.Network)
        limit = options.untrained_copies if is_network and method.is_untrained else count
        work["networks" if is_network else "plain"][name] = features.Work(method, min(count, limit))
    bench = networks.Bench(options.bench, options.cache) if work["networks"] else None
    plain, learned = features.describe(corpus, work["plain"], work["networks"], bench, report)

    for name, method in methods.items():
        if name in plain:
            figures = results.measure(plain[name], labels, method.similarity)
            yield {"method": method.title, "head": None, "whitened": False} | figures
            continue
        for head in options.heads:
            found = learned[name][head]
            for whitened in (False, True):
                yield {"method": method.title, "head": head, "whitened": whitened} | results.measure(
                    found, labels, whitened=whitened
                )
        if len(corpus) < (needed := whitening.needed_count(found.base.shape[1])):
            report(f"{method.title}: whitened by {len(corpus)} photos; the daemon asks for {needed} vectors")


def main():
    options = parse(sys.argv[1:])
    try:
        rows = []
        for row in evaluate(options):
            rows.append(row)
            if options.json:
                print(results.as_json(row), flush=True)
        if not options.json:
            print(results.as_markdown(rows))
    except Problem as problem:
        print(f"evaluate: {problem}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
