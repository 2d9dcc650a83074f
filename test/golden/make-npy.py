"""NumPy files of every type and order, and what they hold.

Run: /usr/bin/python3 test/golden/make-npy.py (Debian 12: NumPy 1.24.2)
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

cases = []


def add(name, array, version=None, values=None):
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=version)
    flat = array.ravel(order="C")
    if values is None:
        values = [str(value) for value in flat] if array.dtype.kind in "US" else flat.tolist()
    # JSON knows neither NaN nor infinity, nor integers beyond 2^53.
    shown = [value if isinstance(value, (bool, str)) else repr(value) for value in values]
    cases.append(
        {
            "name": name,
            "shape": list(array.shape),
            "values": shown,
            "base64": base64.b64encode(buffer.getvalue()).decode(),
        }
    )


numbers = np.array([[1.5, -2, 3], [0, 65504, -6.103515625e-05]])
for code in ["f2", "f4", "f8"]:
    add(f"<{code}", numbers.astype("<" + code))
    add(f">{code}", numbers.astype(">" + code))
special = np.array([np.nan, np.inf, -np.inf, 5.960464477539063e-08, -0.0])
add("float16 special", special.astype("<f2"))
add("float64 special", special)
for code in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]:
    info = np.iinfo(code)
    for order in "<>":
        add(f"{order}{code}", np.array([[info.min, info.max], [0, 7]], dtype=order + code))
add("bool", np.array([True, False, True]))
cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
add("cube", cube)
add("cube in Fortran order", np.asfortranarray(cube))
add("big-endian in Fortran order", np.asfortranarray(cube.astype(">i2")))
add("scalar", np.array(2.5))
add("empty", np.zeros((0, 4), dtype="<f4"))
add("version 2", cube, version=(2, 0))
add("version 3", cube, version=(3, 0))
text = np.array([["image1", "b", ""], ["ä", "日本", "😀 x"]])
add("text", text)
add("text in Fortran order", np.asfortranarray(text))
add("big-endian text", text.astype(text.dtype.newbyteorder(">")))
add("bytes", np.array([b"one", b"three"]), values=["one", "three"])


def archive(write, **arrays):
    buffer = io.BytesIO()
    write(buffer, **arrays)
    return base64.b64encode(buffer.getvalue()).decode()


def refused(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return base64.b64encode(buffer.getvalue()).decode()


arrays = {"layer1.0": cube, "stimulus_id": np.array(["b", "a"]), "wide": np.zeros((50, 400))}
golden = {
    "versions": {"NumPy": np.__version__},
    "npy": cases,
    "npz": {
        "stored": archive(np.savez, **{**arrays, "wide": np.zeros((5, 4))}),
        "deflated": archive(np.savez_compressed, **arrays),
    },
    "refused": {
        "object": refused(np.array([1, "a", None], dtype=object)),
        "complex": refused(np.array([1 + 2j])),
        "structure": refused(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])),
        "date": refused(np.array(["2020-01-01"], dtype="M8[D]")),
        "long double": refused(np.array([1.5], dtype=np.longdouble)),
    },
}
Path(__file__).with_name("npy.json").write_text(json.dumps(golden, indent=1) + "\n")
