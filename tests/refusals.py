"""Programs that raise, in minidl as in PyTorch: ``program(lib, x, y)``, with the arguments of ``scenarios``."""

REFUSALS = {}


def refusal(program):
    REFUSALS[program.__name__] = program
    return program


@refusal
def leaf_written(lib, x, y):
    x.mul_(2)


@refusal
def view_of_a_leaf_written(lib, x, y):
    x[0].mul_(2)


@refusal
def leaf_assigned(lib, x, y):
    x[0] = 1.0


@refusal
def view_made_without_grad_written(lib, x, y):
    a = x.clone()
    with lib.no_grad():
        v = a[0]
    v.mul_(2)


@refusal
def unbound_row_written(lib, x, y):
    a = x.clone()
    a.unbind(0)[0].mul_(2)


@refusal
def split_part_written(lib, x, y):
    a = x.clone()
    a.split(2)[0].mul_(2)


@refusal
def chunk_written(lib, x, y):
    a = x.clone()
    a.chunk(2, 1)[1].mul_(2)


@refusal
def saved_input_changed(lib, x, y):
    a = x.clone()
    out = a * y
    a.add_(1)
    out.sum().backward()


@refusal
def saved_result_changed(lib, x, y):
    out = x.exp()
    out.add_(1)
    out.sum().backward()


@refusal
def saved_input_changed_through_a_view(lib, x, y):
    a = x.clone()
    out = a * a
    a[0].zero_()
    out.sum().backward()


@refusal
def saved_input_changed_through_detach(lib, x, y):
    a = x.clone()
    out = a * a
    a.detach().add_(1)
    out.sum().backward()


@refusal
def backward_twice(lib, x, y):
    out = (x * y).sum()
    out.backward()
    out.backward()


@refusal
def backward_from_many(lib, x, y):
    (x * y).backward()


@refusal
def backward_without_graph(lib, x, y):
    x.detach().sum().backward()


@refusal
def expanded_written(lib, x, y):
    y.clone().expand(3, 4).add_(1)


@refusal
def float_into_integers(lib, x, y):
    lib.arange(4).add_(1.5)


@refusal
def grown_by_broadcasting(lib, x, y):
    y.clone().add_(x)


@refusal
def unused_input(lib, x, y):
    lib.autograd.grad(x.sum(), y)


@refusal
def input_without_grad(lib, x, y):
    lib.autograd.grad(x.sum(), lib.ones(3))


@refusal
def gradient_of_another_shape(lib, x, y):
    (x * y).backward(lib.ones(4, dtype=lib.float64))


@refusal
def requires_grad_off_a_result(lib, x, y):
    (x * 2).requires_grad_(False)


@refusal
def gradient_of_what_is_no_leaf(lib, x, y):
    _ = x.grad, x.detach().grad
    kept = x * 2
    kept.retain_grad()
    _ = kept.grad, (x * y).detach().grad
    _ = (x * y)[0].grad  # a warning, which the tests make an error


@refusal
def integers_requiring_grad(lib, x, y):
    lib.arange(3).requires_grad_()


@refusal
def numpy_of_a_graph(lib, x, y):
    (x * 2).numpy()


@refusal
def inference_tensor_saved(lib, x, y):
    with lib.inference_mode():
        a = lib.ones(4, dtype=lib.float64)
    _ = a * y


@refusal
def inference_tensor_written(lib, x, y):
    with lib.inference_mode():
        a = lib.ones(4)
    a.add_(1)
