"""Both systems of cameras measured: bytes on sockets, recall, precision, quality of pictures and maps."""
