"""Writes weight files with PyTorch for weights-torch.sh: weights_torch.py FOLDER

In every folder below FOLDER/equal all files hold the same network, one of them as safetensors written here, with batch
normalisation folded here. FOLDER/refused: files that must be refused. FOLDER/seeds: small files to damage. FOLDER/images.rgb
and vectors-*.txt: raw images and what PyTorch makes of them.
"""

import collections
import json
import os
import struct
import sys

import numpy
import torch

WIDTHS = [6, 8, "pool", 10]
EPSILON = 1e-5


def network(has_normalisation, has_bias=True, widths=WIDTHS):
    """A small VGG as torchvision builds it, with a classifier of NaN that nobody may look at."""
    layers, channels = [], 3
    for width in widths:
        if width == "pool":
            layers.append(torch.nn.MaxPool2d(2, 2))
            continue
        layers.append(torch.nn.Conv2d(channels, width, 3, padding=1, bias=has_bias))
        if has_normalisation:
            layers.append(torch.nn.BatchNorm2d(width))
        layers.append(torch.nn.ReLU(inplace=True))
        channels = width
    vgg = torch.nn.Module()
    vgg.features = torch.nn.Sequential(*layers)
    vgg.classifier = torch.nn.Linear(widths[-1], 4)
    torch.nn.init.constant_(vgg.classifier.weight, float("nan"))
    for layer in layers:
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.weight, 1, 0.2)
            torch.nn.init.normal_(layer.bias, 0, 0.5)
            torch.nn.init.normal_(layer.running_mean, 0, 0.3)
            torch.nn.init.uniform_(layer.running_var, 0.1, 2)
            layer.num_batches_tracked.fill_(17)
    return vgg.eval()


def write_safetensors(path, arrays):
    types = {"float32": "F32", "float16": "F16", "int64": "I64"}
    header, data = {}, b""
    for name, array in arrays.items():
        content = numpy.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": types[str(array.dtype)], "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def arrays(state):
    return {name: value.detach().numpy() for name, value in state.items() if name.startswith("features.")}


def folded(vgg):
    """The network without its normalisations, computed in double precision and rounded once."""
    result, number, layers = {}, 0, list(vgg.features)
    for layer, following in zip(layers, layers[1:]):
        if isinstance(layer, torch.nn.Conv2d):
            weight = layer.weight.detach().numpy().astype(numpy.float64)
            bias = numpy.zeros(weight.shape[0]) if layer.bias is None else layer.bias.detach().numpy().astype(numpy.float64)
            norm = {name: value.numpy().astype(numpy.float64) for name, value in following.state_dict().items()}
            factor = norm["weight"] / numpy.sqrt(norm["running_var"] + EPSILON)
            result[f"features.{number}.weight"] = (weight * factor[:, None, None, None]).astype(numpy.float32)
            bias = (bias - norm["running_mean"]) * factor + norm["bias"]
            result[f"features.{number}.bias"] = bias.astype(numpy.float32)
        number += 0 if isinstance(layer, torch.nn.BatchNorm2d) else 1
    return result


def save(saved, folder, name):
    """In both forms."""
    torch.save(saved, f"{folder}/{name}-archive.pth")
    torch.save(saved, f"{folder}/{name}-sequence.pth", _use_new_zipfile_serialization=False)


def checkpoint(vgg):
    state = collections.OrderedDict((f"module.{name}", value) for name, value in vgg.state_dict().items())
    optimiser = torch.optim.Adam(vgg.parameters())
    return {"epoch": 3, "arch": "vgg", "state_dict": state, "best": torch.tensor(0.5), "optimizer": optimiser.state_dict()}


def one_storage(vgg):
    """Every tensor a view into one run of numbers."""
    state = {name: value for name, value in vgg.state_dict().items() if name.startswith("features.")}
    flat = torch.cat([value.flatten() for value in state.values()])
    views, start = {}, 0
    for name, value in state.items():
        views[name] = flat[start : start + value.numel()].view(value.shape)
        start += value.numel()
    return views


