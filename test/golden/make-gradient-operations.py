"""Goldens of gradient/: elementwise operations, reductions, products, normalisations, shapes and indices by PyTorch.

Run: /usr/bin/python3 test/golden/make-gradient-operations.py

Each case is one ONNX node and the PyTorch function that it stands for, in float64. For the loss L = sum_k sum(c_k * (y_k**2 + y_k))
of its outputs y_k with weights c_k, gradient-operations.npz holds under `<case>__<what>`: the differentiated inputs `x<i>`,
outputs `y<k>`, weights `c<k>`, directions `v<i>`, gradients dL/dx<i> `first<i>`, and d(sum_i <v<i>, dL/dx<i>>)/dx<j>
`second<j>`. What goes in is exact in float32. gradient-operations.json has the nodes: an input is the name of an array, an
empty string, or a constant written out.
"""

import json
import pathlib

import numpy
import torch
import torch.nn.functional as F

random = numpy.random.default_rng(11)
arrays = {}
cases = []


def exact(values):
    return torch.tensor(numpy.asarray(values, numpy.float32)).double()


def normal(*shape):
    return exact(random.normal(size=shape))


def positive(*shape):
    """From 0.5 to 2."""
    return exact(random.uniform(0.5, 2, size=shape))


def inner(*shape):
    """From -0.8 to 0.8."""
    return exact(random.uniform(-0.8, 0.8, size=shape))


def apart(*shape, points=(0,), gap=0.1, width=3):
    """No value nearer than `gap` to a point where the slope jumps."""
    values = random.uniform(-width, width, size=shape)
    for point in points:
        near = abs(values - point) < gap
        values[near] += numpy.where(values[near] >= point, 2 * gap, -2 * gap)
    return exact(values)


def distinct(*shape):
    """No two equal or nearly so, none near 0, for maxima."""
    size = int(numpy.prod(shape))
    return exact(((random.permutation(size) + 0.5) / size * 4 - 2).reshape(shape))


def constant(values, kind="int64"):
    array = numpy.asarray(values)
    return {"type": kind, "shape": list(array.shape), "values": array.ravel().tolist()}


def attribute(value):
    if isinstance(value, str):
        return {"string": value}
    if isinstance(value, float):
        return {"float": value}
    return {"int": value} if isinstance(value, int) else {"ints": list(value)}


def case(name, op, f, inputs, rest=(), outputs=1, unused=(), **attributes):
    """`f` of the tensors among `inputs`; `rest` are constants behind them, among which None is left out;
    `unused` names outputs without a gradient."""
    tensors = [x for x in inputs if isinstance(x, torch.Tensor)]
    leaves = [x.clone().requires_grad_() for x in tensors]
    made = f(*leaves)
    made = list(made) if isinstance(made, (tuple, list)) else [made]
    weights = [normal(*y.shape) for y in made]
    loss = sum((c * (y * y + y)).sum() for c, y in zip(weights, made))
    first = torch.autograd.grad(loss, leaves, create_graph=True)
    directions = [normal(*x.shape) for x in tensors]
    along = sum((v * g).sum() for v, g in zip(directions, first))
    second = torch.autograd.grad(along, leaves, allow_unused=True)
    for i, x in enumerate(tensors):
        arrays[f"{name}__x{i}"] = x.numpy().astype(numpy.float32)
        arrays[f"{name}__v{i}"] = directions[i].numpy().astype(numpy.float32)
        arrays[f"{name}__first{i}"] = first[i].detach().numpy()
        arrays[f"{name}__second{i}"] = numpy.zeros(x.shape) if second[i] is None else second[i].numpy()
    for k, y in enumerate(made):
        arrays[f"{name}__y{k}"] = y.detach().numpy()
        arrays[f"{name}__c{k}"] = weights[k].numpy().astype(numpy.float32)
    names = iter(f"x{i}" for i in range(len(tensors)))
    given = [next(names) if isinstance(x, torch.Tensor) else x for x in inputs]
    cases.append({
        "name": name, "op": op, "attributes": {key: attribute(value) for key, value in attributes.items()},
        "inputs": given + ["" if x is None else x for x in rest], "outputs": [f"y{k}" for k in range(outputs)], "unused": unused,
    })


