"""Decisions against a naive reader of the same documents: no Cedar, nothing kept, one after the other."""

import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from diat.kernel.durations import parse_duration
from diat.security.cedar import Compiled, statements
from diat.security.decisions import Decisions
from diat.security.operations import LEAST, Target
from diat.security.policy import read_document
from diat.security.principal import ROLES, Grant, Principal

ZONE = ZoneInfo("Europe/Berlin")
TRIPLES = 100_000
SETS = 100
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PLACES = ["", "hq", "hq/1", "hq/1/Bed Room", "hq/2", "hq/2/kitchen", "plant", "plant/hall é"]
QUANTITIES = ["Temperature", "Occupancy", "Illuminance", "Power"]
TYPES = ["saref:Sensor", "saref:Meter", 'odd"type\n']
NAMES = ["anna", "ben", 'o"neil\\', "ünal"]
THINGS = ["urn:dev:1", "urn:dev:2", "urn:dev:3"]
SERVICES = ["s1", "s2"]
PURPOSES = ["comfort", "billing"]
SITUATIONS = ["fire", "night"]
KINDS = ["local", "user", "account", "thing", "service", "situation", "daemon"]
NAMED = {
    "users": "user",
    "accounts": "account",
    "services": "service",
    "things": "thing",
    "situations": "situation",
    "daemons": "daemon",
}


def naive(principal, operation, target, documents, moment):
    """Effect, forms and delay, by the sentences of docs/reference/policies.md one after the other."""
    role = _role(principal, target.place)
    by_role = role is not None and ROLES.index(role) >= ROLES.index(LEAST[operation])
    if by_role and operation == "administer" and target.kind == "platform":
        return "permit", [], 0
    holding = [
        doc for _, doc in sorted(documents.items()) if _applies(doc, principal, operation, target, moment)
    ]
    if any(doc["effect"] == "deny" for doc in holding):
        return "deny", [], 0
    if not by_role and not any(doc["effect"] == "permit" for doc in holding):
        return "deny", [], 0
    forms = [doc["modify"] for doc in holding if doc["effect"] == "modify"]
    delay = max([parse_duration(doc["delay"]) for doc in holding if doc["effect"] == "delay"], default=0)
    return "modify" if forms else "delay" if delay else "permit", forms, delay


def _applies(doc, principal, operation, target, moment):
    who, what, when = doc.get("who", {}), doc.get("what", {}), doc.get("when", {})
    named = [(kind, name) for key, kind in NAMED.items() for name in who.get(key, [])]
    things = [("thing", each) for each in what.get("things", [])]
    things += [("service", each) for each in what.get("services", [])]
    minute, day, situations = moment
    checks = [
        not doc.get("operations") or operation in doc["operations"],
        not who.get("kinds") or principal.kind in who["kinds"],
        not named or (principal.kind, principal.name) in named,
        not who.get("roles") or _role(principal, target.place) in who["roles"],
        not who.get("purposes") or principal.purpose in who["purposes"],
        not things or (target.kind, target.id) in things,
        not what.get("places") or any(_inside(target.place, each) for each in what["places"]),
        not what.get("quantities") or set(what["quantities"]) & set(target.quantities),
        not what.get("types") or set(what["types"]) & set(target.types),
        not what.get("affordances") or target.affordance in what["affordances"],
        not when.get("days") or day in when["days"],
        "situation" not in when or when["situation"] in situations,
        "unless" not in when or when["unless"] not in situations,
        "from" not in when or _within(minute, when["from"], when["to"]),
    ]
    return all(checks)


def _role(principal, place):
    best = None
    for grant in principal.grants:
        if (grant.places is None or any(_inside(place, each) for each in grant.places if each)) and (
            best is None or ROLES.index(grant.role) > ROLES.index(best)
        ):
            best = grant.role
    return best


def _inside(place, whole):
    def parts(path):
        return [each.strip().lower().replace(" ", "-") for each in path.split("/") if each.strip()]

    inner, outer = parts(place), parts(whole)
    return inner[: len(outer)] == outer


def _within(minute, start, end):
    start, end = (int(each[:2]) * 60 + int(each[3:]) for each in (start, end))
    return start <= minute < end if start < end else minute >= start or minute < end


