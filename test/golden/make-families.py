"""The networks of family_networks.py, exported by torch.onnx, with their derivatives in float64.

    /usr/bin/python3 test/golden/make-families.py [network ...]

Writes into test/golden/families/
  <network>-<opset>[-training|-preserved].onnx.gz  exports of one network with the same weights,
  <network>[-training].npz                         what PyTorch's autograd says about it in float64, stored as float32:
      image      the input x, (n, 3, h, w), sixteenths
      vector     v, of the same shape, for the Hessian-vector product, sixteenths
      label      (n, 10): any weights of the logits, for `gradient`; their softmax are the soft labels of `product`
      logits     (n, 10)
      logit      every 8th element of the gradient of the first image's logit 3
      gradient   of sum(label * logits) with respect to x
      product    H v, where H is the Hessian with respect to x of the cross-entropy sum(-softmax(label) * log_softmax(logits)),
                 which bends even where the network is piecewise linear
      mixed/<p>  derivative of <gradient of that cross-entropy, v> with respect to the parameter p, for exports that keep
                 parameters under their names
  families.json                                    the table of exports, and for each network how well it is conditioned

Kinks: a ReLU input that rounds to the other side of 0 changes the derivative by a jump, and then float32 and float64 are
right about two functions. So each network tries inputs (seeds 0, 1, ...) until, in float64, no input of a function with
a kink (ReLU, ReLU6, HardSwish, HardSigmoid, LeakyReLU, a maximum's two largest) lies within MARGIN of it, in units of that
tensor's root mean square. `margin` in families.json is what was reached (null: no kinks); `float32` is the error of PyTorch's own float32
against its float64.

Opsets to 17 are torch's own; newer ones come from the same exporter with the symbolic functions below (axes as inputs,
Split by number of outputs, Gelu, Mish, GroupNormalization), and the version in the file raised: what torch writes at 17
for everything else is valid there too. Weights are rounded to 8 bits, for the size of the files.
"""

import contextlib
import gzip
import io
import json
import math
import pathlib
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from family_networks import CLASSES, FREE_BATCH, NETWORKS
from torch import nn
from torch.onnx import TrainingMode, symbolic_helper
from torch.utils._python_dispatch import TorchDispatchMode

OUT = pathlib.Path(__file__).parent / "families"
MARGIN = 1e-5
LOGIT = 3


# Weights


def rounded(tensor):
    """To eight significant bits."""
    mantissa, exponent = torch.frexp(tensor)
    return torch.ldexp((mantissa * 256).round() / 256, exponent)


def scaled(network, side, seed):
    """Fills a network with weights under which signals keep their size, and running statistics near the true ones."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda like, mean, deviation: mean + deviation * torch.randn(like.shape, generator=generator)
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)
    with torch.no_grad():
        for module in network.modules():
            for name, p in module.named_parameters(recurse=False):
                if isinstance(module, norms) or name.startswith(("ls", "layer_scale")):
                    value = normal(p, 0.0, 0.2) if name == "bias" else normal(p, 1.0, 0.15)
                elif p.dim() > 1 and "bias" not in name and "token" not in name and "pos" not in name:
                    value = normal(p, 0.0, math.sqrt(1.5 / p[0].numel()))
                else:
                    value = normal(p, 0.0, 0.3)
                p.copy_(rounded(value))
        batches = [m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
        for m in batches:
            m.momentum = 1.0
        network.train()(torch.randn(8, 3, side, side, generator=generator))
        for m in batches:
            m.momentum = 0.1
            m.running_mean.copy_(rounded(m.running_mean))
            m.running_var.copy_(rounded(m.running_var * 1.1))
            m.num_batches_tracked.zero_()
    return network


# Inputs away from kinks


class Kinks(TorchDispatchMode):
    """The smallest distance of any value to a kink, in units of its tensor's root mean square."""

    def __init__(self):
        super().__init__()
        self.margin = math.inf

    def near(self, x, *kinks):
        scale = x.pow(2).mean().sqrt()
        self.margin = min(self.margin, *(float((x - kink).abs().min() / scale) for kink in kinks))

    def apart(self, values, scale):
        """The two largest of each row; equal ones are equal in float32 too (zeros behind a ReLU)."""
        top = values.topk(2, -1).values
        gap = (top[..., 0] - top[..., 1])[top[..., 0] != top[..., 1]]
        self.margin = min(self.margin, float(gap.min() / scale))

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__.rstrip("_")
        with torch.no_grad():
            x = args[0].detach().clone() if args and isinstance(args[0], torch.Tensor) else None
            if name in ("relu", "leaky_relu"):
                self.near(x, 0.0)
            elif name in ("hardswish", "hardsigmoid"):
                self.near(x, -3.0, 3.0)
            elif name == "hardtanh":
                self.near(x, args[1], args[2])
            elif name == "max_pool2d_with_indices":
                kernel, stride, padding = args[1], args[2], args[3] if len(args) > 3 else [0, 0]
                y = F.pad(x, (padding[1], padding[1] + 1, padding[0], padding[0] + 1), value=-1e9)
                windows = y.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1])
                self.apart(windows.flatten(-2), x.pow(2).mean().sqrt())
            elif name == "amax":
                self.apart(x.flatten(2), x.pow(2).mean().sqrt())
            elif name in ("clamp", "clamp_min", "clamp_max", "maximum", "minimum", "abs", "max", "sign", "hardshrink"):
                raise ValueError(f"{name} has kinks that are not watched")
        return function(*args, **(kwargs or {}))


