#!/usr/bin/env python3
"""Compiles one GLSL compute shader to SPIR-V with the glslang that the wheel `slangpy` carries.

Debian 12's glslc does not know cooperative matrices; this library does. It takes one string without macros or includes, so both are put
in here.

    compile_wheel.py LIBRARY SPIRV_VERSION SOURCE OUTPUT [-I FOLDER] [-DNAME=VALUE ...]
"""
import ctypes
import pathlib
import re
import sys

OUTPUT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
STAGE_COMPUTE = 6
ACTION_COMPILE = 0


class Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int)]


class Request(ctypes.Structure):
    """glslang_CompileRequest_1_2 of the library's C interface."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("source_path", ctypes.c_char_p),
        ("input_begin", ctypes.c_void_p),
        ("input_end", ctypes.c_void_p),
        ("diagnostic", OUTPUT),
        ("diagnostic_data", ctypes.c_void_p),
        ("output", OUTPUT),
        ("output_data", ctypes.c_void_p),
        ("stage", ctypes.c_int),
        ("action", ctypes.c_uint),
        ("optimisation", ctypes.c_uint),
        ("debug", ctypes.c_uint),
        ("target", ctypes.c_char_p),
        ("version", Version),
        ("entry_point", ctypes.c_char_p),
    ]


def expand(path, folders):
    """The text of a file with its `#include "..."` lines replaced by what they name."""
    lines = []
    for line in path.read_text().splitlines():
        match = re.match(r'#include "(.+)"', line)
        if match:
            found = next(folder / match[1] for folder in folders if (folder / match[1]).exists())
            lines.append(expand(found, folders))
        elif "GL_GOOGLE_include_directive" not in line:
            lines.append(line)
    return "\n".join(lines)


def compile_shader(library, version, source, macros, folders):
    """SPIR-V of `source`; raises RuntimeError with the compiler's words."""
    first, rest = expand(source, folders).split("\n", 1)
    text = "\n".join([first] + [f"#define {name} {value}" for name, value in macros] + [rest, ""]).encode()
    buffer = ctypes.create_string_buffer(text, len(text))
    begin = ctypes.addressof(buffer)
    words, spirv = [], []
    keep = [
        OUTPUT(lambda data, size, _: words.append(ctypes.string_at(data, size))),
        OUTPUT(lambda data, size, _: spirv.append(ctypes.string_at(data, size))),
    ]
    request = Request(
        size=ctypes.sizeof(Request),
        source_path=str(source).encode(),
        input_begin=begin,
        input_end=begin + len(text),
        diagnostic=keep[0],
        output=keep[1],
        stage=STAGE_COMPUTE,
        action=ACTION_COMPILE,
        optimisation=1,
        version=Version(*map(int, version.split(".")), 0),
        entry_point=b"main",
    )
    status = library.glslang_compile_1_2(ctypes.byref(request))
    said = b"".join(words).decode().strip("\n\0 ")
    if status != 0 or not spirv or said:
        raise RuntimeError(said or f"status {status}")
    binary = b"".join(spirv)
    if not library.glslang_validateSPIRV(ctypes.create_string_buffer(binary, len(binary)), len(binary) // 4):
        raise RuntimeError("the validator refuses the binary")
    return binary


def main(arguments):
    library = ctypes.CDLL(arguments[0])
    library.glslang_validateSPIRV.restype = ctypes.c_bool
    source, output = pathlib.Path(arguments[2]), pathlib.Path(arguments[3])
    folders, macros = [source.parent], []
    rest = iter(arguments[4:])
    for argument in rest:
        if argument == "-I":
            folders.append(pathlib.Path(next(rest)))
        elif argument.startswith("-D"):
            name, _, value = argument[2:].partition("=")
            macros.append((name, value or "1"))
        else:
            sys.exit(f"compile_wheel.py: unknown argument {argument}")
    try:
        output.write_bytes(compile_shader(library, arguments[1], source, macros, folders))
    except RuntimeError as error:
        sys.exit(f"{source}: {error}")


main(sys.argv[1:])