class Chance:
    """Random policies, principals, targets and moments."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, choices, likely=0.3, most=2):
        if self.random.random() > likely:
            return []
        return self.random.sample(choices, self.random.randint(1, min(most, len(choices))))

    def document(self):
        who = {
            "kinds": self.some(KINDS, 0.15, 4),
            "roles": self.some(list(ROLES), 0.25),
            "purposes": self.some(PURPOSES, 0.15, 1),
            "users": self.some(NAMES, 0.2),
            "services": self.some(SERVICES, 0.1),
            "things": self.some(THINGS, 0.05),
            "daemons": self.some(NAMES, 0.05),
        }
        what = {
            "quantities": self.some(QUANTITIES),
            "types": self.some(TYPES, 0.15),
            "places": self.some(PLACES[1:], 0.3),
            "things": self.some(THINGS, 0.15),
            "services": self.some(SERVICES, 0.05),
            "affordances": self.some(["value", "on"], 0.1),
        }
        when = {"days": self.some(DAYS, 0.2, 4)}
        if self.random.random() < 0.25:
            times = self.random.sample(["00:00", "06:00", "12:30", "22:00", "23:59"], 2)
            when |= {"from": times[0], "to": times[1]}
        for key in ("situation", "unless"):
            if self.random.random() < 0.15:
                when[key] = self.random.choice(SITUATIONS)
        effect = self.random.choice(["permit", "permit", "deny", "modify", "delay"])
        said = {
            "effect": effect,
            "operations": self.some(list(LEAST), 0.6, 5),
            "who": {key: value for key, value in who.items() if value},
            "what": {key: value for key, value in what.items() if value},
            "when": {key: value for key, value in when.items() if value},
        }
        if effect == "modify":
            said["modify"] = self.random.choice([{"round": 0.5}, {"coarsen": "5m"}, {"drop": ["x"]}])
        if effect == "delay":
            said["delay"] = self.random.choice(["10m", "1h", "P1D"])
        return said

    def principal(self):
        grants = tuple(
            Grant(
                role=self.random.choice(ROLES),
                places=None if self.random.random() < 0.3 else tuple(self.random.sample(PLACES, 2)),
            )
            for _ in range(self.random.choice([0, 1, 1, 2]))
        )
        kind = self.random.choice([*KINDS, "user", "user", "service"])
        names = {"service": SERVICES, "thing": THINGS}.get(kind, NAMES)
        purpose = self.random.choice(["", *PURPOSES])
        return Principal(kind=kind, name=self.random.choice(names), grants=grants, purpose=purpose)

    def target(self):
        kind = self.random.choice(["thing", "thing", "thing", "service", "platform"])
        return Target(
            id={"thing": self.random.choice(THINGS), "service": self.random.choice(SERVICES)}.get(kind, ""),
            kind=kind,
            affordance=self.random.choice(["", "value", "on"]),
            place=self.random.choice(PLACES),
            quantities=tuple(self.some(QUANTITIES, 0.8)),
            types=tuple(self.some(TYPES, 0.5)),
        )

    def moment(self):
        return self.random.randrange(1_760_000_000_000, 1_790_000_000_000)


@pytest.mark.timeout(300)
def test_100_000_decisions_are_those_of_a_naive_reader():
    chance = Chance(5)
    effects = dict.fromkeys(("permit", "deny", "modify", "delay"), 0)
    seen = set()
    for _ in range(SETS):
        documents = {f"p{n}": chance.document() for n in range(chance.random.randint(0, 12))}
        decisions = Decisions(ZONE)
        decisions.rest_on(
            Compiled(each for name, doc in documents.items() for each in statements(name, read_document(doc)))
        )
        for _ in range(TRIPLES // SETS // 50):
            situations = frozenset(chance.some(SITUATIONS, 0.7))
            now = chance.moment()
            local = datetime.fromtimestamp(now / 1000, ZONE)
            moment = (local.hour * 60 + local.minute, DAYS[local.weekday()], situations)
            decisions.rest_on(situations=situations)
            for _ in range(50):
                triple = chance.principal(), chance.random.choice(list(LEAST)), chance.target()
                decision = decisions.decide(*triple, now)
                found = decision.effect, list(decision.modify), decision.delay
                assert found == naive(*triple, documents, moment), (triple, documents, moment)
                assert decisions.decide(*triple, now) == decision
                effects[decision.effect] += 1
                seen.add(hash(triple))
    assert sum(effects.values()) == TRIPLES
    assert min(effects.values()) > TRIPLES / 200, effects
    assert len(seen) > TRIPLES / 2


def test_what_is_kept_turns_with_the_time_of_day():
    """A decision that is kept never says otherwise than one taken anew, the clocks being changed too."""
    chance = Chance(7)
    for start in (1_774_648_800_000, 1_792_800_000_000):  # around both changes of the clocks of 2026
        documents = {f"p{n}": chance.document() for n in range(20)}
        compiled = Compiled(s for n, d in documents.items() for s in statements(n, read_document(d)))
        kept = Decisions(ZONE)
        kept.rest_on(compiled, frozenset({"night"}))
        triples = [
            (chance.principal(), chance.random.choice(list(LEAST)), chance.target()) for _ in range(20)
        ]
        now = start
        while now < start + 3 * 86_400_000:
            fresh = Decisions(ZONE)
            fresh.rest_on(compiled, frozenset({"night"}))
            for triple in triples:
                assert kept.decide(*triple, now).effect == fresh.decide(*triple, now).effect
            now += chance.random.randrange(60_000, 7_200_000)