def draw(network, shape):
    """An input away from all kinks, and the margin."""
    best = 0.0
    for seed in range(500):
        generator = torch.Generator().manual_seed(seed)
        image = (torch.randn(shape, generator=generator) * 16).round() / 16
        with Kinks() as kinks, torch.no_grad():
            network(image.to(next(network.parameters()).dtype))
        best = max(best, kinks.margin)
        if kinks.margin > MARGIN:
            return image, seed, kinks.margin
    raise ValueError(f"no input away from kinks; the best margin is {best}")


# What autograd says


def derivatives(network, image, vector, label, parameters):
    x = image.clone().requires_grad_()
    logits = network(x)
    (logit,) = torch.autograd.grad(logits[0, LOGIT], x, retain_graph=True)
    (gradient,) = torch.autograd.grad((label * logits).sum(), x, retain_graph=True)
    entropy = -(label.softmax(1) * logits.log_softmax(1)).sum()
    (slope,) = torch.autograd.grad(entropy, x, create_graph=True)
    names = [name for name, p in network.named_parameters() if name in parameters]
    wanted = [dict(network.named_parameters())[name] for name in names]
    product, *mixed = torch.autograd.grad((slope * vector).sum(), [x, *wanted])
    arrays = {"logits": logits, "logit": logit.flatten()[::8], "gradient": gradient, "product": product}
    arrays.update({f"mixed/{name}": each for name, each in zip(names, mixed)})
    return {name: array.detach().double().numpy() for name, array in arrays.items()}


def few(network):
    """The first and last matrix of weights and some norms in between, each with its bias."""
    shapes = {name: p for name, p in network.named_parameters() if p.numel() <= 1500}
    norms = [name for name, p in shapes.items() if p.dim() == 1 and "bias" not in name]
    matrices = [name for name, p in shapes.items() if p.dim() == 4]
    biases = [name for name, p in shapes.items() if p.dim() == 1 and "bias" in name]
    return {*matrices[:1], *matrices[-1:], *norms[:1], *norms[-1:], *biases[:1], *biases[-1:]}


# Exports


def constant(g, values):
    return g.op("Constant", value_t=torch.tensor(values, dtype=torch.int64))


@symbolic_helper.parse_args("v", "is", "i", "none")
def mean_dim(g, x, dims, keep, dtype):
    return g.op("ReduceMean", x, constant(g, dims), keepdims_i=keep).setType(x.type().with_sizes(None))


@symbolic_helper.parse_args("v", "is", "i", "none")
def sum_dim(g, x, dims, keep, dtype):
    return g.op("ReduceSum", x, constant(g, dims), keepdims_i=keep)


@symbolic_helper.parse_args("v", "is", "i")
def amax(g, x, dims, keep):
    return g.op("ReduceMax", x, constant(g, dims), keepdims_i=keep)


@symbolic_helper.parse_args("v", "i", "i", "i")
def unsafe_chunk(g, x, chunks, dim, size=None):
    return g.op("Split", x, axis_i=dim, num_outputs_i=chunks, outputs=size)


@symbolic_helper.parse_args("v", "s")
def gelu(g, x, approximate):
    return g.op("Gelu", x, approximate_s=approximate).setType(x.type())


@symbolic_helper.parse_args("v")
def mish(g, x):
    return g.op("Mish", x).setType(x.type())


@symbolic_helper.parse_args("v", "i", "v", "v", "f", "i")
def group_norm(g, x, groups, scale, bias, eps, cudnn):
    return g.op("GroupNormalization", x, scale, bias, num_groups_i=groups, epsilon_f=eps).setType(x.type())


@symbolic_helper.parse_args("v", "i", "v", "v", "f", "i")
def group_norm_by_group(g, x, groups, scale, bias, eps, cudnn):
    """Opset 18's scale and bias are one for each group: the norm alone, the affine part beside it."""
    one, zero = (g.op("Constant", value_t=torch.full((groups,), value)) for value in (1.0, 0.0))
    y = g.op("GroupNormalization", x, one, zero, num_groups_i=groups, epsilon_f=eps).setType(x.type())
    scale, bias = (g.op("Unsqueeze", each, constant(g, [1, 2])) for each in (scale, bias))
    return g.op("Add", g.op("Mul", y, scale), bias).setType(x.type())


