"""``NeuralNetClassifier`` and ``NeuralNetRegressor``: an ``nn`` module, its loss and optimizer, as an estimator."""

import copy
import time

import numpy as np

import minidl
from minidl import nn, optim
from minidl.keras.engine.progress import is_live
from minidl.keras.engine.seeding import seeded
from minidl.keras.wrappers.estimator import Classifying, Estimator, Regressing
from minidl.keras.wrappers.net_history import NetHistory, Table
from minidl.keras.wrappers.routing import Routed, accepted
from minidl.keras.wrappers.split import ValidSplit

__all__ = ["NeuralNetClassifier", "NeuralNetRegressor"]


class _NeuralNet(Routed, Estimator):
    """What the two share: making the module, the loop over epochs and batches."""

    prefixes = ("module", "criterion", "optimizer", "iterator_train", "iterator_valid", "callbacks")
    _stratified = False

    def __init__(
        self, module, criterion=None, optimizer=optim.SGD, lr=0.01, max_epochs=10, batch_size=128, train_split=5,
        callbacks=None, warm_start=False, verbose=1, device="cpu", random_state=None, **kwargs,
    ):  # fmt: skip
        self.module, self.criterion, self.optimizer = module, criterion, optimizer
        self.lr, self.max_epochs, self.batch_size = lr, max_epochs, batch_size
        self.train_split, self.callbacks, self.warm_start = train_split, callbacks, warm_start
        self.verbose, self.device, self.random_state = verbose, device, random_state
        self._keep(kwargs)

    # --- making ---------------------------------------------------------------------------------------------------

    def initialize(self, X=None):
        """Makes module, criterion and optimizer from their parameters; ``fit`` does so by itself.

        The module sees a sample of X first, so that layers which wait for their first input have their weights.
        """
        routed = self._routed("module")
        if not isinstance(self.module, nn.Module) and "meta" in accepted(self.module)[0] and X is not None:
            routed = {"meta": self._meta()} | routed
        self.module_ = _made(self.module, routed).to(self.device)
        if X is not None:
            self.forward(X[:1])
        criterion = self._default_criterion if self.criterion is None else self.criterion
        self.criterion_ = _made(criterion, self._routed("criterion")).to(self.device)
        self._make_optimizer()
        self.history_ = NetHistory()
        return self

    def _make_optimizer(self):
        routed = self._routed("optimizer")
        self.optimizer_ = self.optimizer(self.module_.parameters(), **({"lr": self.lr} | routed))

    @property
    def history(self):
        """What every epoch ended with: a list of dicts that takes ``history[:, "train_loss"]``."""
        return self.history_

    # --- training -------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None):
        """Trains for ``max_epochs``: a new module, or with ``warm_start`` the one there is."""
        again = not (self.warm_start and hasattr(self, "module_"))
        return self._fit(X, y, sample_weight, again, self.max_epochs)

    def _fit(self, X, y, sample_weight, again, epochs, **options):
        with seeded(self.random_state):
            size = 2**62 if self.batch_size == -1 else self.batch_size
            X, y, weights = self._targets(X, y, sample_weight, again, size, **options)
            if again:
                self.initialize(X)
            self._loop(X, y, weights, epochs, min(size, len(X)))
        return self

    def _loop(self, X, y, weights, epochs, size):
        train, valid = self._split(X, y)
        calls = self._own_callbacks()
        table = Table(is_live()) if self.verbose else None
        _tell(calls, "on_train_begin", self, X=X, y=y)
        try:
            for _ in range(epochs):
                start = time.perf_counter()
                _tell(calls, "on_epoch_begin", self)
                row = {
                    "epoch": len(self.history_) + 1,
                    "train_loss": self._epoch(X, y, weights, train, size, calls),
                }
                if len(valid):
                    row |= self._validated(X, y, weights, valid)
                row["dur"] = time.perf_counter() - start
                self.history_.append(row)
                _tell(calls, "on_epoch_end", self)
                if table is not None:
                    table.row(self.history_)
        except KeyboardInterrupt:  # how a callback, or the user, ends the training
            pass
        _tell(calls, "on_train_end", self, X=X, y=y)

    def _split(self, X, y):
        split = self.train_split
        if split is None or split is False:
            return np.arange(len(X)), np.arange(0)
        if not callable(split):
            split = ValidSplit(split, stratified=self._stratified)
        train, valid = split(X, y)
        return (train, valid) if len(train) else (valid, train)

    def _epoch(self, X, y, weights, rows, size, calls):
        shuffle = self._routed("iterator_train").get("shuffle", False)
        order = np.random.permutation(rows) if shuffle else rows
        total = seen = 0.0
        self.module_.train()
        for start in range(0, len(order), size):
            part = order[start : start + size]
            _tell(calls, "on_batch_begin", self, batch=part, training=True)
            self.optimizer_.zero_grad()
            loss, share = self._loss(X[part], y[part], None if weights is None else weights[part])
            loss.backward()
            self.optimizer_.step()
            total, seen = total + loss.item() * share, seen + share
            _tell(calls, "on_batch_end", self, batch=part, training=True)
        return total / seen

    def _loss(self, X, y, weights):
        """The loss of a batch, the mean over its samples by weight, and the weights' sum."""
        outputs = self.module_(self._inputs_of(X))
        target = self._to_tensor(y)
        if weights is None:
            return self._criterion(outputs, target), float(len(X))
        whole, self.criterion_.reduction = self.criterion_.reduction, "none"
        try:
            each = self._criterion(outputs, target)
        finally:
            self.criterion_.reduction = whole
        each = each.reshape(len(X), -1).mean(1)
        own = minidl.tensor(weights, dtype=each.dtype, device=self.device)
        return (each * own).sum() / own.sum(), float(weights.sum())

    def _validated(self, X, y, weights, rows):
        self.module_.eval()
        own = None if weights is None else weights[rows]
        with minidl.no_grad():
            return {"valid_loss": self._loss(X[rows], y[rows], own)[0].item()}

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Trains ``max_epochs`` more; the first call makes the module. ``classes`` names all there will be."""
        again = not hasattr(self, "module_")
        options = {} if classes is None else {"classes": classes}
        return self._fit(X, y, sample_weight, again, self.max_epochs, **options)

    def _own_callbacks(self):
        given = [] if self.callbacks is None else list(self.callbacks)
        given = [item[1] if isinstance(item, tuple) else item for item in given]
        return [item() if isinstance(item, type) else copy.deepcopy(item) for item in given]

    # --- running --------------------------------------------------------------------------------------------------

    def _to_tensor(self, array, whole=True):
        """A tensor on the device: int64 of classes, and of the numbers that an ``Embedding`` takes, else float32."""
        kind = minidl.int64 if np.issubdtype(array.dtype, np.integer) and whole else minidl.float32
        return minidl.tensor(array, dtype=kind, device=self.device)

    def _inputs_of(self, X):
        return self._to_tensor(
            X, whole=any(isinstance(layer, nn.Embedding) for layer in self.module_.modules())
        )

    def _found(self, X):
        X = self._inputs(X)
        size = len(X) if self.batch_size == -1 else self.batch_size
        was = self.module_.training
        self.module_.eval()
        with minidl.no_grad():
            parts = [
                self._decided(self.module_(self._inputs_of(X[start : start + size]))).cpu().numpy()
                for start in range(0, len(X), size)
            ]
        self.module_.train(was)
        return np.concatenate(parts)

    def _decided(self, outputs):
        return outputs

    def forward(self, X):
        """The module's outputs for X, a tensor."""
        self.module_.eval()
        with minidl.no_grad():
            return self.module_(self._inputs_of(np.asarray(X)))

    # --- files ----------------------------------------------------------------------------------------------------

    def save_params(self, f_params):
        """Writes the module's weights to a file."""
        minidl.save(self.module_.state_dict(), f_params)
        return self

    def load_params(self, f_params):
        """Reads what ``save_params`` wrote, into a net that is fitted or made by ``initialize``."""
        if not hasattr(self, "module_"):
            self.initialize()
        self.module_.load_state_dict(minidl.load(f_params))
        return self


