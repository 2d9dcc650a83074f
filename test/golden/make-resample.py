"""Images resized by PIL, torchvision and OpenCV: SHA-256 of the results, and a few in full.

The test image is made of the linear congruential generator s <- 1664525 s + 1013904223 mod 2^32 (s = 1 at first),
whose upper 8 bits are the bytes in turn; `binary` images have 255 where a byte is above 127, else 0.

Run: /usr/bin/python3 test/golden/make-resample.py
(Debian 12: Pillow 9.4.0, torchvision 0.14.1, PyTorch 1.13.1, OpenCV 4.6.0, NumPy 1.24.2)
"""

import base64
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

state = 1
noise = bytearray()
for _ in range(250 * 250 * 3):
    state = (1664525 * state + 1013904223) % 2**32
    noise.append(state >> 24)
noise = np.frombuffer(bytes(noise), np.uint8)


def picture(height, width, binary=False):
    values = noise[: height * width * 3].reshape(height, width, 3)
    return np.where(values > 127, 255, 0).astype(np.uint8) if binary else values


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


filters = {
    "nearest": Image.NEAREST,
    "bilinear": Image.BILINEAR,
    "bicubic": Image.BICUBIC,
    "lanczos": Image.LANCZOS,
}
sizes = [
    # height, width -> height, width
    (112, 112, 224, 224),
    (224, 224, 112, 112),
    (250, 187, 224, 224),
    (187, 250, 63, 101),
    (100, 100, 100, 100),
    (100, 99, 100, 50),
    (99, 100, 50, 100),
    (1, 1, 7, 5),
    (7, 5, 1, 1),
    (1, 64, 3, 128),
    (2, 2, 3, 3),
    (3, 2, 2, 3),
    (17, 31, 250, 9),
    (240, 3, 1, 200),
    (128, 128, 127, 129),
    (16, 16, 8, 9),
    (200, 200, 33, 33),
    (5, 250, 5, 31),
]
resized = []
for height, width, out_height, out_width in sizes:
    for binary in (False, True):
        array = picture(height, width, binary)
        image = Image.fromarray(array)
        resized.append(
            {
                "from": [height, width],
                "to": [out_height, out_width],
                "binary": binary,
                **{
                    name: sha256(image.resize((out_width, out_height), kind))
                    for name, kind in filters.items()
                },
                "opencv": sha256(
                    cv2.resize(array, (out_width, out_height), interpolation=cv2.INTER_LINEAR)
                ),
            }
        )

in_full = []
for name, kind in filters.items():
    out = np.asarray(Image.fromarray(picture(9, 7)).resize((5, 6), kind))
    in_full.append({"kind": name, "values": out.ravel().tolist()})
out = cv2.resize(picture(9, 7), (5, 6), interpolation=cv2.INTER_LINEAR)
in_full.append({"kind": "opencv", "values": out.ravel().tolist()})

crops = []
for height, width, crop_height, crop_width in [
    (10, 10, 7, 7),
    (12, 14, 7, 7),
    (11, 9, 4, 4),
    (9, 13, 6, 6),
    (5, 5, 8, 8),
    (6, 5, 9, 8),
    (5, 12, 8, 7),
    (3, 3, 3, 3),
]:
    out = transforms.CenterCrop((crop_height, crop_width))(Image.fromarray(picture(height, width)))
    crops.append(
        {
            "from": [height, width],
            "to": [crop_height, crop_width],
            "sha256": sha256(np.asarray(out)),
        }
    )

normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
straight = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor(), normalise])


def cropped(resize, crop, interpolation=transforms.InterpolationMode.BILINEAR):
    return transforms.Compose(
        [
            transforms.Resize(resize, interpolation),
            transforms.CenterCrop(crop),
            transforms.ToTensor(),
            normalise,
        ]
    )


def tensorflow(image):
    """Keras' preprocess_input, mode 'tf': x / 127.5 - 1 in float32."""
    values = np.asarray(image.resize((224, 224), Image.BILINEAR)).astype(np.float32)
    values /= np.float32(127.5)
    values -= np.float32(1)
    return torch.from_numpy(values.transpose(2, 0, 1).copy())


def opencv(image):
    values = cv2.resize(np.asarray(image), (224, 224), interpolation=cv2.INTER_LINEAR)
    return normalise(transforms.functional.to_tensor(values))


pipelines = {
    "imagenet-224": straight,
    "imagenet-256-crop-224": cropped(256, 224),
    "tf-224": tensorflow,
    "imagenet-224-opencv": opencv,
    "timm": cropped(248, 224, transforms.InterpolationMode.BICUBIC),
}
tensors = []
for height, width in [(112, 112), (97, 131), (250, 201), (224, 224), (60, 190), (1, 1), (201, 249)]:
    image = Image.fromarray(picture(height, width))
    for name, pipeline in pipelines.items():
        tensor = pipeline(image).numpy()
        assert tensor.dtype == np.float32 and tensor.shape == (3, 224, 224)
        tensors.append(
            {
                "preset": name,
                "from": [height, width],
                "nchw": sha256(tensor),
                "nhwc": sha256(tensor.transpose(1, 2, 0)),
            }
        )
first = straight(Image.fromarray(picture(97, 131))).numpy()[:, ::75, ::75]

golden = {
    "versions": {
        "Pillow": PIL.__version__,
        "torchvision": torchvision.__version__,
        "PyTorch": torch.__version__,
        "OpenCV": cv2.__version__,
        "NumPy": np.__version__,
    },
    "resized": resized,
    "inFull": in_full,
    "crops": crops,
    "tensors": tensors,
    "corner": {
        "shape": list(first.shape),
        "base64": base64.b64encode(np.ascontiguousarray(first).tobytes()).decode(),
    },
}
Path(__file__).with_name("resample.json").write_text(json.dumps(golden, indent=1) + "\n")
