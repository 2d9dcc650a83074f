"""Narrow networks of every family, for make-families.py: some thousand weights each, images of 24 or 32 pixels."""

import functools

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.efficientnet import FusedMBConvConfig, MBConvConfig
from torchvision.models.mobilenetv3 import InvertedResidualConfig
from torchvision.models.resnet import BasicBlock, Bottleneck

CLASSES = 10


def unit(inputs, outputs, kernel, stride=1, padding=None, groups=1, activation=nn.ReLU, norm=nn.BatchNorm2d):
    padding = kernel // 2 if padding is None else padding
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False), norm(outputs)]
    return nn.Sequential(*layers, *([] if activation is None else [activation()]))


def head(width):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES)]


def vgg(norm=False):
    """Convolutions by threes, max-pooling, a hidden linear layer."""

    def stage(inputs, outputs):
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()] if norm else [convolution, nn.ReLU()]

    features = [*stage(3, 6), nn.MaxPool2d(2), *stage(6, 8), nn.MaxPool2d(2), *stage(8, 12), *stage(12, 12)]
    classifier = [nn.Linear(12 * 9, 16), nn.ReLU(), nn.Dropout(0.0), nn.Linear(16, CLASSES)]
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(3), nn.Flatten(), *classifier)


def resnet(norm=nn.BatchNorm2d):
    """Basic blocks, a bottleneck of two groups (ResNeXt), one with dilation."""
    plain = functools.partial(unit, activation=None, norm=norm)
    stem = [*unit(3, 8, 7, 2, norm=norm), nn.MaxPool2d(3, 2, 1)]
    blocks = [
        BasicBlock(8, 8, norm_layer=norm),
        BasicBlock(8, 12, 2, plain(8, 12, 1, 2), norm_layer=norm),
        Bottleneck(12, 4, 1, plain(12, 16, 1), groups=2, base_width=32, norm_layer=norm),
        Bottleneck(16, 4, dilation=2, norm_layer=norm),
    ]
    return nn.Sequential(*stem, *blocks, *head(16))


class PreActivation(nn.Module):
    """He et al. 2016, figure 4e."""

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
    blocks = [PreActivation(6, 6), PreActivation(6, 10, 2), PreActivation(10, 12, 2)]
    return nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1, bias=False), *blocks, nn.BatchNorm2d(12), nn.ReLU(), *head(12))


def densenet():
    return models.DenseNet(4, (2, 3), 8, bn_size=2, num_classes=CLASSES)


class Inception(nn.Module):
    """Branches of several kernels, 1 x 7 after 7 x 1, and an average over the neighbours within the image."""

    def __init__(self, inputs, width):
        super().__init__()
        self.a = unit(inputs, width, 1)
        self.b = nn.Sequential(unit(inputs, width, 1), unit(width, width, 5))
        self.c = nn.Sequential(unit(inputs, width, (1, 7), padding=(0, 3)), unit(width, width, (7, 1), padding=(3, 0)))
        self.d = nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), unit(inputs, width, 1))
        self.e = nn.Sequential(nn.AvgPool2d(3, 1, 1), unit(inputs, width, 1))

    def forward(self, x):
        return torch.cat([branch(x) for branch in (self.a, self.b, self.c, self.d, self.e)], 1)


class Reduction(nn.Module):
    """Halves the map: a convolution beside max-pooling, without padding."""

    def __init__(self, inputs, width):
        super().__init__()
        self.a = unit(inputs, width, 3, 2, 0)

    def forward(self, x):
        return torch.cat([self.a(x), F.max_pool2d(x, 3, 2)], 1)


def inception():
    stem = [unit(3, 6, 3, 2, 0), nn.MaxPool2d(3, 2, ceil_mode=True)]
    return nn.Sequential(*stem, Inception(6, 4), Reduction(20, 4), Inception(24, 3), *head(15))


class HardSigmoid(nn.Module):
    """torch's own has no second derivative."""

    def forward(self, x):
        return F.hardsigmoid(x) if torch.onnx.is_in_onnx_export() else F.relu6(x + 3) / 6


def mobilenet_v3():
    rows = [(8, 3, 16, 8, True, "RE", 2, 1), (8, 3, 24, 16, False, "HS", 2, 1), (16, 5, 32, 16, True, "HS", 1, 2)]
    network = models.MobileNetV3([InvertedResidualConfig(*row, 1) for row in rows], 24, CLASSES, dropout=0.0)
    for gate in (module for module in network.modules() if hasattr(module, "scale_activation")):
        gate.scale_activation = HardSigmoid()
    return network


def efficientnet():
    rows = [FusedMBConvConfig(2, 3, 1, 8, 8, 1), MBConvConfig(2, 5, 2, 8, 16, 2)]
    return models.EfficientNet(rows, 0.0, 0.0, CLASSES)


def convnext():
    return models.ConvNeXt([CNBlockConfig(8, 12, 1), CNBlockConfig(12, None, 2)], 0.0, num_classes=CLASSES)


