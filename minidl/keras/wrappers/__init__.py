"""Models as scikit-learn estimators: Keras models by ``KerasClassifier``, ``nn`` modules by ``NeuralNetClassifier``.

It needs scikit-learn, and says so in one line where that is not installed.
"""

from minidl.keras.wrappers.neural_net import NeuralNetClassifier, NeuralNetRegressor
from minidl.keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from minidl.keras.wrappers.split import ValidSplit

__all__ = ["KerasClassifier", "KerasRegressor", "NeuralNetClassifier", "NeuralNetRegressor", "ValidSplit"]
