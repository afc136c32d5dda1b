"""Both systems of cameras measured: bytes on real sockets, recall, precision, and how good pictures and maps are."""
