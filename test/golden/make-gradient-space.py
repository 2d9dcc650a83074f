"""Goldens of gradient/: convolutions, pools, padding and resampling, first and second order, by PyTorch in float64.

Run: /usr/bin/python3 test/golden/make-gradient-space.py

Each case is one ONNX node with its inputs, and the PyTorch function that it stands for. For the loss L = sum(c * y * y)
of its output y with weights c, gradient-space.npz holds under `<case>__<what>`: the inputs `in<i>`, y `out`, `c`, the
directions `v<i>`, the gradients dL/din<i> `first<i>`, and d(sum_i <v<i>, dL/din<i>>)/din<j> `second<j>`.
gradient-space.json lists nodes and inputs. Inputs are exact in float32.
"""

import json
import pathlib

import numpy
import torch
import torch.nn.functional as F

random = numpy.random.default_rng(7)
arrays = {}
cases = []


def tensor(*shape, positive=False):
    values = random.normal(size=shape)
    values = numpy.abs(values) + 0.5 if positive else values
    return torch.tensor(values.astype(numpy.float32)).double()


def distinct(*shape):
    """No two equal or nearly so, for maxima."""
    size = int(numpy.prod(shape))
    return torch.tensor((random.permutation(size) / size * 4 - 2).reshape(shape).astype(numpy.float32)).double()


