"""Generated scenes: a junction seen by several cameras, with everything that happens there known.

For measurements, the demo and the tests. They are easier than real streets: use them to see what got worse
and for the laws of occupancy, not for claims on accuracy outside.
"""
