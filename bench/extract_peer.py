"""The peer of bench/extract.ts: exports a ResNet-50 with random weights, and times PyTorch with forward hooks.

    extract_peer.py export MODEL.onnx
    extract_peer.py time BATCHES BATCH THREADS TAPS   (prints JSON: images per second, peak resident memory in bytes)
"""
import json
import resource
import sys
import time

import torch
import torchvision


def network():
    torch.manual_seed(0)
    return torchvision.models.resnet50(weights=None).eval()


def blocks(model, taps):
    every = [block for stage in (model.layer1, model.layer2, model.layer3, model.layer4) for block in stage]
    return [every[round(index * (len(every) - 1) / max(taps - 1, 1))] for index in range(taps)]


def export(path):
    torch.onnx.export(
        network(), torch.zeros(1, 3, 224, 224), path, opset_version=13, input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
    )


def timed(batches, batch, threads, taps):
    torch.set_num_threads(threads)
    model = network()
    kept = []
    for block in blocks(model, taps):
        block.register_forward_hook(lambda _module, _input, output: kept.append(output.numpy()))
    image = torch.randn(batch, 3, 224, 224)
    with torch.inference_mode():
        model(image)
        started = time.perf_counter()
        for _ in range(batches):
            kept.clear()
            model(image)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"imagesPerSecond": batches * batch / seconds, "peak": peak, "torch": torch.__version__}))


if sys.argv[1] == "export":
    export(sys.argv[2])
else:
    timed(*map(int, sys.argv[2:]))