# Arithmetic with broadcasting.
for name, op, f in [
    ("add", "Add", torch.add), ("sub", "Sub", torch.sub), ("mul", "Mul", torch.mul), ("div", "Div", torch.div),
]:
    case(name, op, f, [normal(2, 3, 4), positive(2, 3, 4)])
    case(f"{name}, right repeated", op, f, [normal(2, 3, 4), positive(3, 1)])
    case(f"{name}, left repeated", op, f, [normal(4), positive(2, 1, 4)])
    case(f"{name}, both repeated", op, f, [normal(2, 1, 4), positive(3, 1)])
    case(f"{name}, scalar", op, f, [normal(2, 3), positive()])
case("sum of three", "Sum", lambda a, b, c: a + b + c, [normal(2, 3), normal(3), normal(2, 1)])
case("mean of three", "Mean", lambda a, b, c: (a + b + c) / 3, [normal(2, 3), normal(3), normal(2, 1)])
case("max", "Max", torch.maximum, [distinct(3, 4), exact(0.03 + numpy.zeros((4,)))])
case("max of three", "Max", lambda a, b, c: torch.maximum(torch.maximum(a, b), c),
     [distinct(3, 4), exact(0.013 * numpy.arange(4)), exact(numpy.full((3, 1), -0.4))])
case("max of equals", "Max", torch.maximum, [exact([[1, 2, 3], [0, -1, 2]]), exact([1, 0, 3])])
case("min", "Min", torch.minimum, [distinct(3, 4), exact(0.03 + numpy.zeros((3, 1)))])
case("min of equals", "Min", torch.minimum, [exact([[1, 2, 3], [0, -1, 2]]), exact([1, 0, 3])])
case("where", "Where", lambda a, b: torch.where(torch.tensor([[True, False, True, False]]), a, b),
     [constant([[1, 0, 1, 0]], "bool"), normal(3, 4), normal(3, 1)])
case("where, scalar", "Where", lambda a, b: torch.where(torch.tensor([[True], [False]]), a, b),
     [constant([[1], [0]], "bool"), normal(3, 2, 1), normal()])

# Powers.
case("pow 2", "Pow", lambda x: x**2, [normal(2, 3)], [constant(2.0, "float32")])
case("pow 3", "Pow", lambda x: x**3, [normal(2, 3)], [constant(3.0, "float32")])
case("pow 0.5", "Pow", lambda x: x**0.5, [positive(2, 3)], [constant(0.5, "float32")])
case("pow -1.5", "Pow", lambda x: x**-1.5, [positive(2, 3)], [constant(-1.5, "float32")])
case("pow 1", "Pow", lambda x: x**1, [normal(2, 3)], [constant(1.0, "float32")])
case("pow 5, whole exponent", "Pow", lambda x: x**5, [normal(2, 3)], [constant([5], "int64")])
case("pow of two", "Pow", torch.pow, [positive(2, 3), normal(3)])
case("pow of two, repeated base", "Pow", torch.pow, [positive(3, 1), positive(2, 1, 4)])
case("pow, fixed exponents", "Pow", lambda x: x ** exact([2, 3, 0, 1]), [apart(3, 4)],
     [constant([2.0, 3.0, 0.0, 1.0], "float32")])

