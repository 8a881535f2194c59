"""What runs in the process of a model-written program. Imports nothing of repro."""
