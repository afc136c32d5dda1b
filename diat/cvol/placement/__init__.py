"""Placement: on which tier each step of a composite runs, and what the parts of it are then.

``problem`` says what there is to decide, ``solving`` decides it, ``measuring`` finds what it rests on,
``splitting`` makes the parts. All of it is pure: what is to be done about it is the service layer's business.
"""
