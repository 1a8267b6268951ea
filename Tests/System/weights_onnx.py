"""Writes one small VGG network as ONNX models of several forms with the real onnx package, and as safetensors.

    weights_onnx.py FOLDER                 writes NAME.onnx, NAME.safetensors and images.rgb
    weights_onnx.py --distance A B         prints the largest difference between two fvecs files
"""
import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS = [8, 8, "M", 16, 16, "M", 24, 24, 24, "M", 32, 32, 32, "M", 32, 32, 32, "M"]
IMAGES = 4
EPSILON = 1e-3


def weights(seed=0):
    rng, cin = np.random.default_rng(seed), 3
    for cout in (v for v in LAYERS if v != "M"):
        yield ((rng.standard_normal((cout, cin, 3, 3)) * np.sqrt(2 / (cin * 9))).astype(np.float32),
               (rng.standard_normal(cout) * 0.01).astype(np.float32))
        cin = cout


def normalisations(seed=1):
    """Gamma, beta, mean and variance of each convolution."""
    rng = np.random.default_rng(seed)
    for cout in (v for v in LAYERS if v != "M"):
        yield [a.astype(np.float32) for a in (rng.uniform(0.5, 1.5, cout), rng.standard_normal(cout) * 0.1,
                                              rng.standard_normal(cout) * 0.1, rng.uniform(0.5, 2, cout))]


def raw(array, name):
    return numpy_helper.from_array(array, name)


def listed(array, name):
    """The numbers in the field of their type, not as raw bytes."""
    kind = TensorProto.FLOAT16 if array.dtype == np.float16 else TensorProto.FLOAT
    return helper.make_tensor(name, kind, array.shape, array.flatten().tolist())


def half(array):
    return array.astype(np.float16)


class Chain:
    """Nodes one after the other, as an exporter writes them."""

    def __init__(self):
        self.nodes, self.initialisers, self.value = [], [], "input"

    def append(self, operation, constants=(), **attributes):
        output = f"{operation.lower()}{len(self.nodes)}"
        node = helper.make_node(operation, [self.value, *constants], [output], f"n{len(self.nodes)}", **attributes)
        self.nodes.append(node)
        self.value = output

    def save(self, path, **options):
        graph = helper.make_graph(
            self.nodes, "vgg", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 224, 224])],
            [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, None)], self.initialisers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        helper.set_model_props(model, {"license": "CC0-1.0"})
        onnx.save(model, path, **options)


def chain(tensor=raw, convert=lambda array: array, normalised=False, dropout=False, stride=1):
    model = Chain()
    normals = normalisations()
    parameters = weights()
    for i, v in enumerate(LAYERS):
        if v == "M":
            model.append("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            continue
        w, b = next(parameters)
        model.initialisers += [tensor(convert(w), f"w{i}"), tensor(convert(b), f"b{i}")]
        model.append("Conv", [f"w{i}", f"b{i}"], kernel_shape=[3, 3], pads=[1] * 4,
                     strides=[stride if i > 8 else 1] * 2)
        if normalised:
            names = [f"{kind}{i}" for kind in ("gamma", "beta", "mean", "variance")]
            model.initialisers += [tensor(a, name) for a, name in zip(next(normals), names)]
            model.append("BatchNormalization", names, epsilon=EPSILON)
        model.append("Relu")
        if dropout:
            model.append("Dropout")
            model.append("Identity")
    return model


def safetensors(path, pairs, kind):
    """By hand: eight bytes of length, JSON, data."""
    header, data, number = {}, b"", 0
    pairs = iter(pairs)
    for v in LAYERS:
        if v == "M":
            number += 1
            continue
        for name, array in zip(("weight", "bias"), next(pairs)):
            header[f"features.{number}.{name}"] = {
                "dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
            data += array.tobytes()
        number += 2
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def folded():
    for (w, b), (gamma, beta, mean, variance) in zip(weights(), normalisations()):
        factor = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + EPSILON)
        yield ((w * factor[:, None, None, None]).astype(np.float32), ((b - mean) * factor + beta).astype(np.float32))


def write(folder):
    heads = {"raw": chain(), "listed": chain(listed), "dropout": chain(dropout=True)}
    for name, model in heads.items():
        model.append("GlobalMaxPool")
        model.save(f"{folder}/{name}.onnx")
    for name, model in {"half": chain(convert=half), "half-listed": chain(listed, half),
                        "normal": chain(normalised=True), "bare": chain(),
                        "strided": chain(stride=2)}.items():
        model.save(f"{folder}/{name}.onnx")
    classifier = chain()
    classifier.append("Flatten")
    classifier.initialisers += [raw(np.full((32 * 49, 1000), np.nan, np.float32), "fc.w"),
                                raw(np.zeros(1000, np.float32), "fc.b")]
    classifier.append("Gemm", ["fc.w", "fc.b"])
    classifier.append("Softmax")
    classifier.save(f"{folder}/classifier.onnx")
    chain().save(f"{folder}/external.onnx", save_as_external_data=True, location="external.bin", size_threshold=64)
    safetensors(f"{folder}/single.safetensors", weights(), "F32")
    safetensors(f"{folder}/half.safetensors", ([half(w), half(b)] for w, b in weights()), "F16")
    safetensors(f"{folder}/folded.safetensors", folded(), "F32")
    images = np.random.default_rng(2).integers(0, 256, (IMAGES, 224, 224, 3), np.uint8)
    images.tofile(f"{folder}/images.rgb")


if sys.argv[1] == "--distance":
    a, b = (np.fromfile(path, np.float32).reshape(IMAGES, -1)[:, 1:] for path in sys.argv[2:4])
    print(np.abs(a - b).max())
else:
    write(sys.argv[1])
