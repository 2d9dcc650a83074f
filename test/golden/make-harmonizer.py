"""Goldens of training/harmonizer-loss: loss and parameter gradients of a small CNN by PyTorch in float64.

Run: /usr/bin/python3 test/golden/make-harmonizer.py

harmonizer/model.onnx is the network as PyTorch exports it in training mode (inputs `image`, outputs `logits`).
harmonizer/case.npz holds `image`, `labels`, `maps`, `mapped`, the results `loss`, `crossEntropy`, `alignment`, `saliency`,
and the gradient of `loss` with respect to every parameter, `gradient__<parameter>`. The loss is written out here from the
definition in the paper's released code (Fel et al. 2022), with autograd for both orders.
"""

import json
import pathlib

import numpy
import torch
import torch.nn.functional as F
from torch import nn

LAMBDA = 2.0
torch.manual_seed(5)
random = numpy.random.default_rng(5)


class Block(nn.Module):
    def __init__(self, width, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, groups=2, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.short = nn.Conv2d(width, out, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.short(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 5, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.block1 = Block(6, 8, 1)
        self.block2 = Block(8, 12, 2)
        self.head = nn.Linear(12, 5)

    def forward(self, image):
        x = self.pool(F.silu(self.norm(self.stem(image))))
        x = self.block2(self.block1(x))
        return self.head(x.mean((2, 3)))


def pyramid(maps):
    row = torch.tensor([1, 4, 6, 4, 1], dtype=torch.float64) / 16
    kernel = (row[:, None] * row)[None, None]
    levels = [maps[:, None]]
    for _ in range(4):
        x = levels[-1]
        pads = []
        for size in reversed(x.shape[2:]):
            total = max(0, (-(-size // 2) - 1) * 2 + 5 - size)
            pads += [total // 2, total - total // 2]
        levels.append(F.conv2d(F.pad(x, pads), kernel, stride=2))
    return levels


def standardised(maps):
    mean = maps.mean((1, 2), keepdim=True)
    return F.relu((maps - mean) / (maps.std((1, 2), unbiased=False, keepdim=True) + 1e-5))


def losses(network, image, labels, maps, mapped):
    logits = network(image)
    saliency = torch.autograd.grad((labels * logits).sum(), image, create_graph=True)[0].mean(1)
    own, human = standardised(saliency), standardised(maps)
    factor = (own.amax((1, 2), keepdim=True).detach() + 1e-6) / (human.amax((1, 2), keepdim=True) + 1e-6)
    levels = zip(pyramid(own), pyramid(human * factor))
    alignment = sum((((a - b) ** 2).mean((1, 2, 3)) * mapped).mean() for a, b in levels) / 5
    smooth = labels * 0.9 + 0.1 / labels.shape[1]
    entropy = -(smooth * F.log_softmax(logits, 1)).sum(1).mean()
    return entropy + LAMBDA * alignment, entropy, alignment, saliency


def exact(array):
    return torch.tensor(array.astype(numpy.float32)).double()


network = Network()
for parameter in network.parameters():
    # Norms of scale 1 and shift 0 would hide mistakes.
    if parameter.ndim == 1:
        parameter.data += 0.3 * torch.randn_like(parameter)
image = exact(random.normal(size=(4, 3, 21, 24)))
labels = exact(numpy.eye(5)[[3, 1, 4, 1]] * 0.75 + numpy.eye(5)[[0, 1, 2, 2]] * 0.25)
maps = exact(random.random((4, 21, 24)) ** 3)
mapped = exact(numpy.array([1, 1, 0, 1]))

folder = pathlib.Path(__file__).parent / "harmonizer"
folder.mkdir(exist_ok=True)
# Counters of batches are left out of the graph, with a warning for each.
torch.onnx.export(
    network, image.float(), folder / "model.onnx", opset_version=17, input_names=["image"], output_names=["logits"],
    training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
)
network = network.double().train()
found = losses(network, image.requires_grad_(), labels, maps, mapped)
names, parameters = zip(*network.named_parameters())
gradients = torch.autograd.grad(found[0], parameters)
arrays = {"image": image, "labels": labels, "maps": maps, "mapped": mapped}
arrays |= dict(zip(("loss", "crossEntropy", "alignment", "saliency"), found))
arrays |= {f"gradient__{name}": gradient for name, gradient in zip(names, gradients)}
numpy.savez_compressed(folder / "case.npz", **{name: array.detach().numpy() for name, array in arrays.items()})
versions = {"numpy": numpy.__version__, "torch": torch.__version__}
(folder / "case.json").write_text(json.dumps({"versions": versions, "lambda": LAMBDA, "parameters": names}) + "\n")
print([float(each) for each in found[:3]])
