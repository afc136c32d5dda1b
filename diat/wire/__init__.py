"""The topic grammar and the envelope of native messages."""
