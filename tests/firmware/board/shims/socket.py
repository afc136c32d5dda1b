# The board has TCP by its streams alone: what needs datagrams is tested on CPython, its messages here too.
SOCK_DGRAM = 2
