"""Cameras at the edge: what they see leaves as records, or as video while something moves; clips stay here.

Needs the extra ``cameras`` (OpenCV, PyAV, NumPy, SciPy). A camera is a native thing; ``camera.py`` joins the
parts: ``sources`` give pictures, ``seeing`` finds what moves in them and says when it cannot see, ``levels``
decide what leaves, ``shelf`` keeps clips.
"""
