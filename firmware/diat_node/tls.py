"""TLS to a broker whose certificate we were given an authority for."""

import ssl


def trusting(authority):
    """A context that takes only certificates signed by this one (PEM, or DER as chips prefer)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority)
    return context
