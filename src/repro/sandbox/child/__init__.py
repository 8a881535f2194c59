"""What runs in the process of a model-written program. Imports nothing of repro.

``start.py`` is the script; the others are its modules, a package only so that they are installed.
"""
