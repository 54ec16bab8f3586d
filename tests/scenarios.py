"""Programs of views and in-place writes that mean the same in minidl and in PyTorch: ``program(lib, x, y)``.

``x`` is (3, 4) and ``y`` is (4,), leaves that require gradients; ``lib`` is ``minidl`` or ``torch``. A program returns
a tensor.
"""

RESULTS = {}


def result(program):
    RESULTS[program.__name__] = program
    return program


# --- writes through views ---------------------------------------------------------------------------------------------


@result
def row_scaled(lib, x, y):
    a = x.clone()
    a[0].mul_(2)
    return a * a


@result
def row_times_tensor(lib, x, y):
    a = x.clone()
    a[0].mul_(y)
    return a * a


@result
def base_changed_then_view_used(lib, x, y):
    a = x.clone()
    v = a[1]
    a.mul_(3)
    return v * y


@result
def base_times_tensor_then_view_used(lib, x, y):
    a = x.clone()
    v = a[1:]
    a.mul_(y)
    return v * v


@result
def view_changed_then_both_used(lib, x, y):
    a = x.clone()
    v = a[1]
    v.mul_(y)
    return a.sum(0) * v


@result
def chained_views(lib, x, y):
    a = x.clone()
    v = a[1:]
    w = v[0]
    w.add_(y)
    return a * v.sum() + w


@result
def middle_of_a_chain_changed(lib, x, y):
    a = x.clone()
    v = a.t()
    w = v[1]
    v.mul_(y.unsqueeze(1))
    return w * a.sum()


@result
def transposed_row(lib, x, y):
    a = x.clone()
    a.t()[2].mul_(y[:3])
    return a * a


@result
def two_views_of_one_row(lib, x, y):
    a = x.clone()
    v, w = a[0], a[0]
    v.mul_(y)
    w.add_(1)
    return a * v * w


@result
def overlapping_views(lib, x, y):
    a = x.clone()
    upper, lower = a[:2], a[1:]
    upper.mul_(y)
    lower.mul_(y)
    return upper * lower


@result
def flat_view(lib, x, y):
    a = x.clone()
    a.view(12)[5:].mul_(2.0)
    return a * a


@result
def reshaped_unsqueezed_permuted(lib, x, y):
    a = x.clone()
    a.reshape(2, 6).unsqueeze(0).permute(2, 0, 1)[1:3].mul_(3)
    return a * a


@result
def expanded_view_of_a_changed_base(lib, x, y):
    a = y.clone()
    wide = a.expand(3, 4)
    a.mul_(2)
    return wide * x


@result
def narrowed_and_selected(lib, x, y):
    a = x.clone()
    a.narrow(1, 1, 2).select(0, 2).add_(y[2:])
    return a * a


@result
def write_twice_read_between(lib, x, y):
    a = x.clone()
    v = a[2]
    v.mul_(y)
    first = (a * 2).sum()
    v.add_(y)
    return a * first


@result
def constant_base_takes_a_gradient(lib, x, y):
    a = lib.zeros(3, 4, dtype=lib.float64)
    v = a[1]
    v.add_(y)
    return a * x + v


@result
def constant_base_assigned(lib, x, y):
    a = lib.zeros(3, 4, dtype=lib.float64)
    a[1] = y
    a[0, 2] = y[0] * 2
    return a * x


# --- assignment -------------------------------------------------------------------------------------------------------


@result
def assigned_rows_and_slices(lib, x, y):
    a = x.clone()
    a[1] = y
    a[:, 1::2] = x[:, ::2] * 2
    return a * a


@result
def assigned_through_a_chain(lib, x, y):
    a = x.clone()
    a[1][2] = y[0]
    return a * a


@result
def assigned_by_mask(lib, x, y):
    a = x.clone()
    a[x > 0] = 0.5
    return a * y


@result
def assigned_by_indices(lib, x, y):
    a = x.clone()
    a[lib.tensor([2, 0])] = y
    return a * a


@result
def assigned_number(lib, x, y):
    a = x.clone()
    a[..., -1] = 7
    return a * y


@result
def copied_and_filled(lib, x, y):
    a = x.clone()
    a[0].copy_(y)
    a[1].fill_(3.0)
    a[2, 1:].zero_()
    return a * a


@result
def whole_copy(lib, x, y):
    a = x.clone()
    a.copy_(y)
    return a * x


@result
def zeroed(lib, x, y):
    a = x * 2
    a.zero_()
    return a + y


# --- whole-tensor writes ----------------------------------------------------------------------------------------------


@result
def augmented_operators(lib, x, y):
    a = x.clone()
    a += y
    a *= x
    a -= 1
    a /= 2
    return a


@result
def saved_result_in_place(lib, x, y):
    a = x.clone()
    a.exp_()
    return (a * y).tanh_()


@result
def sigmoid_of_a_row_in_place(lib, x, y):
    a = x.clone()
    a[1].sigmoid_()
    return a * y


@result
def clamped_row(lib, x, y):
    a = x.clone()
    a[0].clamp_(-0.5, 0.5)
    return a * a


@result
def row_plus_other_row(lib, x, y):
    a = x.clone()
    a[0].add_(a[1])
    return a * a


@result
def detach_shares_memory(lib, x, y):
    a = x.clone()
    a.detach().mul_(2)
    return a + y


@result
def no_grad_write_into_a_leaf(lib, x, y):
    with lib.no_grad():
        x[0].zero_()
        x.add_(1)
    return x * y


@result
def masked_fill_on_a_view(lib, x, y):
    a = x.clone()
    a[1:].masked_fill_(x[1:] > 0, 2.0)
    return a * a


@result
def masked_fill_of_everything(lib, x, y):
    a = x * y
    a.masked_fill_(x > 0, 0.0)
    return a * a


@result
def used_before_and_after(lib, x, y):
    a = x.clone()
    before = a + y
    a.add_(y)
    return before * a
