"""Calls of about two hundred functions on arrays of some megabytes, beside PyTorch: what is slower than it should be.

``python benchmarks/op_survey.py [--write] [PART ...]`` times the expressions that contain one of the parts (all without
any), forward and with the gradient of the first result, and prints PyTorch's time / ours, the lowest first: two
threads, float32.
"""

import statistics
import sys
import warnings

import numpy as np
import torch
from beside import write

import minidl
from minidl.bench.timing import Budget, HostTimer, interleaved

# ``m`` is the library; the other names are those of ``arrays``.
EXPRESSIONS = """
x.sum(0)
x.sum(1)
x.mean()
x.std(1)
x.var(0)
x.norm()
x.norm(dim=1)
x.max(1)
x.max(0)
x.argmax(1)
x.argmax(0)
x.amax(0)
x.min()
x.median()
x.median(1)
x.sort(1)
x.sort(0)
x.argsort(1)
x.topk(10,1)
x.kthvalue(5,1)
x.cumsum(0)
x.cumsum(1)
x.cumprod(1)
x.cummax(1)
x.logcumsumexp(1)
x.prod(1)
m.logsumexp(x,1)
x.abs()
x.clamp(-1,1)
x.clamp(min=0)
x**2
x**3
x**0.5
x.exp()
x.tanh()
x.sin()
p.log()
p.sqrt()
p.rsqrt()
x.round()
x.sign()
x.floor()
x/y
x*y
x+v
x-y
x.add(y,alpha=2)
x>y
x==y
m.maximum(x,y)
m.where(b,x,y)
x.masked_fill(b,0.)
x[b]
x.masked_select(b)
x.gather(1,i)
x.gather(0,i)
x.scatter(1,i,y)
x.scatter_add(1,i,y)
x.index_select(0,j)
x.index_select(1,j)
x[j]
x[:,j]
x.index_add(0,j[:1024],y)
x.take(i)
m.cat([x,y],0)
m.cat([x,y],1)
m.stack([x,y])
m.stack([x,y],-1)
x.t().contiguous()
x.reshape(32,32,1024).permute(2,0,1).contiguous()
x.flip(0)
x.flip(1)
x.roll(3,1)
x.repeat(2,2)
x.repeat_interleave(2,1)
x.tril()
x.triu(1)
x.diagonal().sum()
x.unfold(1,16,8)
x.expand(2,1024,1024).sum()
x.chunk(4,1)[1].contiguous()
m.nn.functional.pad(img,(1,1,1,1))
m.nn.functional.pad(img,(1,1,1,1),mode='reflect')
m.nn.functional.interpolate(img,scale_factor=2)
m.nn.functional.interpolate(img,scale_factor=2,mode='bilinear')
m.nn.functional.interpolate(img,scale_factor=2,mode='bicubic')
m.nn.functional.interpolate(img,size=28,mode='area')
m.nn.functional.grid_sample(img,grid,align_corners=False)
m.nn.functional.unfold(img,3,padding=1)
m.nn.functional.fold(m.nn.functional.unfold(img,3,padding=1),(56,56),3,padding=1)
m.nn.functional.pixel_shuffle(img,2)
m.nn.functional.pixel_unshuffle(img,2)
m.nn.functional.conv2d(img,w3,padding=1)
m.nn.functional.conv_transpose2d(img,w3,stride=2)
m.nn.functional.conv1d(seq,w1,padding=2)
m.nn.functional.conv_transpose1d(seq,w1,stride=2)
m.nn.functional.conv3d(vol,wv,padding=1)
m.nn.functional.max_pool2d(img,3,2,1)
m.nn.functional.avg_pool2d(img,3,2,1)
m.nn.functional.adaptive_avg_pool2d(img,7)
m.nn.functional.adaptive_max_pool2d(img,7)
m.nn.functional.max_pool1d(seq,2)
m.nn.functional.max_pool3d(vol,2)
m.nn.functional.avg_pool3d(vol,2)
m.nn.functional.lp_pool2d(img,2,2)
m.nn.functional.max_unpool2d(*m.nn.functional.max_pool2d(img,2,return_indices=True),2)
m.nn.functional.batch_norm(img,None,None,training=True)
m.nn.functional.instance_norm(img)
m.nn.functional.group_norm(img,8)
m.nn.functional.layer_norm(tok,(256,))
m.nn.functional.rms_norm(tok,(256,))
m.nn.functional.local_response_norm(img,5)
m.nn.functional.normalize(x)
m.nn.functional.relu(x)
m.nn.functional.leaky_relu(x)
m.nn.functional.elu(x)
m.nn.functional.selu(x)
m.nn.functional.celu(x)
m.nn.functional.gelu(x)
m.nn.functional.gelu(x,approximate='tanh')
m.nn.functional.silu(x)
m.nn.functional.mish(x)
m.nn.functional.softplus(x)
m.nn.functional.hardswish(x)
m.nn.functional.hardsigmoid(x)
m.nn.functional.logsigmoid(x)
m.nn.functional.prelu(img,v[:32])
m.nn.functional.glu(x)
m.sigmoid(x)
m.nn.functional.softmax(x,0)
m.nn.functional.softmax(img,1)
m.nn.functional.log_softmax(x,1)
m.nn.functional.gumbel_softmax(x)
m.nn.functional.dropout(x,0.3)
m.nn.functional.dropout2d(img,0.3)
m.nn.functional.alpha_dropout(x,0.3)
m.nn.functional.cross_entropy(sm,lab)
m.nn.functional.cross_entropy(sm,lab,label_smoothing=.1)
m.nn.functional.nll_loss(sm,lab)
m.nn.functional.mse_loss(x,y)
m.nn.functional.l1_loss(x,y)
m.nn.functional.smooth_l1_loss(x,y)
m.nn.functional.huber_loss(x,y)
m.nn.functional.binary_cross_entropy(p,m.sigmoid(y))
m.nn.functional.binary_cross_entropy_with_logits(x,p)
m.nn.functional.kl_div(x,p)
m.nn.functional.cosine_similarity(x,y)
m.nn.functional.pairwise_distance(x,y)
m.nn.functional.triplet_margin_loss(x,y,p)
m.nn.functional.embedding(ids,tab)
m.nn.functional.embedding_bag(ids,tab)
m.nn.functional.one_hot(j,1024)
m.nn.functional.linear(tok,tok[0,:])
m.cdist(pts,pts)
m.einsum('bij,bkj->bik',tok,tok)
m.einsum('bij,bij->bi',tok,tok)
m.bmm(tok,tok.transpose(1,2))
m.matmul(tok,tok[0].t())
x@v
m.outer(v,v)
m.dot(v,v)
m.addmm(x,x,y)
m.linalg.inv(sq)
m.linalg.solve(sq,sq)
m.linalg.cholesky(sq)
m.linalg.qr(sq)
m.linalg.svd(sq)
m.linalg.eigh(sq)
m.linalg.det(sq)
m.bincount(n)
m.unique(n)
m.histc(x,100)
m.bucketize(x,v.sort()[0])
m.searchsorted(v.sort()[0],x)
b.nonzero()
b.any(1)
b.all()
b.sum()
~b
b&b
ii.sum(1)
ii+ii
ii//7
ii%7
ii.max(1)
ii.float()
x.long()
x.double()
x.half()
x.bfloat16()
m.randn(1024,1024)
m.rand(1024,1024)
m.randint(0,10,(1024,1024))
m.randperm(100000)
m.bernoulli(p)
m.multinomial(p,10)
m.normal(x,p)
m.zeros(1024,1024)
m.arange(1000000)
m.eye(1024)
m.linspace(0,1,1000000)
m.meshgrid(v,v,indexing='ij')
x.clone()
x.new_zeros(1024,1024)
m.lerp(x,y,0.3)
m.addcmul(x,x,y)
m.addcdiv(x,x,p)
m.atan2(x,y)
m.hypot(x,y)
m.fmod(x,p)
m.remainder(x,p)
m.isnan(x)
m.isclose(x,y)
m.allclose(x,x)
m.nan_to_num(x)
m.erf(x)
m.erfinv(p)
m.lgamma(p)
m.cov(pts)
m.corrcoef(pts)
m.quantile(x,0.5,1)
m.diff(x)
m.cross(img[...,:3],img[...,:3],dim=-1)
m.kron(pts[:32],pts[:32])
m.cartesian_prod(v[:100],v[:100])
"""


