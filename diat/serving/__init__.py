"""A daemon as a process: its REST served, its owner's token kept, until somebody ends it."""
