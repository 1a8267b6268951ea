"""Writes small VGG networks in every layout of Keras: FOLDER gets sound/*.h5, refused/*.h5, w.safetensors and in.rgb.

All sound files hold the same random weights, which even 16 bits hold exactly, as w.safetensors does. The layouts are
those of real files: Keras 1 (vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5), Keras 2's save_weights and save,
Keras 3's save_weights; h5py writes them, as it does for Keras.
"""
import json
import os
import sys

import h5py
import numpy as np

STAGES = [[4, 6], [8], [10]]
rng = np.random.default_rng(7)


def network(stages):
    """[(layer's name, kernel HWIO, bias)] of random weights."""
    layers, channels = [], 3
    for stage, widths in enumerate(stages, 1):
        for position, width in enumerate(widths, 1):
            kernel = rng.standard_normal((3, 3, channels, width)) * np.sqrt(2 / (9 * channels))
            bias = rng.standard_normal(width) * 0.05
            layers.append((f"block{stage}_conv{position}", kernel.astype("f2"), bias.astype("f2")))
            channels = width
    return layers


def safetensors(path, layers):
    header, data, offset, number, previous = {}, b"", 0, 0, None
    for name, kernel, bias in layers:
        stage = name.split("_")[0]
        number += 0 if previous is None else 2 if stage == previous else 3
        previous = stage
        for part, array in ("weight", kernel.transpose(3, 2, 0, 1)), ("bias", bias):
            raw = np.ascontiguousarray(array, "<f4").tobytes()
            header[f"features.{number}.{part}"] = {
                "dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + len(raw)]}
            data += raw
            offset += len(raw)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def classifier():
    return [("fc1", rng.standard_normal((40, 16)), rng.standard_normal(16)),
            ("predictions", rng.standard_normal((16, 5)), rng.standard_normal(5))]


def names_of(group, layers, names):
    """The attributes that Keras 1 and 2 find their way by."""
    group.attrs["backend"] = "tensorflow"
    group.attrs["keras_version"] = "2.15.0"
    group.attrs["layer_names"] = [name.encode() for name, _, _ in layers]
    for name, _, _ in layers:
        group[name].attrs["weight_names"] = [each.encode() for each in names(name)]


def keras1(file, layers, dtype="f4"):
    for name, kernel, bias in layers:
        group = file.create_group(name)
        group.create_dataset(f"{name}_W_1:0", data=kernel, dtype=dtype)
        group.create_dataset(f"{name}_b_1:0", data=bias, dtype=dtype)
    file.create_group("block1_pool")
    names_of(file, layers, lambda name: [f"{name}_W_1:0", f"{name}_b_1:0"])


def keras2(file, layers, dtype="f4", **options):
    for name, kernel, bias in layers:
        file.create_dataset(f"{name}/{name}/kernel:0", data=kernel, dtype=dtype, **options)
        file.create_dataset(f"{name}/{name}/bias:0", data=bias, dtype=dtype)
    file.create_group("block1_pool")
    names_of(file, layers, lambda name: [f"{name}/kernel:0", f"{name}/bias:0"])


def whole_model(file, layers):
    file.attrs["model_config"] = json.dumps({"class_name": "Functional", "layers": [name for name, _, _ in layers]})
    keras2(file.create_group("model_weights"), layers + classifier())
    for name, kernel, _ in layers:
        file[f"optimizer_weights/Adam/{name}/kernel/m:0"] = np.zeros_like(kernel)


def keras3(file, layers, named=True):
    for number, (name, kernel, bias) in enumerate(layers + classifier()):
        kind = "conv2d" if name.startswith("block") else "dense"
        group = file.create_group(f"layers/{kind}{f'_{number}' if number else ''}/vars")
        if named:
            group.attrs["name"] = name
        group.create_dataset("0", data=kernel, dtype="f4")
        group.create_dataset("1", data=bias, dtype="f4")
    for number in range(3):
        file.create_group(f"layers/max_pooling2d_{number}/vars").attrs["name"] = f"block{number + 1}_pool"
    file.create_group("vars").attrs["name"] = "vgg"


def compact(file, layers):
    """Numbers within the objects' headers."""
    for name, kernel, bias in layers:
        for part, array in ("kernel", kernel), ("bias", bias):
            settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            settings.set_layout(h5py.h5d.COMPACT)
            group = file.require_group(name)
            values = np.ascontiguousarray(array, "<f4")
            space = h5py.h5s.create_simple(values.shape)
            h5py.h5d.create(group.id, part.encode(), h5py.h5t.IEEE_F32LE, space, settings).write(
                h5py.h5s.ALL, h5py.h5s.ALL, values)


def write(folder, name, writer, *arguments, libver="earliest", **options):
    with h5py.File(f"{folder}/{name}.h5", "w", libver=libver) as file:
        writer(file, *arguments, **options)


def main(folder):
    sound, refused = f"{folder}/sound", f"{folder}/refused"
    os.makedirs(sound)
    os.makedirs(refused)
    layers, many = network(STAGES), network([[2, 2], [2, 2], [2, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 2]])
    safetensors(f"{folder}/w.safetensors", layers)
    safetensors(f"{folder}/many.safetensors", many)
    with open(f"{folder}/in.rgb", "wb") as file:
        file.write(rng.integers(0, 256, (2, 224, 224, 3), np.uint8).tobytes())

    for libver in "earliest", "latest":
        write(sound, f"keras1-{libver}", keras1, layers, libver=libver)
        write(sound, f"keras2-{libver}", keras2, layers, libver=libver)
        write(sound, f"model-{libver}", whole_model, layers, libver=libver)
        write(sound, f"compact-{libver}", compact, layers, libver=libver)
        for dtype in "<f2", ">f2", ">f4", "<f8", ">f8":
            write(sound, f"{dtype[1:]}-{'big' if dtype[0] == '>' else 'little'}-{libver}", keras2, layers, dtype,
                  libver=libver)
    write(sound, "keras3", keras3, layers)
    # A tree of several leaves.
    write(sound, "many", keras2, many)

    write(refused, "heap", keras2, many, libver="latest")
    write(refused, "compressed", keras2, layers, compression="gzip")
    write(refused, "chunks", keras2, layers, chunks=(3, 3, 1, 2))
    write(refused, "does not say", keras3, layers, named=False)
    write(refused, "no floating-point numbers", keras2, layers, dtype="i4")
    write(refused, "missing", keras2, layers[:2] + layers[3:])
    write(refused, "no plain convolution", keras2, layers + [("block1_bn2", layers[1][2], layers[1][2])])
    write(refused, "expected", keras2, [(name, kernel.transpose(3, 2, 0, 1), bias) for name, kernel, bias in layers])
    write(refused, "infinity", keras2, [(name, kernel * np.float16("inf"), bias) for name, kernel, bias in layers])


main(sys.argv[1])