def arrays():
    """The operands by name."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape).astype("float32")

    square = normal(256, 256)
    return {
        "x": normal(1024, 1024),
        "y": normal(1024, 1024),
        "p": rng.uniform(0.01, 0.99, (1024, 1024)).astype("float32"),
        "v": normal(1024),
        "i": rng.integers(0, 1024, (1024, 1024)),
        "j": rng.integers(0, 1024, 4096),
        "b": rng.random((1024, 1024)) < 0.5,
        "img": normal(16, 32, 56, 56),
        "seq": normal(16, 64, 512),
        "vol": normal(4, 8, 16, 28, 28),
        "w3": normal(32, 32, 3, 3),
        "w1": normal(64, 64, 5),
        "wv": normal(16, 8, 3, 3, 3),
        "sm": normal(64, 1000),
        "lab": rng.integers(0, 1000, 64),
        "n": rng.integers(0, 100, 100000),
        "tab": normal(10000, 128),
        "ids": rng.integers(0, 10000, (64, 128)),
        "sq": square @ square.T / 256 + np.eye(256, dtype="float32"),
        "tok": normal(16, 128, 256),
        "pts": normal(1000, 16),
        "grid": rng.uniform(-1, 1, (16, 56, 56, 2)).astype("float32"),
        "ii": rng.integers(-100, 100, (1024, 1024)),
    }


def names(library, graph):
    """What an expression sees: the library and its tensors."""
    found = {"m": library}
    for name, array in arrays().items():
        found[name] = library.tensor(array)
        if graph and array.dtype == np.float32:
            found[name].requires_grad_()
    return found


def first(result):
    """The first tensor of a result."""
    while isinstance(result, (tuple, list)):
        result = result[0]
    return result


def forward(code, scope):
    def call():
        eval(code, scope)

    return call


def both(code, scope):
    """The expression with its gradient by all operands; None where it has none."""
    result = first(eval(code, scope))
    if not getattr(result, "requires_grad", False):
        return None
    upstream = scope["m"].ones(result.shape)

    def call():
        for operand in scope.values():
            if getattr(operand, "requires_grad", False):
                operand.grad = None
        first(eval(code, scope)).backward(upstream)

    return call


def survey(parts):
    """A row for every chosen expression: its text, what was timed, medians in seconds, PyTorch's time / ours."""
    plain, graphs = ([names(library, graph) for library in (minidl, torch)] for graph in (False, True))
    for expression in EXPRESSIONS.strip().splitlines():
        if parts and not any(part in expression for part in parts):
            continue
        code = compile(expression, expression, "eval")
        for what, make, scopes in (("forward", forward, plain), ("forward+backward", both, graphs)):
            calls = {name: make(code, scope) for name, scope in zip(("minidl", "torch"), scopes, strict=True)}
            if None in calls.values():
                continue
            samples = interleaved(calls, HostTimer(), Budget(seconds=0.3, least=5))
            row = {name: statistics.median(found) for name, found in samples.items()}
            yield {"expression": expression, "mode": what, **row, "ratio": row["torch"] / row["minidl"]}


def main(argv):
    warnings.simplefilter("ignore")
    for library in (minidl, torch):
        library.set_num_threads(2)
    rows = sorted(survey([a for a in argv if not a.startswith("-")]), key=lambda row: row["ratio"])
    for row in rows:
        times = f"{row['minidl'] * 1e6:10.0f} us  {row['torch'] * 1e6:10.0f} us"
        print(f"{row['ratio']:6.2f}  {times}  {row['mode']:16}  {row['expression']}")
    mean = statistics.geometric_mean(row["ratio"] for row in rows)
    print(f"geometric mean of {len(rows)} ratios: {mean:.2f}")
    if "--write" in argv:
        versions = {"minidl": minidl.__version__, "torch": torch.__version__, "numpy": np.__version__}
        rows.append({"geometric_mean": mean})
        write("op_survey", "python benchmarks/op_survey.py --write", versions, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