def vit():
    return models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=CLASSES)


class Block(nn.Module):
    """A transformer's block as timm writes it: packed qkv, softmax spelt out, LayerScale."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ls1, self.ls2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def attention(self, x):
        n, t, c = x.shape
        qkv = self.qkv(x).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        weights = ((q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, t, c))

    def forward(self, x):
        x = x + self.attention(self.norm1(x)) * self.ls1
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x)))) * self.ls2


class EinsumBlock(Block):
    """Attention by Einsum, the two branches of a gated MLP from one product."""

    def attention(self, x):
        n, t, c = x.shape
        q, k, v = (part.reshape(n, t, self.heads, -1) for part in self.qkv(x).chunk(3, -1))
        weights = torch.einsum("bqhd,bkhd->bhqk", q, k).mul((c // self.heads) ** -0.5).softmax(-1)
        return self.proj(torch.einsum("bhqk,bkhd->bqhd", weights, v).reshape(n, t, c))

    def forward(self, x):
        x = x + self.attention(self.norm1(x)) * self.ls1
        gate, value = torch.cat([self.fc1(self.norm2(x))] * 2, -1).chunk(2, -1)
        return x + self.fc2(F.silu(gate) * value) * self.ls2


class Deit(nn.Module):
    """Class and distillation token, two heads averaged."""

    def __init__(self, block=Block, width=16):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 8, 8)
        self.cls_token, self.dist_token = (nn.Parameter(torch.randn(1, 1, width)) for _ in range(2))
        self.pos_embed = nn.Parameter(torch.randn(1, 18, width))
        self.blocks = nn.Sequential(block(width, 2), block(width, 4))
        self.norm = nn.LayerNorm(width)
        self.head, self.head_dist = nn.Linear(width, CLASSES), nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        tokens = [token.expand(x.shape[0], -1, -1) for token in (self.cls_token, self.dist_token)]
        x = self.norm(self.blocks(torch.cat([*tokens, x], 1) + self.pos_embed))
        return (self.head(x[:, 0]) + self.head_dist(x[:, 1])) / 2


def swin():
    """Windows of 4 x 4, shifted by 2, relative position bias, patches merged by strided slices."""
    sizes = {"patch_size": [2, 2], "window_size": [4, 4], "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 2]}
    return models.SwinTransformer(**sizes, mlp_ratio=2.0, stochastic_depth_prob=0.0, num_classes=CLASSES)


def maxvit():
    sizes = {"stem_channels": 8, "partition_size": 4, "block_channels": [8, 8], "block_layers": [1, 1], "head_dim": 4}
    return models.MaxVit((32, 32), **sizes, stochastic_depth_prob=0.0, mlp_ratio=2, num_classes=CLASSES)


class LinearNorm(nn.Module):
    """LeViT's linear layer followed by batch normalisation over images and tokens."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.c, self.bn = nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs)

    def forward(self, x):
        x = self.c(x)
        return self.bn(x.flatten(0, 1)).reshape_as(x)


class LevitAttention(nn.Module):
    """Graham et al. 2021, figures 4 and 5: biases by distance; where stride is 2, queries of every other token."""

    def __init__(self, width, outputs, heads, side, stride=1, key=4):
        super().__init__()
        self.heads, self.key, self.side, self.stride = heads, key, side, stride
        self.kv = LinearNorm(width, heads * 3 * key)
        self.q = LinearNorm(width, heads * key)
        self.proj = nn.Sequential(nn.Hardswish(), LinearNorm(2 * heads * key, outputs))
        queries = [(i, j) for i in range(0, side, stride) for j in range(0, side, stride)]
        keys = [(i, j) for i in range(side) for j in range(side)]
        offsets = sorted({(abs(a - c), abs(b - d)) for a, b in queries for c, d in keys})
        index = [[offsets.index((abs(a - c), abs(b - d))) for c, d in keys] for a, b in queries]
        self.attention_biases = nn.Parameter(torch.zeros(heads, len(offsets)))
        self.register_buffer("index", torch.tensor(index))

    def forward(self, x):
        n, t, c = x.shape
        k, v = self.kv(x).view(n, t, self.heads, -1).split([self.key, 2 * self.key], dim=3)
        some = x.view(n, self.side, self.side, c)[:, :: self.stride, :: self.stride].reshape(n, -1, c)
        q = self.q(some).view(n, -1, self.heads, self.key).permute(0, 2, 1, 3)
        weights = q @ k.permute(0, 2, 3, 1) * self.key**-0.5 + self.attention_biases[:, self.index]
        x = weights.softmax(-1) @ v.transpose(1, 2)
        return self.proj(x.transpose(1, 2).reshape(n, -1, 2 * self.heads * self.key))


