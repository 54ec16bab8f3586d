"""Preparing data without further packages: scaling, encoding labels, splitting. Names as scikit-learn's.

>>> from minidl.preprocessing import StandardScaler
>>> StandardScaler().fit_transform([[0.0], [2.0]]).tolist()
[[-1.0], [1.0]]
"""

from minidl.preprocessing.encoders import LabelBinarizer, LabelEncoder, OneHotEncoder
from minidl.preprocessing.scalers import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler
from minidl.preprocessing.split import train_test_split

__all__ = [
    "LabelBinarizer",
    "LabelEncoder",
    "MaxAbsScaler",
    "MinMaxScaler",
    "Normalizer",
    "OneHotEncoder",
    "StandardScaler",
    "train_test_split",
]
