"""How a node gets its own credential, at first with the join key, and a renewed one while it is on line."""

import json


def admit(life, payload):
    """Take the credential that the platform gives us, keep it, and come back with it."""
    try:
        given = json.loads(payload)
        credential = [given["username"], given["password"]]
    except (ValueError, TypeError, KeyError):
        return
    if life.credential != credential:
        life.store.save("credential", credential)
        life.credential, life.admitted = credential, True
        life.client.fail("joined")