class Levit(nn.Module):
    def __init__(self, width=8, outputs=12):
        super().__init__()
        wave = nn.Hardswish
        self.stem = nn.Sequential(unit(3, 4, 3, 2, activation=wave), unit(4, 6, 3, 2, activation=wave), unit(6, width, 3, 1))
        self.attention = LevitAttention(width, width, 2, 8)
        self.mlp = nn.Sequential(LinearNorm(width, 2 * width), wave(), LinearNorm(2 * width, width))
        self.shrink = LevitAttention(width, outputs, 2, 8, 2)
        self.head = nn.Sequential(nn.BatchNorm1d(outputs), nn.Linear(outputs, CLASSES))

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2)
        x = x + self.attention(x)
        x = self.shrink(x + self.mlp(x))
        return self.head(x.mean(1))


class MixerBlock(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(tokens, 12), nn.GELU(), nn.Linear(12, tokens))
        self.channels = nn.Sequential(nn.Linear(width, 24), nn.GELU(), nn.Linear(24, width))

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, 8)
        self.blocks = nn.Sequential(MixerBlock(16, width), MixerBlock(16, width))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.blocks(self.patches(x).flatten(2).transpose(1, 2))
        return self.head(self.norm(x).mean(1))


class Pyramid(nn.Module):
    """Down and up again, by transposed convolution and by two kinds of resizing; the rarer activations and norms."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 6, 3, 2), nn.InstanceNorm2d(6, affine=True), nn.Mish())
        self.down = nn.Sequential(nn.Conv2d(6, 8, 3, 2, 1), nn.GroupNorm(2, 8), nn.ELU())
        self.deep = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, groups=2), nn.LeakyReLU(0.1))
        self.up = nn.Sequential(nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1, groups=2), nn.Softplus())
        self.last, self.head = nn.Conv2d(6, 6, 3, padding=1, padding_mode="replicate"), nn.Linear(6, CLASSES)
        self.lateral = nn.Conv2d(8, 6, 1)

    def forward(self, x):
        x = self.stem(x)
        y = self.down(x)
        z = self.deep(y)
        y = y + self.up(z) + F.interpolate(z, scale_factor=2, mode="nearest")
        x = x + F.interpolate(self.lateral(y), scale_factor=2, mode="bilinear", align_corners=False)
        x = torch.tanh(self.last(F.pad(x, (1, -1, 0, 2))))
        x = x / (x.pow(2).sum(1, keepdim=True) + 0.1).sqrt()
        spread = (x - x.mean((2, 3), keepdim=True)).pow(2).mean((2, 3)).sqrt()
        return self.head(x.amax((2, 3)) + spread)


# name: (builder, side, images, exports as (opset, mode)); "folded" is an evaluation export as it comes, "preserved" one
# that keeps its norms, "training" one whose norms take the statistics of the batch.
NETWORKS = {
    "vgg": (vgg, 24, 1, [(13, "folded")]),
    "vgg_norm": (lambda: vgg(True), 24, 2, [(15, "training")]),
    "resnet": (resnet, 24, 1, [(13, "folded"), (17, "preserved"), (14, "training")]),
    "resnet_group_norm": (lambda: resnet(lambda c: nn.GroupNorm(2, c)), 24, 1, [(13, "folded"), (18, "folded"), (21, "folded")]),
    "resnet_v2": (resnet_v2, 24, 1, [(14, "folded"), (16, "training")]),
    "densenet": (densenet, 24, 1, [(15, "folded"), (17, "training")]),
    "inception": (inception, 32, 1, [(16, "folded"), (13, "preserved")]),
    "mobilenet_v3": (mobilenet_v3, 24, 1, [(13, "folded"), (14, "preserved"), (15, "training")]),
    "efficientnet": (efficientnet, 24, 1, [(17, "folded"), (18, "preserved"), (17, "training")]),
    "convnext": (convnext, 32, 1, [(13, "folded"), (17, "preserved"), (20, "folded")]),
    "vit": (vit, 32, 1, [(14, "folded"), (17, "folded"), (18, "folded"), (21, "preserved")]),
    "deit": (Deit, 32, 1, [(16, "folded"), (20, "folded")]),
    "deit_einsum": (lambda: Deit(EinsumBlock), 32, 1, [(13, "folded"), (19, "folded")]),
    "swin": (swin, 32, 1, [(13, "folded"), (17, "preserved")]),
    "maxvit": (maxvit, 32, 1, [(15, "folded"), (17, "preserved")]),
    "levit": (Levit, 32, 1, [(14, "folded"), (17, "preserved"), (16, "training")]),
    "mixer": (Mixer, 32, 1, [(13, "folded"), (18, "folded"), (21, "folded")]),
    "pyramid": (Pyramid, 24, 1, [(13, "folded"), (17, "folded"), (19, "folded")]),
}
# Exports whose batch is a symbol: what a user is most likely to have.
FREE_BATCH = {"resnet-13", "mobilenet_v3-13", "convnext-13", "vit-17", "deit-16", "swin-13", "mixer-13", "vgg-13"}
