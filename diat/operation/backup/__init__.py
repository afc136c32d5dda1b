"""Backups of a data directory, made while its platform runs, and bringing one back.

A backup is one file: a tar compressed by Zstandard, sealed by a passphrase if there is one. Its first member
says what it is, its last one, the manifest, has the SHA-256 of each of the others.
"""
