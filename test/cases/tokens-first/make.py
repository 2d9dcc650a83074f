"""A block whose tokens are the first axis, [tokens, images, channels], as torch.nn.MultiheadAttention takes them by default
(PyTorch 1.13, opset 13). tokens.onnx: free batch; tokens-8.onnx: batch 8; tokens-16.onnx: batch 16, as many as tokens; steps.onnx: two time steps on the first axis."""
import warnings; warnings.filterwarnings('ignore')
import numpy as np, torch, torch.nn as nn
from PIL import Image


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 8, 8); self.norm = nn.LayerNorm(12); self.attention = nn.MultiheadAttention(12, 3)
        self.fc1 = nn.Linear(12, 40); self.fc2 = nn.Linear(40, 12); self.head = nn.Linear(12, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).permute(2, 0, 1)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.fc2(torch.relu(self.fc1(x)))
        return self.head(x.mean(0))


class Steps(nn.Module):
    def __init__(self):
        super().__init__()
        self.v1 = nn.Conv2d(3, 6, 8, 8); self.back = nn.Conv2d(6, 6, 3, 1, 1); self.it = nn.Linear(6, 9)

    def forward(self, x):
        first = torch.relu(self.v1(x)); second = torch.relu(first + self.back(first))
        return torch.relu(self.it(torch.stack([first, second]).permute(0, 1, 3, 4, 2)))


images = torch.tensor(np.stack([np.asarray(Image.open(f'../base/rec/stimuli/im{i:03d}.png'), 'f4') for i in range(60)]).transpose(0, 3, 1, 2)) / 127.5 - 1
free = dict(dynamic_axes={'x': {0: 'batch'}}, input_names=['x'], output_names=['y'], opset_version=13)
torch.manual_seed(3); block = Block().eval(); steps = Steps().eval()
torch.onnx.export(block, images[:2], 'tokens.onnx', **free)
torch.onnx.export(block, images[:8], 'tokens-8.onnx', **{**free, 'dynamic_axes': None})
torch.onnx.export(block, images[:16], 'tokens-16.onnx', **{**free, 'dynamic_axes': None})
torch.onnx.export(steps, images[:2], 'steps.onnx', **free)
seen = {}
block.fc1.register_forward_hook(lambda m, i, o: seen.update(fc1=o)); steps.it.register_forward_hook(lambda m, i, o: seen.update(it=o))
with torch.no_grad(): block(images); steps(images)
np.savez('right.npz', fc1=torch.relu(seen['fc1']).permute(1, 0, 2).reshape(60, -1).numpy())
np.savez('right-steps.npz', it=torch.relu(seen['it']).permute(1, 0, 2, 3, 4).reshape(60, -1).numpy())
