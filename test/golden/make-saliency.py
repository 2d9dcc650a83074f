"""Saliency of a small classifier by PyTorch's autograd in float64, and the classifier as PyTorch exports it.

The network ends as the MobileNets that TensorFlow trained: convolution, flatten, softmax over 11 classes of which the
first is the background, reshape, slice. `classes` are counted behind the slice.

Run: /usr/bin/python3 test/golden/make-saliency.py
(Debian 12: PyTorch 1.13, NumPy 1.24.2)
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

torch.manual_seed(7)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU6(),
            nn.Conv2d(6, 6, 3, padding=1, groups=6),
            nn.GELU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 10, 1),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.head = nn.Conv2d(10, 11, 1)

    def logits(self, x):
        return torch.flatten(self.head(self.features(x)), 1)

    def forward(self, x):
        return torch.softmax(self.logits(x), 1).reshape(1, 11)[:, 1:]


network = Network().eval()
for parameter in network.parameters():
    parameter.data = torch.randn_like(parameter) * 0.4
network.features[1].running_mean.normal_()
network.features[1].running_var.uniform_(0.5, 2)

random = np.random.default_rng(3)
image = torch.from_numpy(random.normal(size=(1, 3, 12, 16)).astype(np.float32)).double()
baseline = torch.from_numpy(np.stack([np.full((12, 16), v) for v in (-1.5, -1, -0.5)])[None])

file = io.BytesIO()
torch.onnx.export(network, image.float(), file, input_names=["x"], output_names=["y"], opset_version=13)
network = network.double()


def slope(x, index):
    x = x.clone().requires_grad_()
    value = network.logits(x)[0, index + 1]
    (gradient,) = torch.autograd.grad(value, x)
    return value.item(), gradient[0].numpy()


def floats(array):
    array = np.ascontiguousarray(array, np.float32)
    return {"shape": list(array.shape), "base64": base64.b64encode(array.tobytes()).decode()}


samples, noise = 6, 0.2
normals = random.normal(size=(samples, 3, 12, 16))
spread = noise * (image.float().max() - image.float().min()).item()
steps = 8

classes = []
for index in (0, 4, 9):
    value, gradient = slope(image, index)
    smooth = np.mean([slope(image + spread * torch.from_numpy(each), index)[1] for each in normals], 0)
    path = np.mean(
        [slope(baseline + (k + 0.5) / steps * (image - baseline), index)[1] for k in range(steps)], 0
    )
    classes.append(
        {
            "class": index,
            "value": value,
            "gradient": floats(gradient.mean(0)),
            "abs-max": floats(np.abs(gradient).max(0)),
            "gradient-times-input": floats((gradient * image[0].numpy()).sum(0)),
            "smoothgrad": floats(np.abs(smooth).max(0)),
            "integrated": floats((path * (image - baseline)[0].numpy()).sum(0)),
        }
    )

golden = {
    "versions": {"PyTorch": torch.__version__, "NumPy": np.__version__},
    "model": base64.b64encode(file.getvalue()).decode(),
    "image": floats(image.float().double().numpy()),
    "baseline": floats(baseline.numpy()),
    "normals": floats(normals.astype(np.float32)),
    "samples": samples,
    "noise": noise,
    "steps": steps,
    "classes": classes,
}
Path(__file__).with_name("saliency.json").write_text(json.dumps(golden, indent=1) + "\n")
