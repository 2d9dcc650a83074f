"""MATLAB level-5 files as SciPy writes them, and by hand what SciPy cannot write (big endian, UTF-16), with SciPy's reading.

Writes matlab.json: every file in base64, and for each variable its class, shape and values (row-major).
"""
import base64, io, json, struct, zlib
from pathlib import Path
import numpy, scipy
from scipy.io import loadmat, savemat, whosmat
from scipy.sparse import csc_matrix

rng = numpy.random.default_rng(7)
numeric = {
    name: (rng.integers(0, 100, (2, 3, 4)) - (0 if name.startswith("u") else 50)).astype(name)
    for name in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
}
numeric["double"] = rng.normal(size=(3, 2, 2, 5))
numeric["single"] = rng.normal(size=(4, 3)).astype("float32")
numeric["logical"] = rng.random((3, 4)) > 0.5
numeric["row"] = numpy.arange(3.0).reshape(1, 3)
numeric["empty"] = numpy.zeros((0, 3))
struct_array = numpy.zeros((1, 2), dtype=[("name", object), ("value", object)])
struct_array[0, 0] = ("first", numpy.arange(6.0).reshape(2, 3))
struct_array[0, 1] = ("second", numpy.array([[True, False]]))
cells = numpy.empty((2, 2), dtype=object)
cells[0, 0], cells[0, 1], cells[1, 0], cells[1, 1] = "a", numpy.eye(2), "Zürich ✓", numpy.zeros((0, 0))
paths = numpy.empty((1, 3), dtype=object)
paths[0, :] = ["C:\\set\\b.png", "C:\\set\\a.png", "D:\\c.png"]
texts = {
    "ascii": "hello",
    "unicode": "naïve ✓",
    "rows": numpy.array(["one", "three"]),
    "cells": cells,
    "paths": paths,
    "records": struct_array,
    "single_record": {"a": 1.5, "b": "x"},
}
others = {"full": numpy.eye(2), "sparse": csc_matrix(numpy.eye(3)), "complex": numpy.array([[1 + 2j]])}


def scipy_file(content, compressed):
    stream = io.BytesIO()
    savemat(stream, content, do_compression=compressed)
    # SciPy's text names the day.
    return b"MATLAB 5.0 MAT-file, SciPy".ljust(116) + stream.getvalue()[116:]


def element(order, kind, data):
    return struct.pack(order + "II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def small(order, kind, data):
    word = (len(data) << 16) | kind
    return struct.pack(order + "I", word) + data + b"\0" * (4 - len(data))


def matrix(order, code, shape, name, content):
    flags = element(order, 6, struct.pack(order + "II", code, 0))
    dims = element(order, 5, struct.pack(order + f"{len(shape)}i", *shape))
    body = flags + dims + element(order, 1, name.encode()) + content
    return element(order, 14, body)


def by_hand(order, matrices):
    text = b"MATLAB 5.0 MAT-file, by hand".ljust(124)
    mark = b"IM" if order == "<" else b"MI"
    return text + struct.pack(order + "H", 0x0100) + mark + b"".join(matrices)


def hand_matrices(order):
    code = "utf-16-le" if order == "<" else "utf-16-be"
    doubles = numpy.arange(6, dtype=order + "f8").tobytes()
    return [
        # Whole doubles are stored as small integers by MATLAB.
        matrix(order, 6, (2, 2), "whole", small(order, 1, bytes([1, 2, 3, 252]))),
        matrix(order, 6, (2, 3), "doubles", element(order, 9, doubles)),
        matrix(order, 10, (1, 3), "int16", element(order, 3, numpy.array([1, -2, 300], order + "i2").tobytes())),
        # MATLAB's own chars: UTF-16 units; SciPy's: UTF-8.
        matrix(order, 4, (1, 4), "utf16", element(order, 4, "aé✓z".encode(code))),
        matrix(order, 4, (2, 2), "block", element(order, 17, "acbd".encode(code))),
        matrix(order, 4, (1, 3), "utf8", element(order, 16, "é✓z".encode("utf-8"))),
    ]


files = {
    "numeric": scipy_file(numeric, False),
    "numeric-compressed": scipy_file(numeric, True),
    "texts": scipy_file(texts, False),
    "texts-compressed": scipy_file(texts, True),
    "others": scipy_file(others, False),
    "little": by_hand("<", hand_matrices("<")),
    "big": by_hand(">", hand_matrices(">")),
}


def plain(value):
    if isinstance(value, numpy.ndarray) and value.dtype.names:
        return {"struct": [{n: plain(e[n]) for n in value.dtype.names} for e in value.ravel(order="F")]}
    if isinstance(value, numpy.ndarray) and value.dtype == object:
        return {"cell": [plain(e) for e in value.ravel(order="F")]}
    if isinstance(value, numpy.ndarray) and value.dtype.kind == "U":
        return {"rows": [str(e).rstrip() for e in value.ravel()]}
    return {"shape": list(value.shape), "values": value.astype(float).ravel().tolist()}


def reading(name, data):
    # Without being told, SciPy reads MATLAB's UTF-16 units as UTF-8.
    codec = "utf-16-be" if name == "big" else "utf-16-le"
    content = loadmat(io.BytesIO(data), uint16_codec=codec)
    listing = [[n, list(s), c] for n, s, c in whosmat(io.BytesIO(data))]
    kept = {k: plain(v) for k, v in content.items() if not k.startswith("__")} if name != "others" else {}
    return {"file": base64.b64encode(data).decode(), "listing": listing, "values": kept}


path = Path(__file__).with_name("matlab.json")
path.write_text(
    json.dumps(
        {
            "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
            "files": {name: reading(name, data) for name, data in files.items()},
        },
        ensure_ascii=False,
    )
    + "\n"
)
