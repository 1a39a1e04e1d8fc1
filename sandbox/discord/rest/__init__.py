"""The REST interface, a module per resource; ``server`` is its front door."""