def write_plain(folder, vgg):
    state = vgg.state_dict()
    write_safetensors(f"{folder}/plain.safetensors", arrays(state))
    save(state, folder, "state")
    save(dict(state), folder, "dict")
    save(vgg.state_dict(keep_vars=True), folder, "parameters")
    save(checkpoint(vgg), folder, "checkpoint")
    save({"model": state}, folder, "model")
    save(one_storage(vgg), folder, "views")
    save({name: value.double() for name, value in state.items()}, folder, "double")
    strided = {
        name: value.to(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in state.items()
    }
    save(strided, folder, "channels-last")
    for protocol in (3, 4, 5):
        torch.save(state, f"{folder}/protocol{protocol}-archive.pth", pickle_protocol=protocol)
        torch.save(
            state, f"{folder}/protocol{protocol}.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=False
        )


def write_half(folder, vgg, type, name):
    state = {name: value.to(type) for name, value in vgg.state_dict().items()}
    write_safetensors(f"{folder}/{name}.safetensors", arrays({name: value.float() for name, value in state.items()}))
    save(state, folder, name)


def write_normalised(folder, vgg):
    write_safetensors(f"{folder}/folded.safetensors", folded(vgg))
    write_safetensors(f"{folder}/raw.safetensors", arrays(vgg.state_dict()))
    save(vgg.state_dict(), folder, "state")
    save(checkpoint(vgg), folder, "checkpoint")


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def write_refused(folder, vgg):
    state = dict(vgg.state_dict())
    state["features.9.bias"] = Hostile(f"{folder}/../owned")
    save(state, folder, "posix.system")
    save(vgg.features, folder, "torch.nn.modules")
    torch.jit.save(torch.jit.script(vgg.features), f"{folder}/compressed-script.pth")
    save({"features.0.weight": torch.sparse_coo_tensor([[0], [0]], [1.0], (2, 2))}, folder, "_rebuild_sparse")


def write_seeds(folder):
    """Few numbers, so that damage meets structure."""
    for name, has_normalisation in (("plain", False), ("normalised", True)):
        vgg = network(has_normalisation, widths=[2, "pool", 1])
        save(vgg.state_dict(), folder, name)
        save({"state_dict": one_storage(vgg), "epoch": 1}, folder, f"{name}-views")


def write_vectors(folder, networks):
    """Maximum over the last map, divided by its length, of a few images, as the torchvision preprocessing wants them."""
    images = torch.randint(0, 256, (3, 224, 224, 3), dtype=torch.uint8)
    images.numpy().tofile(f"{folder}/images.rgb")
    pixels = images.permute(0, 3, 1, 2).float() / 255
    mean, deviation = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    pixels = (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(deviation)[:, None, None]
    for name, vgg in networks.items():
        with torch.no_grad():
            vectors = vgg.features(pixels).amax((2, 3))
        numpy.savetxt(f"{folder}/vectors-{name}.txt", (vectors / vectors.norm(dim=1, keepdim=True)).numpy())


def compare(features, vectors):
    """Smallest cosine between rows of an fvecs file and of a text file."""
    raw = numpy.fromfile(features, dtype="<f4")
    dimension = int(raw[:1].view("<i4")[0])
    rows = raw.reshape(-1, dimension + 1)[:, 1:].astype(numpy.float64)
    expected = numpy.loadtxt(vectors)
    assert rows.shape == expected.shape, (rows.shape, expected.shape)
    return float((rows * expected).sum(axis=1).min())


def main(folder):
    torch.manual_seed(3)
    torch.set_num_threads(1)
    plain, normalised, unbiased = network(False), network(True), network(True, has_bias=False)
    for name in ("plain", "half", "bfloat16", "normalised", "unbiased"):
        os.makedirs(f"{folder}/equal/{name}")
    os.makedirs(f"{folder}/refused")
    os.makedirs(f"{folder}/seeds")
    write_plain(f"{folder}/equal/plain", plain)
    write_half(f"{folder}/equal/half", plain, torch.float16, "half")
    write_half(f"{folder}/equal/bfloat16", plain, torch.bfloat16, "bfloat16")
    write_normalised(f"{folder}/equal/normalised", normalised)
    write_normalised(f"{folder}/equal/unbiased", unbiased)
    write_refused(f"{folder}/refused", plain)
    write_seeds(f"{folder}/seeds")
    write_vectors(folder, {"plain": plain, "normalised": normalised})


if len(sys.argv) == 4 and sys.argv[1] == "compare":
    print(compare(sys.argv[2], sys.argv[3]))
else:
    main(sys.argv[1])
