"""Maps resampled, blurred and compared by other libraries; TFRecords of ClickMe's form, written from the specification.

- `resized`: PyTorch's interpolate (bilinear, half-pixel centres, no antialiasing: TensorFlow 2's default) and OpenCV's
  INTER_LINEAR agree; Pillow's BILINEAR on mode F antialiases.
- `clickme`: 256 x 256 -> 64 x 64, the released kernel, -> 224 x 224, by PyTorch; the kernel is written out here from the
  released formula (integer grids -5 ... 4 across and 4 ... -5 down, sigma 10, normalised; SAME padding of 10 taps: 4
  before, 5 after).
- `fixations`: SciPy's gaussian_filter (constant border, truncated at 4 sigma) of a count of fixations per pixel.
- `figures`: SciPy's spearmanr, NumPy's percentile; overlaps as released with Fel et al. 2022, without their epsilon.
- `edges`: OpenCV's Sobel of its grey conversion.
- `records`: TFRecord framing with a bit-by-bit CRC-32C, tf.train.Example by hand.

Run: /usr/bin/python3 test/golden/make-human-maps.py
(Debian 12: NumPy 1.24.2, SciPy 1.10.1, OpenCV 4.6.0, PyTorch 1.13, Pillow 9.4.0)
"""

import base64
import io
import json
import struct
from pathlib import Path

import cv2
import numpy as np
import PIL
import scipy
import scipy.ndimage
import scipy.stats
import torch
from PIL import Image

random = np.random.default_rng(20231122)


def floats(array):
    array = np.ascontiguousarray(array, np.float32)
    return {
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode(),
    }


def like_tensorflow(array, height, width):
    tensor = torch.from_numpy(np.ascontiguousarray(array, np.float32))[None, None]
    return torch.nn.functional.interpolate(
        tensor, (height, width), mode="bilinear", align_corners=False
    )[0, 0].numpy()


resized = []
for height, width, out_height, out_width in [
    (16, 16, 4, 4),
    (4, 4, 14, 14),
    (9, 13, 5, 20),
    (12, 10, 7, 3),
    (3, 5, 3, 5),
    (1, 6, 2, 2),
]:
    array = random.normal(size=(height, width)).astype(np.float32)
    plain = like_tensorflow(array, out_height, out_width)
    opencv = cv2.resize(array, (out_width, out_height), interpolation=cv2.INTER_LINEAR)
    assert np.allclose(plain, opencv, atol=1e-5), (height, width)
    pil = Image.fromarray(array, mode="F").resize((out_width, out_height), Image.BILINEAR)
    resized.append(
        {
            "map": floats(array),
            "plain": floats(plain),
            "antialiased": floats(np.asarray(pil)),
        }
    )

across = np.arange(-5, 5)
down = np.arange(4, -6, -1)
xs, ys = np.meshgrid(across, down)
kernel = np.exp(-(xs**2 + ys**2) / (2 * 10**2)) / (2 * np.pi * 10**2)
kernel = (kernel / kernel.sum()).astype(np.float32)


def blurred(array):
    padded = torch.nn.functional.pad(torch.from_numpy(array)[None, None], (4, 5, 4, 5))
    return torch.nn.functional.conv2d(padded, torch.from_numpy(kernel)[None, None])[0, 0].numpy()


clicks = np.zeros((256, 256), np.float32)
for y, x in random.integers(20, 236, size=(12, 2)):
    clicks[y - 6 : y + 7, x - 6 : x + 7] += 20
clicks = np.clip(clicks, 0, 255).astype(np.uint8)
small = like_tensorflow(clicks.astype(np.float32), 64, 64)
soft = blurred(np.ascontiguousarray(small))
clickme = {
    "clicks": base64.b64encode(np.packbits(clicks > 0).tobytes()).decode(),
    "levels": [int(level) for level in clicks[clicks > 0]],
    "blurred": floats(soft),
    "resized": floats(like_tensorflow(soft, 224, 224)[::7, ::7]),
}

height, width, sigma = 40, 60, 3.5
points = np.stack(
    [random.uniform(-3, width + 3, 25), random.uniform(-3, height + 3, 25)], axis=1
)
counts = np.zeros((height, width))
outside = 0
for x, y in points:
    if 0 <= x < width and 0 <= y < height:
        counts[int(y), int(x)] += 1
    else:
        outside += 1
filtered = scipy.ndimage.gaussian_filter(counts, sigma, mode="constant", truncate=4.0)
fixations = {
    "height": height,
    "width": width,
    "sigma": sigma,
    "points": points.tolist(),
    "outside": outside,
    "map": floats(filtered / filtered.max()),
}


def compared(a, b, percentile):
    over_a = a > np.percentile(a, percentile)
    over_b = b > np.percentile(b, percentile)
    both, either = (over_a & over_b).sum(), (over_a | over_b).sum()
    return {
        "a": floats(a),
        "b": floats(b),
        "percentile": percentile,
        "spearman": float(scipy.stats.spearmanr(a.ravel(), b.ravel()).statistic),
        "dice": float(2 * both / (over_a.sum() + over_b.sum())),
        "iou": float(both / either),
    }


figures = []
for percentile in (90, 75):
    a = random.normal(size=(20, 22)).astype(np.float32)
    figures.append(compared(a, (0.6 * a + random.normal(size=a.shape)).astype(np.float32), percentile))
    figures.append(compared(a, (-a + random.normal(size=a.shape)).astype(np.float32), percentile))
    figures.append(compared(np.round(a), np.round(a[::-1] * 2), percentile))


levels = random.integers(0, 256, size=(9, 12, 3)).astype(np.float32)
grey = cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY)
sobel = [cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3, borderType=cv2.BORDER_REFLECT_101) for order in [(1, 0), (0, 1)]]
edges = {"levels": floats(levels), "edges": floats(np.hypot(*sobel))}


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def varint(value):
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, data):
    return varint(number * 8 + 2) + varint(len(data)) + data


def feature(value):
    if isinstance(value, bytes):
        return field(1, field(1, value))
    if isinstance(value, float):
        return field(2, field(1, struct.pack("<f", value)))
    return field(3, field(1, varint(value)))


def example(**features):
    entries = b"".join(
        field(1, field(1, name.encode()) + field(2, feature(value)))
        for name, value in features.items()
    )
    return field(1, entries)


def jpeg(array):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG", quality=60)
    return out.getvalue()


shard = b""
labels = [3, 999, 0]
for index, label in enumerate(labels):
    rows, columns = np.mgrid[0:32, 0:32]
    picture = np.stack([rows * 8, columns * 8, (rows + columns) * (index + 1)], axis=2).astype(np.uint8)
    spot = 255 * np.exp(-((rows - 8 * (index + 1)) ** 2 + (columns - 10) ** 2) / 50)
    shard += record(
        example(
            image=jpeg(picture), heatmap=jpeg(spot.astype(np.uint8)), label=label, weight=0.5
        )
    )

golden = {
    "versions": {
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "OpenCV": cv2.__version__,
        "PyTorch": torch.__version__,
        "Pillow": PIL.__version__,
    },
    "resized": resized,
    "clickme": clickme,
    "fixations": fixations,
    "figures": figures,
    "edges": edges,
    "records": {
        "shard": base64.b64encode(shard).decode(),
        "labels": labels,
        "negative": base64.b64encode(record(example(label=-7))).decode(),
    },
}
Path(__file__).with_name("human-maps.json").write_text(json.dumps(golden, indent=1) + "\n")
