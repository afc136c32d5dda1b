"""Moving things on the ground, followed over several observers: pure, the same live and in a replay.

``assignment`` pairs what is seen with what is followed, ``motion`` is the filter of one track, ``fusion``
joins the reports of all observers, ``reports`` reads them and puts them in order.
"""
