"""Services whose steps run on several tiers: where they had better run, and how they come there.

``placing`` is what is remembered of a service, ``divided`` makes its parts, ``asking`` and ``telling`` are
what gateways hear, ``moving`` moves steps, and ``placings`` is all of it as the service layer sees it.
``rates``, ``lives``, ``flows`` and ``links`` are what is measured and expected, ``proposing`` and
``reviewing`` decide.
"""