# Functions of one number.
for name, op, f, x in [
    ("neg", "Neg", torch.neg, normal(2, 3)),
    ("abs", "Abs", torch.abs, apart(2, 3)),
    ("reciprocal", "Reciprocal", torch.reciprocal, positive(2, 3)),
    ("sqrt", "Sqrt", torch.sqrt, positive(2, 3)),
    ("exp", "Exp", torch.exp, normal(2, 3)),
    ("log", "Log", torch.log, positive(2, 3)),
    ("erf", "Erf", torch.erf, normal(3, 4)),
    ("sigmoid", "Sigmoid", torch.sigmoid, normal(3, 4)),
    ("tanh", "Tanh", torch.tanh, normal(3, 4)),
    ("softplus", "Softplus", F.softplus, normal(3, 4)),
    ("softsign", "Softsign", F.softsign, apart(3, 4)),
    ("sin", "Sin", torch.sin, normal(3, 4)),
    ("cos", "Cos", torch.cos, normal(3, 4)),
    ("tan", "Tan", torch.tan, inner(3, 4)),
    ("asin", "Asin", torch.asin, inner(3, 4)),
    ("acos", "Acos", torch.acos, inner(3, 4)),
    ("atan", "Atan", torch.atan, normal(3, 4)),
    ("sinh", "Sinh", torch.sinh, normal(3, 4)),
    ("cosh", "Cosh", torch.cosh, normal(3, 4)),
    ("asinh", "Asinh", torch.asinh, normal(3, 4)),
    ("acosh", "Acosh", torch.acosh, positive(3, 4) + 1),
    ("atanh", "Atanh", torch.atanh, inner(3, 4)),
    ("identity", "Identity", lambda x: x + 0, normal(3, 4)),
    ("dropout", "Dropout", lambda x: x + 0, normal(3, 4)),
]:
    case(name, op, f, [x])
case("erf, far out", "Erf", torch.erf, [exact([-6, -4, -2.5, -1e-3, 0, 1e-3, 3, 5])])
case("softplus, far out", "Softplus", F.softplus, [exact([-15, -5, 0, 5, 15])])
case("sigmoid, far out", "Sigmoid", torch.sigmoid, [exact([-15, -5, 0, 5, 9])])

# Activations.
case("relu", "Relu", torch.relu, [apart(3, 4)])
case("relu at 0", "Relu", torch.relu, [exact([-1, 0, 2])])
case("leaky relu", "LeakyRelu", lambda x: F.leaky_relu(x, 0.01), [apart(3, 4)])
case("leaky relu 0.2", "LeakyRelu", lambda x: F.leaky_relu(x, 0.2), [apart(3, 4)], alpha=0.2)
case("prelu", "PRelu", lambda x, a: torch.where(x > 0, x, a * x), [apart(2, 3, 4), positive(3, 1)])
case("elu", "Elu", F.elu, [apart(3, 4)])
case("elu 0.5", "Elu", lambda x: F.elu(x, 0.5), [apart(3, 4)], alpha=0.5)
case("selu", "Selu", F.selu, [apart(3, 4)])
case("celu 2", "Celu", lambda x: F.celu(x, 2.0), [apart(3, 4)], alpha=2.0)
case("clip", "Clip", lambda x: x.clamp(-1, 1.5), [apart(4, 5, points=(-1, 1.5))],
     [constant(-1.0, "float32"), constant(1.5, "float32")])
case("clip at its bounds", "Clip", lambda x: x.clamp(0, 6), [exact([-1, 0, 3, 6, 7])],
     [constant(0.0, "float32"), constant(6.0, "float32")])
case("clip below", "Clip", lambda x: x.clamp(min=0.3), [apart(4, 5, points=(0.3,))], [constant(0.3, "float32"), None])
case("clip above", "Clip", lambda x: x.clamp(max=0.3), [apart(4, 5, points=(0.3,))], [None, constant(0.3, "float32")])
case("clip with bounds that flow", "Clip", lambda x, a, b: torch.clamp(x, a, b),
     [apart(4, 5, points=(-1, 1.5)), exact(-1), exact(1.5)])
case("hard sigmoid", "HardSigmoid", lambda x: (0.2 * x + 0.5).clamp(0, 1), [apart(4, 5, points=(-2.5, 2.5))])
case("hard sigmoid of torch", "HardSigmoid", lambda x: (x / 6 + 0.5).clamp(0, 1), [apart(4, 5, points=(-3, 3), width=5)],
     alpha=1 / 6, beta=0.5)
case("hard swish", "HardSwish", lambda x: x * (x / 6 + 0.5).clamp(0, 1), [apart(4, 5, points=(-3, 3), width=5)])
case("mish", "Mish", lambda x: x * torch.tanh(F.softplus(x)), [normal(4, 5)])
case("thresholded relu", "ThresholdedRelu", lambda x: F.threshold(x, 0.7, 0), [apart(4, 5, points=(0.7,))], alpha=0.7)

