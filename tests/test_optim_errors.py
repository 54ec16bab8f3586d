"""What optimizers and schedulers refuse, with the words for it."""

import math

import numpy as np
import pytest

import minidl
from minidl import nn, optim
from minidl.optim import lr_scheduler

RNG = np.random.default_rng(0)


def parameter(*shape, grad=True, dtype=minidl.float32):
    out = nn.Parameter(minidl.tensor(RNG.standard_normal(shape), dtype=dtype))
    if grad:
        out.grad = minidl.tensor(RNG.standard_normal(shape), dtype=dtype)
    return out


def muon_step(**options):
    optim.Muon([parameter(2, 2)], **options).step()


P = nn.Parameter(minidl.ones(2))
BAD = [
    (lambda: optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
    (lambda: optim.SGD(P), TypeError, "params argument given to the optimizer should be an iterable of Tensors"),
    (lambda: optim.SGD([P * 2]), ValueError, "can't optimize a non-leaf Tensor"),
    (lambda: optim.SGD([3]), TypeError, "optimizer can only optimize Tensors, but one of the params is int"),
    (lambda: optim.SGD("abc"), TypeError, "but one of the params is str"),
    (lambda: optim.SGD([{"params": [P]}, {"params": P}]), ValueError, "some parameters appear in more than one"),
    (lambda: optim.SGD([{"params": [P]}, [P]]), TypeError, "param_group must be a dict"),
    (lambda: optim.SGD([{"params": {P}}]), TypeError, "ordered collections"),
    (lambda: optim.SGD([("a", P), P]), ValueError, "Some param names are missing"),
    (lambda: optim.SGD([P], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda: optim.SGD([P], lr=math.nan), ValueError, "Invalid learning rate: nan"),
    (lambda: optim.SGD([P], momentum=-1), ValueError, "Invalid momentum value: -1"),
    (lambda: optim.SGD([P], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    (lambda: optim.SGD([P], nesterov=True), ValueError, "Nesterov momentum requires a momentum and zero dampening"),
    (lambda: optim.Adam([P], betas=(1.0, 0.9)), ValueError, "Invalid beta parameter at index 0: 1.0"),
    (lambda: optim.Adam([P], betas=(0.9, 1.0)), ValueError, "Invalid beta parameter at index 1: 1.0"),
    (lambda: optim.Adam([P], eps=-1), ValueError, "Invalid epsilon value: -1"),
    (lambda: optim.AdamW([P], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda: optim.RMSprop([P], alpha=-1), ValueError, "Invalid alpha value: -1"),
    (lambda: optim.RMSprop([P], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda: optim.RMSprop([P], momentum=-1), ValueError, "Invalid momentum value: -1"),
    (lambda: optim.RMSprop([P], capturable=True), NotImplementedError, "capturable=True is not supported"),
    (lambda: optim.Adagrad([P], lr_decay=-1), ValueError, "Invalid lr_decay value: -1"),
    (lambda: optim.Adagrad([P], initial_accumulator_value=-1), ValueError, "Invalid initial_accumulator_value value"),
    (lambda: optim.Adagrad([P], fused=True, foreach=True), RuntimeError, "cannot be `True` together"),
    (lambda: optim.Adadelta([P], rho=1.1), ValueError, "Invalid rho value: 1.1"),
    (lambda: optim.Adadelta([P], eps=math.nan), ValueError, "Invalid epsilon value: nan"),
    (lambda: optim.Adamax([P], betas=(0.9, -1)), ValueError, "Invalid beta parameter at index 1: -1"),
    (lambda: optim.NAdam([P], momentum_decay=-1), ValueError, "Invalid momentum_decay value: -1"),
    (lambda: optim.RAdam([P], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    (lambda: optim.RAdam([P], differentiable=True), NotImplementedError, "differentiable=True is not supported"),
    (lambda: optim.ASGD([P], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    (lambda: optim.Rprop([P], etas=(0.5, 0.9)), ValueError, "Invalid eta values: 0.5, 0.9"),
    (lambda: optim.Adafactor([P], lr=-1), ValueError, "Learning rate should be >= 0 but is: -1"),
    (lambda: optim.Adafactor([P], beta2_decay=1), ValueError, "beta2_decay should be <= 0 but is: 1"),
    (lambda: optim.Adafactor([P], eps=(-1, 1)), ValueError, "epsilon1 should be >= 0 but is: -1"),
    (lambda: optim.Adafactor([P], eps=(None, -1)), ValueError, "epsilon2 should be >= 0 but is: -1"),
    (lambda: optim.Adafactor([P], d=0.5), ValueError, "Clipping threshold d should be >= 1 but is: 0.5"),
    (lambda: optim.Adafactor([P], weight_decay=-1), ValueError, "weight_decay should be >= 0 but is: -1"),
    (lambda: optim.LBFGS([P], lr=-1), ValueError, "Invalid learning rate: -1"),
    (
        lambda: optim.LBFGS([{"params": [P]}, {"params": [parameter(1)]}]),
        ValueError, "LBFGS doesn't support per-parameter options (parameter groups)",
    ),
    (
        lambda: optim.LBFGS([P], line_search_fn="armijo").step(lambda: (P * P).sum().backward() or 1.0),
        RuntimeError, "only 'strong_wolfe' is supported",
    ),
    (lambda: optim.Muon([P]), ValueError, "Muon only supports 2D parameters whereas we found a parameter with size"),
    (lambda: optim.Muon([P], momentum=-1), ValueError, "momentum should be >= 0 but is: -1"),
    (lambda: optim.Muon([P], weight_decay=-1), ValueError, "weight decay should be >= 0 but is: -1"),
    (lambda: optim.Muon([P], adjust_lr_fn="a"), ValueError, "Adjust learning rate function a is not supported"),
    (lambda: muon_step(ns_steps=100), ValueError, "Number of steps must be less than 100"),
    (lambda: muon_step(ns_coefficients=(1, 2)), ValueError, "Coefficients must be a tuple of exactly 3 values"),
    (lambda: optim.Adam([P], lr=minidl.ones(2)), ValueError, "Tensor lr must be 1-element"),
    (lambda: optim.Adam([P], lr=minidl.tensor(0.1), foreach=True), ValueError, "lr as a Tensor is not supported for"),
    (lambda: optim.Adam([P], fused=True, foreach=True), RuntimeError, "cannot be `True` together"),
    (lambda: optim.Adam([P], fused=True, differentiable=True), RuntimeError, "does not support `differentiable`"),
    (lambda: optim.Adam([P], capturable=True), NotImplementedError, "capturable=True is not supported"),
    (lambda: optim.SGD([P], differentiable=True), NotImplementedError, "differentiable=True is not supported"),
    (lambda: optim.SGD([P]).load_state_dict({"state": {}, "param_groups": []}), ValueError, "different number of"),
    (
        lambda: optim.SGD([P]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
        ValueError, "doesn't match the size of optimizer's group",
    ),
    (lambda: optim.Optimizer([P], {}).step(), NotImplementedError, "defines neither"),
    (lambda: lr_scheduler.StepLR(3, 1), TypeError, "int is not an Optimizer"),
    (lambda: lr_scheduler.StepLR(optim.SGD([P]), 1, last_epoch=2), KeyError, "initial_lr"),
    (lambda: lr_scheduler.LinearLR(optim.SGD([P]), start_factor=2), ValueError, "Starting multiplicative factor"),
    (lambda: lr_scheduler.LinearLR(optim.SGD([P]), end_factor=2), ValueError, "Ending multiplicative factor"),
    (lambda: lr_scheduler.ConstantLR(optim.SGD([P]), 1.5), ValueError, "Constant multiplicative factor expected to be"),
    (lambda: lr_scheduler.MultiplicativeLR(optim.SGD([P]), 3), TypeError, "should be a function, but got int"),
    (lambda: lr_scheduler.CyclicLR(optim.SGD([P]), 1, 2, mode="a"), ValueError, "mode is invalid and scale_fn is None"),
    (lambda: lr_scheduler.CyclicLR(optim.SGD([P]), [1, 2], 2), ValueError, "base_lr must have the same length as"),
    (lambda: lr_scheduler.CyclicLR(optim.Adagrad([P]), 1, 2), ValueError, "optimizer must support momentum or beta1"),
    (lambda: lr_scheduler.OneCycleLR(optim.SGD([P]), 1), ValueError, "You must define either total_steps OR"),
    (lambda: lr_scheduler.OneCycleLR(optim.SGD([P]), 1, 0), ValueError, "Expected positive integer total_steps"),
    (lambda: lr_scheduler.OneCycleLR(optim.SGD([P]), 1, 9, pct_start=2.0), ValueError, "Expected float between 0"),
    (lambda: lr_scheduler.SequentialLR(optim.SGD([P]), [], []), ValueError, "expects at least one scheduler"),
    (lambda: lr_scheduler.ChainedScheduler([]), ValueError, "expects at least one scheduler to be chained"),
    (lambda: lr_scheduler.CosineAnnealingWarmRestarts(optim.SGD([P]), 0), ValueError, "Expected positive integer T_0"),
    (lambda: lr_scheduler.LambdaLR(optim.SGD([P]), [min, max]), ValueError, "Expected 1 lr_lambdas, but got 2"),
    (lambda: lr_scheduler.ReduceLROnPlateau(optim.SGD([P]), factor=2), ValueError, "Factor should be < 1.0"),
    (lambda: lr_scheduler.ReduceLROnPlateau(optim.SGD([P]), mode="a"), ValueError, "mode a is unknown!"),
    (lambda: lr_scheduler.ReduceLROnPlateau(optim.SGD([P]), threshold_mode="a"), ValueError, "mode a is unknown!"),
    (lambda: lr_scheduler.ReduceLROnPlateau(optim.SGD([P]), min_lr=[1, 2]), ValueError, "expected 1 min_lrs, got 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), BAD, ids=[text[:40] for _, _, text in BAD])
def test_bad_arguments(call, error, text):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)


def test_duplicates_in_a_group_warn():
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([P, P])


def test_groups_all_have_names_or_none():
    optimizer = optim.SGD([("weight", P)])
    assert optimizer.param_groups[0]["param_names"] == ["weight"]
    with pytest.raises(ValueError, match="cannot add param group without names"):
        optimizer.add_param_group({"params": [parameter(1)]})
    with pytest.raises(ValueError, match="cannot add param group with names"):
        optim.SGD([P]).add_param_group({"params": [("a", parameter(1))]})


def test_what_is_not_there_says_why():
    with pytest.raises(AttributeError, match="no attribute 'SparseAdam': sparse tensors are not supported"):
        _ = optim.SparseAdam
    with pytest.raises(AttributeError, match="has no attribute 'Adem'"):
        _ = optim.Adem
