"""Structures of networks as torch.onnx writes them, without their weights, for the table of layer counts.

    /usr/bin/python3 test/golden/make-architectures.py [name ...]

Writes test/golden/architectures/<name>.onnx.gz and versions.json. Weights are random; every tensor of more than 64
elements is replaced by a reference to external data that does not exist, so that only the graph is kept.
"""

import gzip
import io
import json
import pathlib
import sys
import warnings

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision import models

OUT = pathlib.Path(__file__).parent / "architectures"
FEW = 64


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, wire type, payload or value, whole field) of a protobuf message."""
    at = 0
    while at < len(data):
        start = at
        tag, at = read_varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = read_varint(data, at)
        elif wire == 2:
            length, at = read_varint(data, at)
            value = data[at : at + length]
            at += length
        else:
            size = 8 if wire == 1 else 4
            value = data[at : at + size]
            at += size
        yield tag >> 3, wire, value, data[start:at]


def delimited(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + bytes(payload)


def stripped_tensor(tensor):
    size = 1
    kept = b""
    big = False
    for number, wire, value, whole in fields(tensor):
        if number == 1:
            size *= value
        if number == 9 and size > FEW:
            big = True
        elif number != 12:
            kept += bytes(whole)
    if not big:
        return bytes(tensor)
    entry = delimited(1, b"location") + delimited(2, b"weights")
    return kept + delimited(13, entry) + varint(14 << 3) + varint(1)


def stripped_attribute(attribute):
    return b"".join(
        delimited(5, stripped_tensor(value)) if number == 5 else bytes(whole)
        for number, wire, value, whole in fields(attribute)
    )


def stripped_node(node):
    return b"".join(
        b"" if number == 6 else delimited(5, stripped_attribute(value)) if number == 5 else bytes(whole)
        for number, wire, value, whole in fields(node)
    )


def stripped_graph(graph):
    out = []
    for number, wire, value, whole in fields(graph):
        if number == 1:
            out.append(delimited(1, stripped_node(value)))
        elif number == 5:
            out.append(delimited(5, stripped_tensor(value)))
        elif number != 13:  # declared shapes are left out: ours must be inferred
            out.append(bytes(whole))
    return b"".join(out)


def stripped(model):
    return b"".join(
        delimited(7, stripped_graph(value)) if number == 7 else bytes(whole)
        for number, wire, value, whole in fields(memoryview(model))
    )


class MobileNetV1(nn.Sequential):
    """Howard et al. 2017, table 1."""

    def __init__(self):
        def separable(inputs, outputs, stride):
            return nn.Sequential(
                nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
                nn.BatchNorm2d(inputs),
                nn.ReLU6(),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU6(),
            )

        widths = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
        strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
        super().__init__(
            nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()),
            *[separable(a, b, s) for a, b, s in zip(widths, widths[1:], strides)],
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(1024, 1000),
        )


class TimmBlock(nn.Module):
    """A block as timm writes it: packed qkv, softmax spelt out, LayerScale."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ls1, self.ls2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.act = nn.GELU()

    def attention(self, x):
        n, t, c = x.shape
        qkv = self.qkv(x).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        weights = ((q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, t, c))

    def forward(self, x):
        x = x + self.attention(self.norm1(x)) * self.ls1
        return x + self.fc2(self.act(self.fc1(self.norm2(x)))) * self.ls2


class TimmVit(nn.Module):
    """timm's VisionTransformer with a class token and registers, LayerScale, on images that are not square."""

    def __init__(self, width=96, depth=3, heads=3, registers=4):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 16, 16)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.reg_token = nn.Parameter(torch.randn(1, registers, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 14 * 10, width))
        self.blocks = nn.Sequential(*[TimmBlock(width, heads) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1000)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2) + self.pos_embed
        n = x.shape[0]
        x = torch.cat([self.cls_token.expand(n, -1, -1), self.reg_token.expand(n, -1, -1), x], 1)
        return self.head(self.norm(self.blocks(x))[:, 0])


