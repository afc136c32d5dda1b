"""The tables. Every row belongs to one thing or one service, so a partition key can come later as a column.

Times are Unix milliseconds; JSON is kept as text. Migrations (``migrations/versions``) build them; a test
holds the two against each other.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

META = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

THINGS = Table(
    "things",
    metadata,
    Column("id", Text, primary_key=True),
    Column("no", Integer, nullable=False, unique=True),
    Column("record", Text, nullable=False),
)

ANNOUNCEMENTS = Table(
    "announcements",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("thing", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
)

BURIED = Table(
    "buried",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("thing", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

TWINS = Table(
    "twins",
    metadata,
    Column("thing", Text, primary_key=True),
    Column("state", Text, nullable=False),
)

HELD = Table(
    "held",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("thing", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("received", BigInteger, nullable=False),
)

DIAGNOSTICS = Table(
    "diagnostics",
    metadata,
    Column("thing", Text, primary_key=True),
    Column("lines", Text, nullable=False),
)

# One row for each message: its values together, as the limit that we measure against does it.
READINGS = Table(
    "readings",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("thing", Integer, nullable=False),
    Column("observed", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("boot", Text),
    Column("n", BigInteger),
    Column("quality", Text, nullable=False),
    Column("reported", Text, nullable=False),
)
Index("readings_by_thing", READINGS.c.thing, READINGS.c.observed)

EVENTS = Table(
    "events",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("thing", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("observed", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("boot", Text),
    Column("n", BigInteger),
    Column("data", Text, nullable=False),
)
Index("events_by_thing", EVENTS.c.thing, EVENTS.c.event, EVENTS.c.observed)

NOTICES = Table(
    "notices",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("patch", Text),
)

ACTUATIONS = Table(
    "actuations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("thing", Text, nullable=False),
    Column("service", Text),
    Column("created", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
)
Index("actuations_by_time", ACTUATIONS.c.created)
Index("actuations_open", ACTUATIONS.c.id, sqlite_where=ACTUATIONS.c.state == "pending")

ACTUATORS = Table(
    "actuators",
    metadata,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

TEMPLATES = Table(
    "templates",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

MODELS = Table(
    "models",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

SERVICES = Table(
    "services",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

SITUATIONS = Table(
    "situations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

RELEASES = Table(
    "releases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

ROLLOUTS = Table(
    "rollouts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

WEBHOOKS = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

TOPICS = Table(
    "topics",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("thing", Text, nullable=False),
)

PUSHDOWN = Table(
    "pushdown",
    metadata,
    Column("thing", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

COMPOSITES = Table(
    "composites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
)

USERS = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

TOKENS = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

CREDENTIALS = Table(
    "credentials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

POLICIES = Table(
    "policies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

SECRETS = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

SETTINGS = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

PEERS = Table(
    "peers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

DELEGATIONS = Table(
    "delegations",
    metadata,
    Column("service", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

AUDIT = Table(
    "audit",
    metadata,
    Column("no", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("link", Text, nullable=False),
)

# --- between tiers ---

# Where the steps of services run; at a gateway, the parts of services of the daemon above.
PLACINGS = Table(
    "placings",
    metadata,
    Column("composite", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

PARTS = Table(
    "parts",
    metadata,
    Column("service", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

# At a daemon that gateways are joined to: whose things are whose, and how far each gateway has got.
TIES = Table(
    "ties",
    metadata,
    Column("thing", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
)

LINES = Table(
    "lines",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

# At a gateway: what waits to go up, what of each thing has gone, and which commands came down.
SPOOL = Table(
    "spool",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("thing", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("n", BigInteger),
    Column("lost", BigInteger, nullable=False),
    Column("observed", BigInteger),
    Column("body", Text, nullable=False),
)
Index("spool_by_lane", SPOOL.c.lane, SPOOL.c.due, SPOOL.c.seq)

PASSED = Table(
    "passed",
    metadata,
    Column("thing", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

TOLD = Table(
    "told",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
