"""Images that nobody took: a procedural generator in batched PyTorch, the same on the processor and on a GPU."""
