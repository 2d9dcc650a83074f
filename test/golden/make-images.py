"""Small encoded images and the SHA-256 of their pixels as PIL's `convert('RGB')` gives them.

Run: /usr/bin/python3 test/golden/make-images.py (Debian 12: Pillow 9.4.0, NumPy 1.24.2)
"""

import base64
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageCms

rng = np.random.default_rng(1)
y, x = np.mgrid[0:29, 0:37]
smooth = np.stack([120 + 90 * np.sin(x / 5 + c) * np.cos(y / 4 - c) for c in range(3)], axis=2)
rgb = np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)
image = Image.fromarray(rgb)
rgba = Image.fromarray(np.dstack([rgb, rng.integers(0, 256, rgb.shape[:2]).astype(np.uint8)]))

turned = Image.Exif()
turned[0x0112] = 6

# An RGB profile with red and blue swapped: whoever applies it gets other colours.
profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"

cases = {
    "rgb.jpg": (image, "JPEG", {"quality": 85}),
    "full-chroma.jpg": (image, "JPEG", {"quality": 95, "subsampling": 0}),
    "progressive.jpg": (image, "JPEG", {"quality": 75, "progressive": True}),
    "grey.jpg": (image.convert("L"), "JPEG", {"quality": 85}),
    "turned.jpg": (image, "JPEG", {"quality": 85, "exif": turned}),
    "profile.jpg": (image, "JPEG", {"quality": 85, "icc_profile": bytes(profile)}),
    "rgb.png": (image, "PNG", {}),
    "grey.png": (image.convert("L"), "PNG", {}),
    "palette.png": (image.convert("P"), "PNG", {}),
    "binary.png": (image.convert("1"), "PNG", {}),
    "alpha.png": (rgba, "PNG", {}),
    "grey-alpha.png": (rgba.convert("LA"), "PNG", {}),
    "rgb.gif": (image, "GIF", {}),
    "rgb.tif": (image, "TIFF", {}),
    "lzw.tif": (image, "TIFF", {"compression": "tiff_lzw"}),
    "lossy.webp": (image, "WEBP", {"quality": 80}),
    "lossless.webp": (image, "WEBP", {"lossless": True}),
    "rgb.bmp": (image, "BMP", {}),
    "grey.bmp": (image.convert("L"), "BMP", {}),
    "palette.bmp": (image.convert("P"), "BMP", {}),
    "alpha.bmp": (rgba, "BMP", {}),
}

golden = {"versions": {"Pillow": PIL.__version__, "NumPy": np.__version__}, "images": []}
for name, (picture, kind, options) in cases.items():
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    decoded = np.asarray(Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"))
    golden["images"].append(
        {
            "name": name,
            "height": decoded.shape[0],
            "width": decoded.shape[1],
            "sha256": hashlib.sha256(decoded.tobytes()).hexdigest(),
            "base64": base64.b64encode(buffer.getvalue()).decode(),
        }
    )

path = Path(__file__).with_name("images.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
