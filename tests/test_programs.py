"""Small names that other people's programs need around their models: nested values, processes, records of training."""

import collections
import os
import struct

import numpy as np
import pytest

import minidl
from minidl import nn
from minidl.nn.attention import SDPBackend, sdpa_kernel
from minidl.utils import _pytree
from minidl.utils.tensorboard import SummaryWriter, _checksum

Pair = collections.namedtuple("Pair", "left right")


def test_nested_values_are_taken_apart_and_put_together():
    tree = {
        "b": [1, (2, None)],
        "a": Pair(3, collections.OrderedDict(x=4)),
        "c": collections.defaultdict(list, y=5),
        "d": collections.deque([6], maxlen=2),
    }
    leaves, spec = _pytree.tree_flatten(tree)
    assert leaves == [1, 2, None, 3, 4, 5, 6] and spec.num_leaves == 7
    again = _pytree.tree_unflatten(leaves, spec)
    assert again == tree and type(again["a"]) is Pair and again["d"].maxlen == 2
    assert again["c"].default_factory is list
    assert _pytree.tree_leaves([(1, 2), 3], is_leaf=lambda x: isinstance(x, tuple)) == [(1, 2), 3]
    assert _pytree.tree_map(lambda x, y: x + y, [1, {"k": 2}], [10, {"k": 20}]) == [11, {"k": 22}]
    assert _pytree.tree_map_only(int, lambda x: -x, [1, "s", {"k": 2}]) == [-1, "s", {"k": -2}]


def test_nested_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="has length 1 but the spec refers to a pytree that holds 2"):
        _pytree.tree_unflatten([1], _pytree.tree_structure([1, 2]))
    with pytest.raises(ValueError, match="mismatch"):
        _pytree.tree_map(lambda x, y: x, [1, 2], (1, 2))
    with pytest.raises(ValueError, match="mismatch"):
        _pytree.tree_map(lambda x, y: x, {"a": 1}, {"b": 1})


def records(folder):
    """The messages of the one event file in a folder; checksums must be right."""
    (name,) = (each for each in os.listdir(folder) if each.startswith("events.out.tfevents."))
    with open(os.path.join(folder, name), "rb") as file:
        data = file.read()
    found = []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        message = data[12 : 12 + size]
        assert data[8:12] == _checksum(data[:8]) and data[12 + size : 16 + size] == _checksum(message)
        found.append(message)
        data = data[16 + size :]
    return found


def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at