def case(name, op, f, inputs, attributes=None, fixed=()):
    """`inputs`: differentiated tensors in the node's order; `fixed`: [position, values or None, kind] of the others."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    y = f(*leaves)
    c = tensor(*y.shape)
    first = torch.autograd.grad((c * y * y).sum(), leaves, create_graph=True)
    v = [tensor(*x.shape) for x in inputs]
    second = torch.autograd.grad(sum((a * b).sum() for a, b in zip(v, first)), leaves)
    for i, x in enumerate(inputs):
        arrays[f"{name}__in{i}"] = x.numpy()
        arrays[f"{name}__v{i}"] = v[i].numpy()
        arrays[f"{name}__first{i}"] = first[i].detach().numpy()
        arrays[f"{name}__second{i}"] = second[i].numpy()
    arrays[f"{name}__out"] = y.detach().numpy()
    arrays[f"{name}__c"] = c.numpy()
    cases.append({
        "name": name, "op": op, "attributes": attributes or {}, "count": len(inputs),
        "fixed": [{"at": at, "values": values, "type": kind} for at, values, kind in fixed],
    })


def pads_of(before, after):
    return [*before, *after]


def same(x, kernel, strides, dilations, upper):
    """TensorFlow's and ONNX's SAME padding."""
    widths = []
    for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations):
        total = max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
        widths.insert(0, (total // 2, total - total // 2) if upper else (total - total // 2, total // 2))
    return F.pad(x, [side for pair in widths for side in pair])


# Convolutions: name, channels, size, weights, strides, dilations, pads before, after, groups, bias
for name, n, c, size, m, kernel, s, d, before, after, group, bias in [
    ("conv plain", 2, 3, (6, 7), 4, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 1, True),
    ("conv no padding", 2, 3, (6, 5), 4, (3, 2), (1, 1), (1, 1), (0, 0), (0, 0), 1, False),
    ("conv stride", 2, 3, (7, 8), 4, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), 1, True),
    ("conv stride, rows left over", 2, 3, (8, 9), 2, (3, 3), (3, 2), (1, 1), (0, 1), (0, 0), 1, False),
    ("conv dilated", 1, 2, (8, 7), 3, (3, 2), (1, 1), (2, 3), (2, 0), (1, 3), 1, True),
    ("conv stride and dilation", 2, 2, (11, 10), 3, (3, 3), (2, 3), (2, 1), (2, 0), (3, 2), 1, False),
    ("conv groups", 2, 6, (5, 6), 4, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 2, True),
    ("conv groups, stride", 2, 4, (7, 6), 6, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), 2, False),
    ("conv depthwise", 2, 4, (6, 6), 4, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 4, True),
    ("conv depthwise, stride 2, 5x5", 2, 3, (8, 7), 3, (5, 5), (2, 2), (1, 1), (2, 2), (2, 2), 3, False),
    ("conv depthwise, multiplied", 1, 3, (5, 5), 6, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 3, True),
    ("conv asymmetric padding", 2, 2, (5, 6), 3, (3, 4), (1, 2), (1, 1), (0, 2), (2, 1), 1, True),
    ("conv padding beyond the kernel", 1, 2, (4, 4), 2, (2, 2), (1, 1), (1, 1), (2, 1), (1, 3), 1, False),
    ("conv 1x1", 2, 5, (4, 3), 3, (1, 1), (1, 1), (1, 1), (0, 0), (0, 0), 1, True),
    ("conv 1x1, stride", 2, 3, (7, 6), 4, (1, 1), (2, 2), (1, 1), (0, 0), (0, 0), 1, False),
    ("conv 1x1, groups", 2, 4, (3, 3), 6, (1, 1), (1, 1), (1, 1), (0, 0), (0, 0), 2, False),
    ("conv patches", 2, 3, (8, 8), 5, (4, 4), (4, 4), (1, 1), (0, 0), (0, 0), 1, True),
    ("conv stem", 2, 3, (13, 14), 4, (7, 7), (2, 2), (1, 1), (3, 3), (3, 3), 1, False),
    ("conv tiny maps", 6, 8, (2, 2), 8, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 1, False),
    ("conv 1-D", 2, 3, (9,), 4, (3,), (1,), (1,), (1,), (1,), 1, True),
    ("conv 1-D, stride, dilation, groups", 2, 4, (11,), 4, (3,), (2,), (2,), (2,), (1,), 2, True),
    ("conv 3-D", 1, 2, (4, 3, 5), 2, (2, 3, 2), (1, 1, 2), (1, 1, 1), (0, 1, 1), (1, 1, 0), 1, False),
]:
    flat = [side for pair in zip(reversed(before), reversed(after)) for side in pair]
    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(size)]
    inputs = [tensor(n, c, *size), tensor(m, c // group, *kernel)] + ([tensor(m)] if bias else [])
    case(
        name, "Conv",
        lambda x, w, b=None, flat=flat, s=s, d=d, group=group, convolve=convolve: convolve(
            F.pad(x, flat), w, b, stride=s, dilation=d, groups=group),
        inputs,
        {"kernel_shape": kernel, "strides": s, "dilations": d, "pads": pads_of(before, after), "group": group},
    )

for auto, kernel, s, d, size in [
    ("SAME_UPPER", (3, 3), (2, 2), (1, 1), (6, 7)), ("SAME_LOWER", (2, 4), (1, 3), (1, 1), (5, 7)),
    ("SAME_UPPER", (3, 2), (1, 1), (1, 1), (5, 6)), ("VALID", (3, 3), (2, 1), (1, 1), (7, 6)),
]:
    case(
        f"conv {auto} {kernel[0]}x{kernel[1]}, strides {s[0]} {s[1]}", "Conv",
        lambda x, w, auto=auto, kernel=kernel, s=s, d=d: F.conv2d(
            x if auto == "VALID" else same(x, kernel, s, d, auto == "SAME_UPPER"), w, stride=s, dilation=d),
        [tensor(2, 2, *size), tensor(3, 2, *kernel)],
        {"auto_pad": auto, "strides": s, "dilations": d},
    )

# Transposed convolutions: symmetric padding only, as PyTorch has it
for name, n, m, size, c, kernel, s, d, pad, added, group, bias in [
    ("transposed plain", 2, 3, (4, 5), 4, (3, 3), (1, 1), (1, 1), (1, 1), (0, 0), 1, True),
    ("transposed stride", 2, 3, (3, 4), 2, (4, 4), (2, 2), (1, 1), (1, 1), (0, 0), 1, False),
    ("transposed output padding", 2, 3, (3, 4), 2, (3, 3), (2, 3), (1, 1), (1, 0), (1, 2), 1, True),
    ("transposed dilated", 1, 2, (4, 3), 3, (3, 2), (1, 2), (2, 3), (2, 1), (0, 1), 1, False),
    ("transposed groups", 2, 4, (3, 3), 6, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), 2, True),
    ("transposed depthwise", 1, 3, (4, 4), 3, (2, 2), (2, 2), (1, 1), (0, 0), (0, 0), 3, False),
    ("transposed 1-D", 2, 3, (5,), 2, (3,), (2,), (1,), (1,), (1,), 1, True),
]:
    convolve = F.conv_transpose1d if len(size) == 1 else F.conv_transpose2d
    inputs = [tensor(n, m, *size), tensor(m, c // group, *kernel)] + ([tensor(c)] if bias else [])
    case(
        name, "ConvTranspose",
        lambda x, w, b=None, s=s, d=d, pad=pad, added=added, group=group, convolve=convolve: convolve(
            x, w, b, stride=s, padding=pad, output_padding=added, groups=group, dilation=d),
        inputs,
        {"strides": s, "dilations": d, "pads": pads_of(pad, pad), "output_padding": added, "group": group},
    )

# Pools
for name, size, kernel, s, d, pad, ceil in [
    ("plain", (6, 8), (2, 2), (2, 2), (1, 1), (0, 0), 0),
    ("overlapping", (7, 8), (3, 3), (2, 2), (1, 1), (1, 1), 0),
    ("stride 1", (5, 6), (3, 2), (1, 1), (1, 1), (1, 1), 0),
    ("dilated", (8, 9), (3, 2), (2, 1), (2, 3), (1, 1), 0),
    ("ceil", (6, 8), (3, 3), (2, 2), (1, 1), (0, 0), 1),
    ("ceil, padding", (7, 8), (3, 3), (3, 2), (1, 1), (1, 1), 1),
    ("1-D", (9,), (3,), (2,), (1,), (1,), 0),
]:
    shared = {"kernel_shape": kernel, "strides": s, "pads": pads_of(pad, pad), "ceil_mode": ceil}
    largest = F.max_pool1d if len(size) == 1 else F.max_pool2d
    case(
        f"max pool {name}", "MaxPool",
        lambda x, largest=largest, kernel=kernel, s=s, d=d, pad=pad, ceil=ceil: largest(
            x, kernel, s, pad, d, ceil_mode=bool(ceil)),
        [distinct(2, 3, *size)], {**shared, "dilations": d},
    )
    if d == tuple(1 for _ in d):
        average = F.avg_pool1d if len(size) == 1 else F.avg_pool2d
        for counted in (0, 1):
            case(
                f"average pool {name}{', padding counted' if counted else ''}", "AveragePool",
                lambda x, average=average, kernel=kernel, s=s, pad=pad, ceil=ceil, counted=counted: average(
                    x, kernel, s, pad, bool(ceil), bool(counted)),
                [tensor(2, 3, *size)], {**shared, "count_include_pad": counted},
            )

case("global average pool", "GlobalAveragePool", lambda x: x.mean((2, 3), keepdim=True), [tensor(2, 3, 4, 5)])
case("global average pool 1-D", "GlobalAveragePool", lambda x: x.mean(2, keepdim=True), [tensor(2, 3, 7)])
case("global max pool", "GlobalMaxPool", lambda x: F.adaptive_max_pool2d(x, 1), [distinct(2, 3, 4, 5)])

# Padding
for name, shape, widths, mode, torch_mode in [
    ("pad constant", (2, 3, 4), (0, 1, 2, 1, 0, 3), "constant", "constant"),
    ("pad negative", (2, 5, 6), (0, -1, 2, 0, 1, -3), "constant", "constant"),
    ("pad reflect", (2, 3, 4, 5), (0, 0, 2, 1, 0, 0, 3, 4), "reflect", "reflect"),
    ("pad reflect, last axis", (2, 3, 6), (0, 0, 2, 0, 0, 5), "reflect", "reflect"),
    ("pad edge", (2, 3, 4, 3), (0, 0, 2, 1, 0, 0, 1, 3), "edge", "replicate"),
]:
    rank = len(shape)
    flat = [side for axis in reversed(range(rank)) for side in (widths[axis], widths[axis + rank])]
    flat = flat if torch_mode == "constant" else flat[: 2 * (rank - 2)]
    case(name, "Pad", lambda x, flat=flat, mode=torch_mode: F.pad(x, flat, mode), [tensor(*shape)],
         {"mode": mode}, [[1, list(widths), "int64"]])

# Resampling
for name, size, to, mode, aligned, attributes in [
    ("nearest up", (3, 4), (6, 12), "nearest", None, {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("nearest uneven", (4, 5), (7, 3), "nearest", None, {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("linear half pixel", (3, 4), (7, 8), "bilinear", False, {"coordinate_transformation_mode": "half_pixel"}),
    ("linear pytorch half pixel", (5, 4), (3, 9), "bilinear", False, {"coordinate_transformation_mode": "pytorch_half_pixel"}),
    ("linear to one", (5, 4), (1, 3), "bilinear", False, {"coordinate_transformation_mode": "half_pixel"}),
    ("linear aligned corners", (3, 4), (6, 9), "bilinear", True, {"coordinate_transformation_mode": "align_corners"}),
    ("cubic", (4, 5), (7, 9), "bicubic", False, {"coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75}),
    ("linear 1-D", (5,), (8,), "linear", False, {"coordinate_transformation_mode": "half_pixel"}),
]:
    onnx_mode = {"nearest": "nearest", "bicubic": "cubic"}.get(mode, "linear")
    case(f"resize {name}", "Resize",
         lambda x, to=to, mode=mode, aligned=aligned: F.interpolate(x, size=to, mode=mode, align_corners=aligned),
         [tensor(2, 2, *size)], {"mode": onnx_mode, **attributes},
         [[1, None, None], [2, None, None], [3, [2, 2, *to], "int64"]])
for name, scales, mode, attributes in [
    ("nearest by scale", (2.0, 1.5), "nearest", {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("linear by scale", (1.7, 0.6), "bilinear", {"coordinate_transformation_mode": "half_pixel"}),
]:
    case(f"resize {name}", "Resize",
         lambda x, scales=scales, mode=mode: F.interpolate(x, scale_factor=scales, mode=mode, recompute_scale_factor=False),
         [tensor(2, 2, 5, 6)], {"mode": "nearest" if mode == "nearest" else "linear", **attributes},
         [[1, None, None], [2, [1.0, 1.0, *scales], "float32"]])


def batch_norm(x, scale, shift):
    return F.batch_norm(x, torch.zeros_like(scale), torch.ones_like(shift), scale, shift, training=True, eps=1e-3)


for name, shape in [("batch norm in training", (4, 3, 3, 2)), ("batch norm in training, 1-D", (5, 3, 4)), ("batch norm in training, vectors", (7, 3))]:
    # The running mean and variance are inputs 3 and 4; y does not depend on them.
    case(name, "BatchNormalization", batch_norm, [tensor(*shape), tensor(3, positive=True), tensor(3)],
         {"epsilon": 1e-3, "training_mode": 1}, [[3, [0.1, 0.2, -0.3], "float32"], [4, [1.0, 2.0, 0.5], "float32"]])

folder = pathlib.Path(__file__).parent
# Float32 holds the inputs exactly, and the results ten times better than the tests ask for.
single = {name: array.astype(numpy.float32) for name, array in arrays.items()}
numpy.savez_compressed(folder / "gradient-space.npz", **single)
versions = {"numpy": numpy.__version__, "torch": torch.__version__}
(folder / "gradient-space.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")
print(len(cases), "cases")
