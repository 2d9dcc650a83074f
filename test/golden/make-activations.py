"""Activations of a small convolutional network and a small vision transformer, by PyTorch's own forward hooks.

    /usr/bin/python3 test/golden/make-activations.py

Writes test/golden/activations/{cnn,cnn_9,vit}.onnx and activations.json: for each network the values of each layer
under the layer's name, and maps resampled to grids. The input is ((37·i) mod 101)/50 − 1 at position i.
"""

import base64
import json
import pathlib
import warnings

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

OUT = pathlib.Path(__file__).parent / "activations"


def unit(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a, self.b = unit(width, width, 3), unit(width, width, 3)

    def forward(self, x):
        return torch.relu(x + self.b(torch.relu(self.a(x))))


class Mobile(nn.Module):
    """Depthwise convolution, squeeze-excite gate, linear projection."""

    def __init__(self, width):
        super().__init__()
        self.depthwise, self.activation = unit(width, width, 3, 2, width), nn.Hardswish()
        self.squeeze, self.excite = nn.Conv2d(width, 4, 1), nn.Conv2d(4, width, 1)
        self.project = unit(width, 12, 1)

    def forward(self, x):
        x = self.activation(self.depthwise(x))
        gate = self.excite(torch.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1))))
        return self.project(x * torch.sigmoid(gate))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.stem_activation = unit(3, 8, 3, 2), nn.ReLU()
        self.block, self.mobile = Residual(8), Mobile(8)
        self.last, self.last_activation = nn.Conv2d(12, 16, 3, padding=1), nn.GELU()
        self.hidden, self.hidden_activation = nn.Linear(16, 20), nn.ReLU()
        self.head = nn.Linear(20, 10)

    def forward(self, x):
        x = self.mobile(self.block(self.stem_activation(self.stem(x))))
        x = self.last_activation(self.last(x)).mean((2, 3))
        return self.head(self.hidden_activation(self.hidden(x)))


def captured(model, image, outputs, inputs=None):
    """Values of modules, by the names that the layers carry."""
    seen = {}

    def keep_output(name):
        def hook(module, given, result):
            seen[name] = result[0] if isinstance(result, tuple) else result

        return hook

    def keep_input(name):
        def hook(module, given, result):
            seen[name] = given[0]

        return hook

    modules = dict(model.named_modules())
    for name, path in outputs.items():
        modules[path].register_forward_hook(keep_output(name))
    for name, path in (inputs or {}).items():
        modules[path].register_forward_hook(keep_input(name))
    with torch.no_grad():
        model(image)
    return {name: value.numpy() for name, value in seen.items()}


def packed(values):
    values = np.ascontiguousarray(values, np.float32)
    return {"shape": values.shape, "float32": base64.b64encode(values.tobytes()).decode()}


def axis_resampled(maps, axis, size):
    """One axis of [N, C, H, W]: bilinear by torch where it grows, means over index ranges where it shrinks."""
    length = maps.shape[axis]
    if length > size:
        bounds = [i * length // size for i in range(size + 1)]
        parts = [np.take(maps, range(a, b), axis).mean(axis) for a, b in zip(bounds, bounds[1:])]
        return np.stack(parts, axis)
    target = list(maps.shape[2:])
    target[axis - 2] = size
    return F.interpolate(torch.tensor(maps), target, mode="bilinear", align_corners=False).numpy()


def resampled(maps, rows, columns):
    maps = axis_resampled(axis_resampled(maps.astype(np.float64), 2, rows), 3, columns)
    return maps.reshape(*maps.shape[:2], -1).transpose(0, 2, 1)


def export(model, image, name, opset, free):
    axes = {"image": {0: "batch"}, "logits": {0: "batch"}} if free else None
    path = OUT / f"{name}.onnx"
    torch.onnx.export(
        model, image, path, opset_version=opset, input_names=["image"], output_names=["logits"], dynamic_axes=axes
    )


def trained_like(model):
    """Statistics that are not 0 and 1, so that folding a batch norm matters."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.3)
    return model.eval()


def image_of(n, height, width):
    index = np.arange(n * 3 * height * width, dtype=np.int64)
    return torch.tensor(((index * 37 % 101) / 50 - 1).astype(np.float32).reshape(n, 3, height, width))


def cnn():
    model = trained_like(Cnn())
    image = image_of(2, 24, 20)
    export(model, image, "cnn", 13, True)
    export(model, image[:1], "cnn_9", 9, False)
    layers = captured(
        model,
        image,
        {
            "stem.0": "stem_activation",
            "block": "block",
            "mobile.depthwise.0": "mobile.activation",
            "mobile.project.0": "mobile.project",
            "last": "last_activation",
            "hidden": "hidden_activation",
        },
    )
    grids = [("stem.0", 17, 9), ("stem.0", 5, 7), ("block", 12, 10), ("last", 17, 17), ("last", 4, 4)]
    return image, layers, [(name, r, c, resampled(layers[name], r, c)) for name, r, c in grids]


def vit():
    model = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=10)
    nn.init.normal_(model.heads.head.weight)
    nn.init.normal_(model.class_token)
    model = trained_like(model)
    image = image_of(2, 32, 32)
    export(model, image, "vit", 17, True)
    outputs = {"conv_proj": "conv_proj"}
    inputs = {}
    for i in range(2):
        path = f"encoder.layers.encoder_layer_{i}"
        outputs |= {f"{path}.self_attention": f"{path}.self_attention", f"{path}.mlp.0": f"{path}.mlp.1"}
        outputs[f"{path}.Add_1"] = path
        inputs[f"{path}.Add"] = f"{path}.ln_2"
    layers = captured(model, image, outputs, inputs)
    grids = []
    for name, r, c in [("encoder.layers.encoder_layer_1.Add_1", 9, 9), ("encoder.layers.encoder_layer_0.mlp.0", 3, 4)]:
        maps = layers[name][:, 1:].transpose(0, 2, 1).reshape(2, -1, 4, 4)
        grids.append((name, r, c, resampled(maps, r, c)))
    return image, layers, grids


def main():
    warnings.simplefilter("ignore")
    OUT.mkdir(exist_ok=True)
    torch.manual_seed(1)
    result = {"versions": {"torch": torch.__version__, "torchvision": torchvision.__version__}}
    for name, build in (("cnn", cnn), ("vit", vit)):
        image, layers, grids = build()
        result[name] = {
            "image": list(image.shape),
            "layers": {layer: packed(values) for layer, values in layers.items()},
            "grids": [{"layer": l, "rows": r, "columns": c, **packed(v)} for l, r, c, v in grids],
        }
    (OUT / "activations.json").write_text(json.dumps(result) + "\n")


main()