# Softmax.
for axis in (-1, 0, 1):
    case(f"softmax, axis {axis}", "Softmax", lambda x: torch.softmax(x, axis), [normal(3, 4, 2)], axis=axis)
    case(f"log softmax, axis {axis}", "LogSoftmax", lambda x: torch.log_softmax(x, axis), [normal(3, 4, 2)], axis=axis)

# Normalisations.
def normed(x, axes, epsilon):
    mean = x.mean(axes, keepdim=True)
    variance = ((x - mean) ** 2).mean(axes, keepdim=True)
    return (x - mean) / (variance + epsilon).sqrt(), mean, (variance + epsilon).rsqrt()


case("layer norm", "LayerNormalization", lambda x, w, b: F.layer_norm(x, (5,), w, b, 1e-5),
     [normal(2, 3, 5), positive(5), normal(5)], axis=-1)
case("layer norm, two axes", "LayerNormalization", lambda x, w, b: F.layer_norm(x, (3, 5), w, b, 1e-2),
     [normal(2, 3, 5), positive(3, 5), normal(3, 5)], axis=1, epsilon=1e-2)
case("layer norm without shift", "LayerNormalization", lambda x, w: F.layer_norm(x, (5,), w, None, 1e-5),
     [normal(2, 3, 5), positive(5)])
case("layer norm with statistics", "LayerNormalization",
     lambda x, w, b: (lambda n, m, i: (n * w + b, m, i))(*normed(x, (2,), 1e-5)),
     [normal(2, 3, 5), positive(5), normal(5)], outputs=3, axis=2)
case("instance norm", "InstanceNormalization", lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-5),
     [normal(2, 3, 4, 3), positive(3), normal(3)])
case("instance norm, 1-D", "InstanceNormalization", lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-3),
     [normal(2, 3, 6), positive(3), normal(3)], epsilon=1e-3)
case("batch norm, frozen", "BatchNormalization",
     lambda x, w, b, m, s: (x - m.view(3, 1, 1)) / (s.view(3, 1, 1) + 1e-5).sqrt() * w.view(3, 1, 1) + b.view(3, 1, 1),
     [normal(2, 3, 4, 2), positive(3), normal(3), normal(3), positive(3)])
case("batch norm, frozen, of vectors", "BatchNormalization",
     lambda x, w, b, m, s: (x - m) / (s + 0.1).sqrt() * w + b,
     [normal(4, 3), positive(3), normal(3), normal(3), positive(3)], epsilon=0.1)
case("local response norm", "LRN", lambda x: F.local_response_norm(x, 3, 0.5, 0.75, 1.0), [normal(2, 5, 3, 2)],
     size=3, alpha=0.5, beta=0.75, bias=1.0)
case("local response norm, wide", "LRN", lambda x: F.local_response_norm(x, 5, 0.3, 0.6, 2.0), [normal(2, 4, 3, 2)],
     size=5, alpha=0.3, beta=0.6, bias=2.0)
case("lp norm", "LpNormalization", lambda x: x / x.norm(dim=1, keepdim=True), [normal(2, 4, 3)], axis=1)
case("lp norm, p 1", "LpNormalization", lambda x: x / x.abs().sum(-1, keepdim=True), [apart(2, 4)], p=1)

# Products.
for name, a, b in [
    ("plain", (3, 4), (4, 2)), ("weights", (2, 3, 4), (4, 5)), ("batched", (2, 3, 4), (2, 4, 5)),
    ("heads", (2, 3, 4, 5), (2, 3, 5, 2)), ("batch repeated", (2, 1, 3, 4), (3, 4, 2)), ("left repeated", (3, 4), (2, 4, 5)),
    ("one in the batch", (1, 3, 4), (2, 4, 5)), ("vector right", (2, 3, 4), (4,)), ("vector left", (4,), (4, 3)),
    ("vector left, batched", (4,), (2, 4, 3)), ("vector right, batched", (2, 5, 3, 4), (4,)), ("vectors", (4,), (4,)),
]:
    case(f"matmul {name}", "MatMul", torch.matmul, [normal(*a), normal(*b)])