SYMBOLICS = {
    18: {"aten::mean": mean_dim, "aten::sum": sum_dim, "aten::amax": amax, "aten::mish": mish,
         "aten::unsafe_chunk": unsafe_chunk, "aten::group_norm": group_norm_by_group},
    20: {"aten::gelu": gelu},
    21: {"aten::group_norm": group_norm},
}  # fmt: skip


@contextlib.contextmanager
def symbolics(opset):
    named = {name: f for since, table in SYMBOLICS.items() if since <= opset for name, f in table.items()}
    for name, function in named.items():
        torch.onnx.register_custom_op_symbolic(name, function, 17)
    try:
        yield
    finally:
        for name in named:
            torch.onnx.unregister_custom_op_symbolic(name, 17)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def raised(model, opset):
    """ModelProto.opset_import (field 8) is the message of one version (field 2), written last: 17 becomes `opset`."""
    assert model.endswith(b"\x42\x02\x10\x11")
    return model[:-1] + varint(opset)


def export(network, image, opset, mode, free):
    file = io.BytesIO()
    training = {"folded": TrainingMode.EVAL, "preserved": TrainingMode.PRESERVE, "training": TrainingMode.TRAINING}[mode]
    with symbolics(opset):
        try:
            torch.onnx.export(
                network.train(mode == "training"),
                image,
                file,
                opset_version=min(opset, 17),
                training=training,
                do_constant_folding=mode == "folded",
                input_names=["image"],
                output_names=["logits"],
                dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}} if free else None,
            )
        except torch.onnx.errors.CheckerError:
            # The file is written, then checked: against opset 17, which does not have the newer operations.
            if opset <= 17:
                raise
    return raised(file.getvalue(), opset) if opset > 17 else file.getvalue()


def error(got, expected):
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def make(name):
    """Writes a network's exports and derivatives, and returns its rows of the table."""
    build, side, images, exports = NETWORKS[name]
    torch.manual_seed(0)
    network = scaled(build(), side, 1)
    rows = []
    for training in sorted({mode == "training" for _, mode in exports}):
        network.train(training)
        state = {key: value.clone() for key, value in network.state_dict().items()}
        shape = (2 if training else images, 3, side, side)
        image, seed, margin = draw(network.double(), shape)
        network.load_state_dict(state)
        generator = torch.Generator().manual_seed(1000)
        vector = (torch.randn(shape, generator=generator) * 16).round() / 16
        label = torch.randn(shape[0], CLASSES, generator=generator)
        modes = {mode for _, mode in exports if (mode == "training") == training}
        parameters = few(network) if modes & {"preserved", "training"} else set()
        exact = derivatives(network, image.double(), vector.double(), label.double(), parameters)
        # A bias before a norm that takes the batch's mean has none.
        none = {key for key in exact if np.linalg.norm(exact[key]) < 1e-9 * np.linalg.norm(exact["product"])}
        exact = {key: value for key, value in exact.items() if key not in none}
        network.load_state_dict(state)
        single = derivatives(network.float(), image, vector, label, parameters)
        network.load_state_dict(state)
        errors = {key: float(f"{error(single[key], exact[key]):.1e}") for key in ("gradient", "product")}
        file = name + ("-training" if training else "")
        arrays = {key.replace("/", "__"): value.astype(np.float32) for key, value in exact.items()}
        arrays |= {"image": image.numpy(), "vector": vector.numpy(), "label": label.numpy()}
        np.savez_compressed(OUT / f"{file}.npz", **arrays)
        rows.append({"golden": f"{file}.npz", "seed": seed, "margin": None if margin == math.inf else float(f"{margin:.1e}"), "float32": errors, "exports": []})
        for opset, mode in exports:
            if (mode == "training") != training:
                continue
            label_of = f"{name}-{opset}" + ("" if mode == "folded" else f"-{mode}")
            data = export(network, image, opset, mode, label_of in FREE_BATCH)
            network.load_state_dict(state)
            (OUT / f"{label_of}.onnx.gz").write_bytes(gzip.compress(data, 9, mtime=0))
            rows[-1]["exports"].append({"model": f"{label_of}.onnx.gz", "opset": opset, "mode": mode})
        print(json.dumps(rows[-1]))
    return rows


def main(names):
    warnings.simplefilter("ignore")
    OUT.mkdir(exist_ok=True)
    path = OUT / "families.json"
    old = json.loads(path.read_text())["networks"] if path.exists() else {}
    networks = {name: make(name) if not names or name in names else old[name] for name in NETWORKS}
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__}
    path.write_text(json.dumps({"versions": versions, "classes": CLASSES, "logit": LOGIT, "networks": networks}, indent=1) + "\n")


main(sys.argv[1:])