def message(data):
    """The fields of a protobuf message by number."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size, code = (8, "<d") if key & 7 == 1 else (4, "<f")
            (value,), at = struct.unpack(code, data[at : at + size]), at + size
        fields[key >> 3] = value
    return fields


def test_checksums_of_records_are_castagnolis():
    crc = 0xE3069283  # of b"123456789": the check value of CRC-32C
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert _checksum(b"123456789") == struct.pack("<I", masked)


def test_a_writer_records_scalars(tmp_path):
    writer = SummaryWriter(tmp_path / "run")
    assert writer.get_logdir() == writer.log_dir == str(tmp_path / "run")
    writer.add_scalar("Loss/train", minidl.tensor(0.25, requires_grad=True).detach(), 300, walltime=12.5)
    writer.add_scalar("huge", 1e300)
    writer.close()
    writer.add_scalar("late", 1, 2)  # opens the file again
    writer.close()
    first, scalar, huge, late = map(message, records(tmp_path / "run"))
    assert first[3] == b"brain.Event:2" and first[1] > 1.6e9
    assert scalar[1] == 12.5 and scalar[2] == 300
    assert message(message(scalar[5])[1]) == {1: b"Loss/train", 2: 0.25}
    assert message(message(huge[5])[1])[2] == np.inf and message(message(late[5])[1])[1] == b"late"


def test_a_writer_records_groups_texts_and_histograms(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("loss", {"train": 1.0, "test": 2.0}, 3)
        writer.add_text("note", "*hello*")
        writer.add_histogram("weights", minidl.tensor([[1.0, 2.0], [2.0, 5.0]]), 1, bins=[0.0, 2.0, 4.0, 6.0])
    assert sorted(each for each in os.listdir(tmp_path) if "events" not in each) == [
        "loss_test",
        "loss_train",
    ]
    assert message(message(message(records(tmp_path / "loss_test")[1])[5])[1])[2] == 2.0
    _, text, histogram = (
        message(message(message(each).get(5, b"")).get(1, b"")) for each in records(tmp_path)
    )
    assert text[1] == b"note/text_summary" and message(text[8])[8] == b"*hello*"
    counted = message(histogram[5])
    assert [counted[number] for number in (1, 2, 3, 4, 5)] == [1.0, 5.0, 4.0, 10.0, 34.0]
    assert np.frombuffer(counted[6]).tolist() == [2.0, 4.0, 6.0] and np.frombuffer(counted[7]).tolist() == [
        1,
        2,
        1,
    ]


def test_a_writer_says_what_it_does_not_write(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(NotImplementedError, match="add_image is not supported"):
            writer.add_image("image", None)
        with pytest.raises(ValueError, match="no element"):
            writer.add_histogram("none", minidl.empty(0))
        with pytest.raises(ValueError, match="not finite"):
            writer.add_histogram("nan", minidl.tensor([np.nan]))
        assert not hasattr(writer, "nothing")


def _fill(index, folder, text):
    with open(os.path.join(folder, str(index)), "w") as file:
        file.write(text)
    if text == "bad":
        raise KeyError("what is wrong")
    if text == "gone":
        os._exit(3)


def test_processes(tmp_path):
    mp = minidl.multiprocessing
    assert mp.start_processes(_fill, (tmp_path, "good"), nprocs=2, start_method="fork") is None
    assert sorted(os.listdir(tmp_path)) == ["0", "1"]
    with pytest.raises(mp.ProcessRaisedException, match=r"Process 0 terminated(.|\n)*what is wrong"):
        mp.start_processes(_fill, (tmp_path, "bad"), start_method="fork")
    context = mp.start_processes(_fill, (tmp_path, "gone"), join=False, start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="process 0 terminated with exit code 3"):
        while not context.join():
            pass
    assert len(context.pids()) == 1 and mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(AssertionError, match="unknown sharing strategy"):
        mp.set_sharing_strategy("by post")


def test_attention_may_be_asked_for_a_kernel():
    q = minidl.ones(1, 1, 2, 4)
    with sdpa_kernel(SDPBackend.MATH):
        assert nn.functional.scaled_dot_product_attention(q, q, q).shape == (1, 1, 2, 4)
    with pytest.raises(AssertionError, match="SDPBackend"), sdpa_kernel("flash"):
        pass


class Coin(minidl.distributions.Distribution):
    def __init__(self, p):
        self.p = p
        super().__init__(p.shape)

    variance = property(lambda self: self.p * (1 - self.p))

    def rsample(self, sample_shape=()):
        return (minidl.rand(self._extended_shape(sample_shape)) < self.p).float() * self.p

    def entropy(self):
        return -(self.p * self.p.log() + (1 - self.p) * (1 - self.p).log())


def test_programs_may_ask_for_distributions_and_define_their_own():
    base = minidl.distributions.distribution.Distribution
    coin = Coin(minidl.tensor([0.5, 0.5], requires_grad=True))
    assert not isinstance(minidl.ones(1), base) and isinstance(coin, base)
    assert (
        coin.sample((3,)).shape == (3, 2) and not coin.sample().requires_grad and coin.rsample().requires_grad
    )
    assert np.allclose(coin.perplexity().detach().numpy(), 2) and np.allclose(
        coin.stddev.detach().numpy(), 0.5
    )
    assert coin.batch_shape == (2,) and coin.event_shape == ()
    for ask in (lambda: coin.mean, lambda: coin.log_prob(1), lambda: coin.cdf(1), lambda: coin.icdf(1)):
        with pytest.raises(NotImplementedError):
            ask()


def test_devices_of_other_makers_are_denied():
    x = minidl.ones(1)
    assert not any((x.is_mps, x.is_xpu, x.is_xla, x.is_nested)) and x.is_cpu