for trans_a in (0, 1):
    for trans_b in (0, 1):
        def product(a, b, c, ta=trans_a, tb=trans_b):
            return 0.5 * (a.T if ta else a) @ (b.T if tb else b) + 2 * c
        shapes = ((4, 3) if trans_a else (3, 4), (2, 4) if trans_b else (4, 2))
        case(f"gemm {trans_a} {trans_b}", "Gemm", product, [normal(*shapes[0]), normal(*shapes[1]), normal(2)],
             transA=trans_a, transB=trans_b, alpha=0.5, beta=2.0)
case("gemm without c", "Gemm", torch.matmul, [normal(3, 4), normal(4, 2)])
case("gemm, c a column", "Gemm", lambda a, b, c: a @ b + c, [normal(3, 4), normal(4, 2), normal(3, 1)])
for name, equation, shapes in [
    ("attention scores", "bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("attention values", "bhij,bhjd->bhid", [(2, 2, 3, 5), (2, 2, 5, 4)]),
    ("of TensorFlow", "bthc,bshc->bhts", [(2, 3, 2, 4), (2, 5, 2, 4)]),
    ("projection", "abc,cde->abde", [(2, 3, 4), (4, 2, 3)]),
    ("relative positions", "bhwc,hkc->bhwk", [(2, 3, 2, 4), (3, 5, 4)]),
    ("transposed", "ij->ji", [(3, 4)]),
    ("summed letter", "ij,jk->k", [(3, 4), (4, 2)]),
    ("lonely letter", "ij,k->ik", [(3, 4), (2,)]),
    ("three operands", "ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("outer", "i,j->ij", [(3,), (4,)]),
    ("ellipsis", "...ij,...jk->...ik", [(2, 3, 2, 4), (2, 3, 4, 3)]),
    ("ellipsis left", "...ij,jk->...ik", [(2, 3, 4), (4, 3)]),
    ("implicit", "ij,jk", [(3, 4), (4, 2)]),
    ("total", "ij,ij->", [(3, 4), (3, 4)]),
]:
    case(f"einsum {name}", "Einsum", lambda *x: torch.einsum(equation, *x), [normal(*s) for s in shapes], equation=equation)

# Reductions.
for op, f, make in [
    ("ReduceSum", lambda x, d, k: x.sum(d, k), normal),
    ("ReduceMean", lambda x, d, k: x.mean(d, k), normal),
    ("ReduceMax", lambda x, d, k: x.amax(d, k), distinct),
    ("ReduceMin", lambda x, d, k: x.amin(d, k), distinct),
    ("ReduceL1", lambda x, d, k: x.abs().sum(d, k), apart),
    ("ReduceL2", lambda x, d, k: (x * x).sum(d, k).sqrt(), normal),
    ("ReduceSumSquare", lambda x, d, k: (x * x).sum(d, k), normal),
    ("ReduceLogSum", lambda x, d, k: x.sum(d, k).log(), positive),
    ("ReduceLogSumExp", lambda x, d, k: x.logsumexp(d, k), normal),
]:
    label = op[6:]
    case(f"{label} of one axis", op, lambda x: f(x, (1,), True), [make(2, 3, 4)], [constant([1])])
    case(f"{label} of two axes, dropped", op, lambda x: f(x, (0, 2), False), [make(2, 3, 4)], [constant([-1, 0])], keepdims=0)
    case(f"{label} of all", op, lambda x: f(x, (0, 1), False), [make(3, 4)], keepdims=0)
case("Max of equals", "ReduceMax", lambda x: x.amax(1), [exact([[1, 3, 3], [2, 2, 2]])], [constant([1])], keepdims=0)
case("Sum of no axes", "ReduceSum", lambda x: x + 0, [normal(2, 3)], noop_with_empty_axes=1)
case("Prod of one axis", "ReduceProd", lambda x: x.prod(1, keepdim=True), [positive(2, 3, 4)], [constant([1])])
case("Prod of two axes", "ReduceProd", lambda x: x.prod(2).prod(0), [positive(2, 3, 2)], [constant([0, 2])], keepdims=0)
case("Prod of all, with a zero", "ReduceProd", lambda x: x[0] * x[1] * x[2] * x[3], [exact([2, 0, -1.5, 3])], keepdims=0)

# Shapes.
case("reshape", "Reshape", lambda x: x.reshape(4, 6), [normal(2, 3, 4)], [constant([4, 6])])
case("reshape, inferred", "Reshape", lambda x: x.reshape(2, 12), [normal(2, 3, 4)], [constant([0, -1])])
case("flatten", "Flatten", lambda x: x.reshape(2, 12), [normal(2, 3, 4)])
case("flatten, axis 2", "Flatten", lambda x: x.reshape(6, 4), [normal(2, 3, 4)], axis=2)
case("squeeze", "Squeeze", lambda x: x.reshape(2, 3), [normal(2, 1, 3, 1)])
case("squeeze one axis", "Squeeze", lambda x: x.squeeze(-1), [normal(2, 1, 3, 1)], [constant([-1])])
case("unsqueeze", "Unsqueeze", lambda x: x.reshape(1, 2, 3, 1), [normal(2, 3)], [constant([0, -1])])
case("transpose", "Transpose", lambda x: x.permute(2, 0, 1), [normal(2, 3, 4)], perm=[2, 0, 1])
case("transpose, reversed", "Transpose", lambda x: x.permute(2, 1, 0), [normal(2, 3, 4)])
case("expand", "Expand", lambda x: x.expand(2, 3, 4), [normal(3, 1)], [constant([2, 1, 4])])
case("expand, both", "Expand", lambda x: x.expand(2, 3, 4), [normal(2, 1, 4)], [constant([3, 1])])
case("tile", "Tile", lambda x: x.repeat(2, 1, 3), [normal(2, 3, 2)], [constant([2, 1, 3])])
case("cumulative sum", "CumSum", lambda x: x.cumsum(1), [normal(2, 4)], [constant(1)])
case("cumulative sum, reversed, exclusive", "CumSum", lambda x: x.flip(0).cumsum(0).flip(0) - x, [normal(4, 2)],
     [constant(0)], reverse=1, exclusive=1)
case("triangle", "Trilu", torch.triu, [normal(2, 4, 4)])
case("lower triangle", "Trilu", lambda x: torch.tril(x, 1), [normal(2, 4, 4)], [constant(1)], upper=0)
def blocks(x, crd):
    n, c, h, w = x.shape
    if crd:
        return F.pixel_shuffle(x, 2)
    return x.reshape(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, h * 2, w * 2)


case("depth to space", "DepthToSpace", lambda x: blocks(x, False), [normal(2, 8, 2, 3)], blocksize=2)
case("depth to space, columns first", "DepthToSpace", lambda x: blocks(x, True), [normal(2, 8, 2, 3)], blocksize=2, mode="CRD")
case("space to depth", "SpaceToDepth",
     lambda x: x.reshape(2, 3, 2, 2, 3, 2).permute(0, 3, 5, 1, 2, 4).reshape(2, 12, 2, 3), [normal(2, 3, 4, 6)], blocksize=2)

# Parts.
case("concat", "Concat", lambda a, b, c: torch.cat([a, b, c], 1), [normal(2, 1, 3), normal(2, 2, 3), normal(2, 3, 3)], axis=1)
case("concat, last axis", "Concat", lambda a, b: torch.cat([a, b], -1), [normal(2, 3), normal(2, 1)], axis=-1)
case("split, even", "Split", lambda x: x.split(2, 1), [normal(2, 6)], outputs=3, axis=1, num_outputs=3)
case("split, sizes", "Split", lambda x: x.split((1, 3, 2), 0), [normal(6, 2)], [constant([1, 3, 2])], outputs=3)
long = 2**31 - 1
for name, shape, starts, ends, axes, steps, f in [
    ("front", (4, 5), [0], [2], [0], [1], lambda x: x[:2]),
    ("middle of two axes", (4, 5), [1, -4], [-1, long], [0, 1], [1, 1], lambda x: x[1:-1, 1:]),
    ("steps", (7, 5), [1, 0], [7, 5], [0, 1], [2, 3], lambda x: x[1:7:2, 0:5:3]),
    ("reversed", (4, 5), [-1], [-long], [1], [-1], lambda x: x.flip(1)),
    ("backwards in steps", (7, 3), [5], [0], [0], [-2], lambda x: x[[5, 3, 1]]),
    ("backwards to the front", (7, 3), [5], [-long], [0], [-3], lambda x: x[[5, 2]]),
    ("one element", (4, 5), [2, 1], [3, 2], [0, 1], [1, 1], lambda x: x[2:3, 1:2]),
    ("every fourth", (9, 2), [0], [9], [0], [4], lambda x: x[::4]),
]:
    case(f"slice {name}", "Slice", f, [normal(*shape)], [constant(starts), constant(ends), constant(axes), constant(steps)])
case("slice without axes", "Slice", lambda x: x[1:3, :2], [normal(4, 5)], [constant([1, 0]), constant([3, 2])])

# Indices.
case("gather one", "Gather", lambda x: x[:, 2], [normal(2, 4, 3)], [constant(2)], axis=1)
case("gather the last", "Gather", lambda x: x[-1], [normal(4, 3)], [constant(-1)])
case("gather a run", "Gather", lambda x: x[:, 1:3], [normal(2, 4, 3)], [constant([1, 2])], axis=1)
case("gather with repeats", "Gather", lambda x: x[:, [2, 0, 2, 3]], [normal(2, 4, 3)], [constant([2, 0, 2, -1])], axis=1)
case("gather a table", "Gather", lambda x: x[torch.tensor([[0, 2], [2, 1], [0, 0]])], [normal(3, 2)],
     [constant([[0, 2], [2, 1], [0, 0]])])
index = [[0, 1, 1], [2, 2, -1], [0, 0, 0], [1, 2, 1]]
case("gather elements", "GatherElements", lambda x: torch.gather(x, 0, torch.tensor(index) % 3), [normal(3, 3)], [constant(index)])
case("gather elements, axis 1", "GatherElements", lambda x: torch.gather(x, 1, torch.tensor(index)[:3, :2] % 3),
     [normal(3, 3)], [constant(numpy.array(index)[:3, :2])], axis=1)
place = [[1, 0], [0, 2]]
case("scatter elements", "ScatterElements", lambda x, u: x.scatter(1, torch.tensor(place), u),
     [normal(2, 3), constant(place), normal(2, 2)], axis=1)
case("scatter elements, added", "ScatterElements", lambda x, u: x.scatter_add(0, torch.tensor([[1, 1], [0, 1]]), u),
     [normal(2, 3), constant([[1, 1], [0, 1]]), normal(2, 2)], reduction="add")
pairs = torch.tensor([[0, 1], [2, 0], [0, 1]])
case("gather nd", "GatherND", lambda x: x[pairs[:, 0], pairs[:, 1]], [normal(3, 2, 4)], [constant(pairs.numpy())])
case("scatter nd", "ScatterND", lambda x, u: x.index_put((pairs[:2, 0], pairs[:2, 1]), u),
     [normal(3, 2, 4), constant(pairs.numpy()[:2]), normal(2, 4)])
case("scatter nd, added", "ScatterND", lambda x, u: x.index_put((pairs[:, 0], pairs[:, 1]), u, accumulate=True),
     [normal(3, 2, 4), constant(pairs.numpy()), normal(3, 4)], reduction="add")
case("top 2", "TopK", lambda x: x.topk(2, 1)[0], [distinct(3, 5)], [constant([2])], unused=["places"], axis=1)

here = pathlib.Path(__file__).parent
numpy.savez_compressed(here / "gradient-operations.npz", **arrays)
(here / "gradient-operations.json").write_text(json.dumps({
    "versions": {"numpy": numpy.__version__, "torch": torch.__version__},
    "cases": cases,
}, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
print(len(cases), "cases")
