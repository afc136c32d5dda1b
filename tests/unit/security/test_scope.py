"""Invariant: a token gives at most what its owner has, whatever scope somebody writes into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diat.security.accounts import Token, User, csrf_of, digest, new_secret, read, redacted, written
from diat.security.operations import LEAST, Target, role_permits
from diat.security.principal import ROLES, Grant, Principal
from diat.security.scope import covers, narrowed

PLACES = ("a", "a/b", "a/b/c", "A /B", "a/bb", "b", "")
RIGHT = "diat_0123456789abcdef_" + "a" * 43
places = st.none() | st.lists(st.sampled_from(PLACES), max_size=3).map(tuple)
grants = st.lists(st.builds(Grant, role=st.sampled_from(ROLES), places=places), max_size=3).map(tuple)
targets = st.sampled_from(["", *PLACES, "a/b/c/d", "c"]).map(lambda place: Target(id="x", place=place))


def may(held, operation, target):
    return role_permits(Principal(kind="user", name="x", grants=held), operation, target)


@given(grants, st.none() | st.sampled_from(ROLES), places, st.sampled_from(list(LEAST)), targets)
def test_a_scope_permits_what_owner_and_scope_both_permit(held, role, where, operation, target):
    scope = Grant(role=role or "admin", places=where)
    wanted = may(held, operation, target) and may((scope,), operation, target)
    assert may(narrowed(held, role, where), operation, target) == wanted


@given(grants, st.sampled_from(ROLES), places, st.sampled_from(list(LEAST)), targets)
def test_what_is_covered_permits_nothing_more(held, role, where, operation, target):
    wanted = Grant(role=role, places=where)
    if covers(held, wanted) and may((wanted,), operation, target):
        assert may(held, operation, target)


def test_a_token_is_read_as_it_was_written():
    secret = new_secret()
    assert read(written("0123456789abcdef0123", secret)) == ("0123456789abcdef0123", secret)


@pytest.mark.parametrize(
    "text",
    ["", "diat_", "diat__", f"diat_xyz_{'a' * 43}", "diat_0123456789abcdef_short", f" {RIGHT}", f"{RIGHT}\n",
     RIGHT.upper()],
)  # fmt: skip
def test_what_is_no_token_is_not_read(text):
    assert read(text) is None


def test_secrets_are_in_no_representation():
    secret = new_secret()
    token = Token(id="t", user="ada", digest=digest(secret), created=0, expires=10)
    user = User(name="ada", password="$argon2id$kept", created=0, modified=0)
    for shown in (
        repr(token),
        str(token),
        f"{token}",
        repr([token]),
        repr(user),
        f"{user}",
        repr({"u": user}),
    ):
        assert secret not in shown
        assert digest(secret) not in shown
        assert "argon2" not in shown
    assert [*token.__rich_repr__()] == ["t", "token", "ada"]
    assert [*user.__rich_repr__()] == ["ada", "user", ()]


def test_a_token_opens_with_its_secret_in_time_alone():
    secret = new_secret()
    token = Token(id="t", user="ada", digest=digest(secret), created=0, expires=10)
    assert token.opens(secret, 9)
    assert not token.opens(secret, 10)
    assert not token.opens(secret + "x", 9)
    assert not token.opens("", 9)
    assert csrf_of(secret) != csrf_of(new_secret())
    assert secret not in csrf_of(secret)


def test_a_text_is_cleared_of_tokens():
    token = written("0123456789abcdef0123", new_secret())
    assert redacted(f"GET /x?y={token} HTTP/1.1") == "GET /x?y=diat_*** HTTP/1.1"
    assert redacted("diat_session and wot/td/diat_x") == "diat_session and wot/td/diat_x"
