"""The peer of bench/gradient.ts: exports torchvision networks with random weights, and times PyTorch on the same work.

    gradient_peer.py export NETWORK SIZE BATCH MODE MODEL.onnx       MODE: eval (norms folded) or train
    gradient_peer.py time NETWORK SIZE BATCH THREADS WHAT REPEATS    WHAT: input or step
        (prints JSON: least seconds, on the clock and of CPU, and peak resident memory in bytes)
"""
import json
import resource
import sys
import time
import warnings

import torch
import torch.nn.functional as F
import torchvision

warnings.filterwarnings("ignore")
CLASSES = 1000


def network(name):
    torch.manual_seed(0)
    return getattr(torchvision.models, name)(weights=None)


def export(name, size, batch, mode, path):
    training = torch.onnx.TrainingMode.TRAINING if mode == "train" else torch.onnx.TrainingMode.EVAL
    torch.onnx.export(
        network(name), torch.zeros(int(batch), 3, int(size), int(size)), path, opset_version=17, training=training,
        do_constant_folding=mode != "train", input_names=["image"], output_names=["logits"],
    )


def pyramid(maps):
    row = torch.tensor([1, 4, 6, 4, 1.0]) / 16
    kernel = (row[:, None] * row)[None, None]
    levels = [maps[:, None]]
    for _ in range(4):
        size = levels[-1].shape[-1]
        total = max(0, (-(-size // 2) - 1) * 2 + 5 - size)
        pads = [total // 2, total - total // 2] * 2
        levels.append(F.conv2d(F.pad(levels[-1], pads), kernel, stride=2))
    return levels


def standardised(maps):
    mean = maps.mean((1, 2), keepdim=True)
    return F.relu((maps - mean) / (maps.var((1, 2), unbiased=False, keepdim=True).sqrt() + 1e-5))


def step(model, image, labels, maps):
    logits = model(image)
    saliency = torch.autograd.grad((labels * logits).sum(), image, create_graph=True)[0].mean(1)
    own, human = standardised(saliency), standardised(maps)
    factor = (own.amax((1, 2), keepdim=True).detach() + 1e-6) / (human.amax((1, 2), keepdim=True) + 1e-6)
    alignment = sum(((a - b) ** 2).mean() for a, b in zip(pyramid(own), pyramid(human * factor))) / 5
    loss = F.cross_entropy(logits, labels, label_smoothing=0.1) + 2 * alignment
    return torch.autograd.grad(loss, list(model.parameters()))


def timed(name, size, batch, threads, what, repeats):
    size, batch = int(size), int(batch)
    torch.set_num_threads(int(threads))
    model = network(name).train(what == "step").requires_grad_(what == "step")
    image = torch.randn(batch, 3, size, size, requires_grad=True)
    labels = F.one_hot(torch.arange(batch), CLASSES).float()
    maps = torch.rand(batch, size, size)
    seconds, cpu = [], []
    for _ in range(int(repeats) + 1):
        started, worked = time.perf_counter(), time.process_time()
        if what == "step":
            step(model, image, labels, maps)
        else:
            torch.autograd.grad((labels * model(image)).sum(), image)
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - worked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": min(seconds[1:]), "cpu": min(cpu[1:]), "peak": peak, "nodes": 0}))


{"export": export, "time": timed}[sys.argv[1]](*sys.argv[2:])
