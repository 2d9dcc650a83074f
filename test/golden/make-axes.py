"""Small networks that fold, reorder or move the axis of their images (PyTorch 1.13, opset 14, free batch, images of 32x32):
hiera: tokens in strided blocks, as Hiera unrolls them (Ryali et al. 2023, appendix); levit: attention that subsamples (Graham et al. 2021, section 4.2);
encoder: torch.nn.TransformerEncoder, tokens first, with a class token."""
import warnings; warnings.filterwarnings('ignore')
import os, torch, torch.nn as nn
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'axes')
class Hiera(nn.Module):
    """Unroll and mask-unit tokens as in Ryali et al.: strided blocks of tokens first, pooled in stages."""
    def __init__(s):
        super().__init__(); s.p=nn.Conv2d(3,8,4,4); s.a=nn.Linear(8,8); s.q=nn.Linear(8,12); s.b=nn.Linear(12,12); s.head=nn.Linear(12,4)
    def forward(s,x):
        x=s.p(x); x=x.flatten(2).transpose(1,2); n,_,c=x.shape
        H=W=8
        x=x.view(n,H,W,c)
        x=x.view(n,4,2,4,2,c).permute(0,2,4,1,3,5).flatten(0,2)   # [n*4,4,4,c]
        x=x.reshape(n,64,c)
        x=x+torch.relu(s.a(x))
        y=s.q(x).view(n,4,16,12).max(dim=1).values  # pooled over strides
        y=y+torch.relu(s.b(y))
        return s.head(y.mean(1))
class LeViT(nn.Module):
    def __init__(s):
        super().__init__(); s.p=nn.Conv2d(3,16,4,4); s.kv=nn.Linear(16,48); s.q=nn.Linear(16,16); s.proj=nn.Linear(32,24); s.m=nn.Linear(24,24); s.head=nn.Linear(24,4)
    def forward(s,x):
        x=torch.relu(s.p(x)).flatten(2).transpose(1,2); B,N,C=x.shape
        kv=s.kv(x).view(B,N,2,24); k,v=kv.split([8,16],dim=3); k=k.permute(0,2,1,3); v=v.permute(0,2,1,3)
        q=x.view(B,8,8,C)[:,::2,::2].reshape(B,-1,C); q=s.q(q).view(B,16,2,8).permute(0,2,1,3)
        a=(q@k.transpose(-2,-1)).softmax(-1)
        y=(a@v).transpose(1,2).reshape(B,-1,32)
        y=s.proj(nn.functional.hardswish(y))
        y=y+torch.relu(s.m(y))
        return s.head(y.mean(1))
class MHA(nn.Module):
    def __init__(s):
        super().__init__(); s.p=nn.Conv2d(3,12,8,8); s.cls=nn.Parameter(torch.randn(1,1,12)); s.e=nn.TransformerEncoder(nn.TransformerEncoderLayer(12,3,20,dropout=0),2)
    def forward(s,x):
        x=s.p(x).flatten(2).permute(2,0,1); x=torch.cat([s.cls.expand(1,x.shape[1],12),x],0)
        return s.e(x)[0]
torch.manual_seed(0)
for name,m in (('hiera',Hiera()),('levit',LeViT()),('encoder',MHA())):
    torch.onnx.export(m.eval(),torch.randn(2,3,32,32),f'{folder}/{name}.onnx',dynamic_axes={'x':{0:'b'}},input_names=['x'],output_names=['y'],opset_version=14)
