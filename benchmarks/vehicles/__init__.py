"""Vehicle localisation: the six cases of the lecture on real processes and sockets, beside its model."""