class NeuralNetClassifier(Classifying, _NeuralNet):
    """A classifier of an ``nn.Module`` class (or object): trained by a loop over epochs and batches.

    ``module__hidden=20`` goes to the module's constructor, ``optimizer__momentum`` to the optimizer's,
    ``criterion__...`` to the loss's; a constructor that takes ``meta`` gets what is known of the data:
    ``meta["n_features_in_"]``, ``meta["n_classes_"]``, ... The default criterion is ``NLLLoss`` of the logarithm of
    the module's probabilities (N, classes); with ``CrossEntropyLoss`` and ``BCEWithLogitsLoss`` the module gives
    logits, with ``BCELoss`` the probability of the second class. ``train_split`` folds (or a fraction) validate;
    None: none.
    Callbacks are objects with any of ``on_train_begin(net, X, y)``, ``on_epoch_begin(net)``, ``on_batch_begin(net)``,
    ``on_batch_end``, ``on_epoch_end``, ``on_train_end``, and ``**kwargs``; KeyboardInterrupt ends the training.
    Source: the interface of skorch's ``NeuralNetClassifier``.

    >>> import numpy as np
    >>> from minidl import nn
    >>> from minidl.keras.wrappers import NeuralNetClassifier
    >>> class Net(nn.Module):
    ...     def __init__(self, hidden=8):
    ...         super().__init__()
    ...         self.layers = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, 2))
    ...
    ...     def forward(self, x):
    ...         return self.layers(x)
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> net = NeuralNetClassifier(
    ...     Net,
    ...     criterion=nn.CrossEntropyLoss,
    ...     lr=0.5,
    ...     max_epochs=60,
    ...     module__hidden=16,
    ...     random_state=0,
    ...     verbose=0,
    ... )
    >>> net.fit(x, np.where(x[:, 0] > 0, "yes", "no")).predict([[-0.9], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """

    _stratified = True
    _default_criterion = nn.NLLLoss

    def __init__(
        self, module, criterion=None, optimizer=optim.SGD, lr=0.01, max_epochs=10, batch_size=128, train_split=5,
        callbacks=None, warm_start=False, verbose=1, device="cpu", random_state=None, class_weight=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            module, criterion, optimizer, lr, max_epochs, batch_size, train_split, callbacks, warm_start, verbose,
            device, random_state, **kwargs,
        )  # fmt: skip
        self.class_weight = class_weight

    def _criterion(self, outputs, target):
        loss = self.criterion_
        if isinstance(loss, (nn.BCELoss, nn.BCEWithLogitsLoss)):
            return loss(outputs, target.to(outputs.dtype).reshape(outputs.shape))
        self._demand_outputs(outputs.shape[1] if outputs.ndim > 1 and outputs.shape[1] > 1 else 0)
        if isinstance(loss, nn.NLLLoss) and not isinstance(loss, nn.CrossEntropyLoss):
            outputs = (outputs + 1e-12).log()
        return loss(outputs, target)

    def _decided(self, outputs):
        if isinstance(self.criterion_, nn.CrossEntropyLoss):
            return outputs.softmax(-1)
        return outputs.sigmoid() if isinstance(self.criterion_, nn.BCEWithLogitsLoss) else outputs

    def _validated(self, X, y, weights, rows):
        found = super()._validated(X, y, weights, rows)
        if y.ndim == 1:
            with minidl.no_grad():
                outputs = self._decided(self.module_(self._inputs_of(X[rows]))).cpu().numpy()
            right = self._probabilities(outputs).argmax(axis=1) == y[rows]
            found["valid_acc"] = float(np.average(right, weights=None if weights is None else weights[rows]))
        return found

    def predict_proba(self, X):
        """The classes' probabilities, (N, classes), in the order of ``classes_``."""
        return self._probabilities(self._found(X))

    def predict(self, X):
        """The labels of the samples."""
        return self._labels(self.predict_proba(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # a few epochs of a net of the user's own promise nothing
        return tags


class NeuralNetRegressor(Regressing, _NeuralNet):
    """A regressor of an ``nn.Module``; see ``NeuralNetClassifier``. The default criterion is ``MSELoss``.

    >>> import numpy as np
    >>> from minidl import nn
    >>> from minidl.keras.wrappers import NeuralNetRegressor
    >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> net = NeuralNetRegressor(
    ...     nn.Linear,
    ...     module__in_features=1,
    ...     module__out_features=1,
    ...     lr=0.5,
    ...     max_epochs=50,
    ...     train_split=None,
    ...     random_state=0,
    ...     verbose=0,
    ... )
    >>> net.fit(x, 2 * x[:, 0] + 1).score(x, 2 * x[:, 0] + 1) > 0.99
    True
    """

    _default_criterion = nn.MSELoss

    def _criterion(self, outputs, target):
        return self.criterion_(outputs, target.reshape(outputs.shape) if target.ndim == 1 else target)

    def predict(self, X):
        """The values for the samples, (N,) or (N, outputs)."""
        return self._values(self._found(X))

    def partial_fit(self, X, y, sample_weight=None):
        """Trains ``max_epochs`` more; the first call makes the module."""
        return super().partial_fit(X, y, None, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a few epochs of a net of the user's own promise nothing
        return tags


def _made(what, arguments):
    """An object of a class or a function; one that is there is copied, so that every fit begins alike."""
    if isinstance(what, type) or not isinstance(what, nn.Module):
        return what(**arguments)
    return type(what)(**arguments) if arguments else copy.deepcopy(what)


def _tell(calls, moment, net, **details):
    for call in calls:
        method = getattr(call, moment, None)
        if method is not None:
            method(net, **details)
