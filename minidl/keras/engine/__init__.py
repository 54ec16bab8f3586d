"""The engine of the Keras face: layers, graphs, models, the training loop and what it shows."""
