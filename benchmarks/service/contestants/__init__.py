"""The clients that are compared: each module is a process of its own, run with ``python -m``."""
