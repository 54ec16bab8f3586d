"""Parameters that belong to something inside an estimator: ``optimizer__learning_rate``, ``module__hidden``."""

import inspect


class Routed:
    """An estimator whose constructor takes more names than its signature lists.

    ``prefixes`` are those that such names may begin with. ``get_params`` gives everything that was given, as
    scikit-learn's ``clone`` needs it.
    """

    prefixes = ()

    def _keep(self, given):
        """Keeps the arguments beyond the signature."""
        self._extra = given

    def get_params(self, deep=True):
        """All parameters and their values: those of the signature, then the others that were given."""
        found = {name: getattr(self, name) for name in self._get_param_names()}
        return found | self._extra

    def set_params(self, **params):
        """Sets parameters. ``ValueError`` with the names there are for one that is none of them."""
        known = self.get_params()
        for name in params:
            if name not in known and not self._may_take(name):
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {sorted(known)!r}, and "
                    f"names that begin with {', '.join(f'{prefix}__' for prefix in self.prefixes)}."
                )
        own = set(self._get_param_names())
        self._extra = self._extra | {name: value for name, value in params.items() if name not in own}
        for name in own & set(params):
            setattr(self, name, params[name])
        return self

    def _may_take(self, name):
        prefix, found, _ = name.partition("__")
        return bool(found) and prefix in self.prefixes

    def _routed(self, prefix):
        """The parameters of one prefix, without it."""
        start = f"{prefix}__"
        return {
            name[len(start) :]: value
            for name, value in self.get_params(deep=False).items()
            if name.startswith(start)
        }


def accepted(function):
    """The names of a function's parameters, and whether it takes any other."""
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return names, any(p.kind == p.VAR_KEYWORD for p in parameters)
