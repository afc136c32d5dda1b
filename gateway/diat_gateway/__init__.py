"""What only a box at the edge has: the line to the platform above, its spool, local buses, cameras.

It imports ``diat``, never the other way; the ``diat gateway`` command comes by an entry point.
"""
