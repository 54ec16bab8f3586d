"""Rows of random numbers: the same on every backend. Their distributions are tested beside the generators."""

from .case import Case, normal, positive, unit, values

PROBABILITIES = values([[0.1, 0.5, 0.9], [0.0, 1.0, 0.3]])
DRAWS = {
    "rand": (2, 3),
    "randn": (2, 3),
    "randint": (2, 9, (2, 3)),
    "randperm": (9,),
    "rand_like": (normal(2, 3),),
    "randn_like": (normal(2, 3),),
    "randint_like": (normal(2, 3), 5),
    "normal": (normal(2, 3), positive(2, 3)),
    "bernoulli": (PROBABILITIES,),
    "multinomial": (positive(2, 4), 3),
    "uniform_": (unit(2, 3), -1.0, 2.0),
    "normal_": (unit(2, 3), 1.0, 2.0),
    "exponential_": (unit(2, 3), 1.5),
    "bernoulli_": (unit(2, 3), 0.25),
    "random_": (unit(2, 3), 3, 9),
    "poisson": (positive(2, 3),),
    "binomial": (values([[3.0, 5.0, 9.0]]), values([[0.5, 0.1, 0.9]])),
    "cauchy_": (unit(2, 3), 1.0, 2.0),
    "geometric_": (unit(2, 3), 0.25),
    "log_normal_": (unit(2, 3), 1.0, 0.5),
}

CASES = [Case(name, inputs, numpy=None, torch=False, grad=False) for name, inputs in DRAWS.items()]