class EvaBlock(nn.Module):
    """As in EVA-02: rotary positions, separate q, k and v, a gated MLP of two branches with a norm in between."""

    def __init__(self, width, heads, tokens):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.proj = nn.Linear(width, width)
        self.gate, self.value = nn.Linear(width, 2 * width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(2 * width, width)
        self.cos = nn.Parameter(torch.randn(tokens, width // heads))
        self.sin = nn.Parameter(torch.randn(tokens, width // heads))

    def rotated(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cos + torch.cat([-b, a], -1) * self.sin

    def attention(self, x):
        n, t, c = x.shape
        q, k, v = (f(x).reshape(n, t, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        weights = (self.rotated(q) @ self.rotated(k).transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, t, c))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        y = self.norm2(x)
        return x + self.out(F.silu(self.gate(y)) * self.value(y))


class PackedGluBlock(TimmBlock):
    """The gated MLP of DINOv2 giant: one product, cut in two."""

    def __init__(self, width, heads):
        super().__init__(width, heads)
        self.w12, self.w3 = nn.Linear(width, 4 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x)) * self.ls1
        a, b = self.w12(self.norm2(x)).chunk(2, -1)
        return x + self.w3(F.silu(a) * b) * self.ls2


class DistilledVit(nn.Module):
    """Class and distillation token, two heads averaged (DeiT)."""

    def __init__(self, blocks, width=64):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 16, 16)
        self.tokens = nn.Parameter(torch.randn(1, 2, width))
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(width)
        self.head, self.head_dist = nn.Linear(width, 1000), nn.Linear(width, 1000)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = self.norm(self.blocks(torch.cat([self.tokens.expand(x.shape[0], -1, -1), x], 1)))
        return (self.head(x[:, 0]) + self.head_dist(x[:, 1])) / 2


class PreActivation(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        y = torch.relu(self.norm1(x))
        x = x if self.shortcut is None else self.shortcut(y)
        return x + self.conv2(torch.relu(self.norm2(self.conv1(y))))


def resnet_v2():
    """He et al. 2016: norm and ReLU before each convolution."""
    blocks = [PreActivation(16, 16), PreActivation(16, 32, 2), PreActivation(32, 32), PreActivation(32, 64, 2)]
    head = [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), *blocks, *head)


def resnet18_group_norm():
    return models.resnet18(norm_layer=lambda width: nn.GroupNorm(8, width))


def resnet18_trunk():
    """Without head: the last sum leaves the model."""
    return nn.Sequential(*list(models.resnet18().children())[:-2])


def vit_tiny():
    return models.VisionTransformer(224, 16, 12, 3, 192, 768)


# torchvision's Swin V2 is missing: torch 1.13 cannot export it (aten::zero).
# name: (builder, (height, width), opset, free batch)
ARCHITECTURES = {
    "alexnet": (models.alexnet, (224, 224), 13, True),
    "convnext_tiny": (models.convnext_tiny, (224, 224), 13, True),
    "convnext_tiny_17": (models.convnext_tiny, (224, 224), 17, False),
    "deit_distilled": (lambda: DistilledVit([TimmBlock(64, 2), TimmBlock(64, 2)]), (64, 64), 13, True),
    "densenet121": (models.densenet121, (224, 224), 13, True),
    "efficientnet_b0": (models.efficientnet_b0, (224, 224), 13, True),
    "efficientnet_v2_s": (models.efficientnet_v2_s, (384, 384), 17, False),
    "eva_like": (lambda: DistilledVit([EvaBlock(64, 2, 18), EvaBlock(64, 2, 18)]), (64, 64), 17, True),
    "glu_packed": (lambda: DistilledVit([PackedGluBlock(64, 2), PackedGluBlock(64, 2)]), (64, 64), 13, True),
    "googlenet": (lambda: models.googlenet(init_weights=False), (224, 224), 13, True),
    "inception_v3": (lambda: models.inception_v3(init_weights=False), (299, 299), 13, True),
    "maxvit_t": (models.maxvit_t, (224, 224), 13, False),
    "mnasnet1_0": (models.mnasnet1_0, (224, 224), 13, True),
    "mobilenet_v1": (MobileNetV1, (224, 224), 13, True),
    "mobilenet_v2": (models.mobilenet_v2, (224, 224), 13, True),
    "mobilenet_v3_large": (models.mobilenet_v3_large, (224, 224), 13, True),
    "mobilenet_v3_small": (models.mobilenet_v3_small, (224, 224), 17, False),
    "regnet_x_400mf": (models.regnet_x_400mf, (224, 224), 13, True),
    "regnet_y_400mf": (models.regnet_y_400mf, (224, 224), 13, True),
    "resnet18": (models.resnet18, (224, 224), 13, True),
    "resnet18_group_norm": (resnet18_group_norm, (224, 224), 13, True),
    "resnet18_trunk": (resnet18_trunk, (224, 224), 13, True),
    "resnet50": (models.resnet50, (224, 224), 13, True),
    "resnet50_9": (models.resnet50, (224, 224), 9, False),
    "resnet_v2": (resnet_v2, (32, 32), 13, True),
    "shufflenet_v2_x1_0": (models.shufflenet_v2_x1_0, (224, 224), 13, True),
    "squeezenet1_1": (models.squeezenet1_1, (224, 224), 13, True),
    "swin_t": (models.swin_t, (224, 224), 13, True),
    "timm_vit_registers": (TimmVit, (224, 160), 13, True),
    "vgg16": (models.vgg16, (224, 224), 13, True),
    "vit_b_16": (models.vit_b_16, (224, 224), 13, True),
    "vit_b_16_17": (models.vit_b_16, (224, 224), 17, False),
    "vit_tiny": (vit_tiny, (224, 224), 13, True),
}


def main(names):
    warnings.simplefilter("ignore")
    OUT.mkdir(exist_ok=True)
    for name in names or ARCHITECTURES:
        build, size, opset, free = ARCHITECTURES[name]
        torch.manual_seed(0)
        file = io.BytesIO()
        try:
            torch.onnx.export(
                build().eval(),
                torch.randn(1, 3, *size),
                file,
                opset_version=opset,
                input_names=["image"],
                output_names=["logits"],
                dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}} if free else None,
            )
        except Exception as error:
            print(name, "FAILED", str(error).splitlines()[0][:200])
            continue
        data = gzip.compress(stripped(file.getvalue()), 9, mtime=0)
        (OUT / f"{name}.onnx.gz").write_bytes(data)
        print(name, len(data))
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    (OUT / "versions.json").write_text(json.dumps(versions) + "\n")


main(sys.argv[1:])
