"""What the node is told by DNS and by the form of its access point: understood, or nothing."""

from case_fuzz import Chance
from diat_node.mdns import found, question
from diat_node.portal import configured, decoded, lead_here

_SERVICE = "_mqtt._tcp.local"
_NAME = b"\4DIAT" + b"\5_mqtt\4_tcp\5local\0"
# An answer as a platform gives it: PTR, SRV and A, with names that point into others.
_ANSWER = (
    b"\0\0\x84\0\0\0\0\1\0\0\0\2"
    + b"\5_mqtt\4_tcp\5local\0"
    + b"\0\x0c\0\1\0\0\0\x78\0\7\4DIAT\xc0\x0c"
    + b"\xc0\x28"
    + b"\0\x21\x80\1\0\0\0\x78\0\x0f\0\0\0\0\7\x5b\6daemon\xc0\x17"
    + b"\6daemon\5local\0"
    + b"\0\1\x80\1\0\0\0\x78\0\4\xc0\xa8\1\x0a"
)
_QUESTION = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\4some\4site\3com\0\0\1\0\1"


def test_a_broker_is_found():
    assert found(_ANSWER, _SERVICE) == ("192.168.1.10", 1883)
    assert found(_ANSWER, "_secure-mqtt._tcp.local") is None
    assert question(_SERVICE).endswith(b"\5_mqtt\4_tcp\5local\0\0\x0c\x80\1")
    assert found(question(_SERVICE), _SERVICE) is None


def test_every_name_leads_here():
    answer = lead_here(_QUESTION)
    assert answer[:2] == b"\x12\x34" and answer[-4:] == bytes([192, 168, 4, 1]) and answer[7] == 1
    # Of IPv6 there is nothing; what is an answer itself is not answered.
    assert lead_here(_QUESTION[:-3] + b"\x1c\0\1")[7] == 0
    assert lead_here(answer) is None


def test_what_is_bent_counts_for_nothing():
    chance = Chance(8)
    for data in (_ANSWER, _QUESTION):
        for cut in range(len(data)):
            lead_here(data[:cut])
            found(data[:cut], _SERVICE)
        for _ in range(300):
            bent = chance.bent(data)
            there, here = found(bent, _SERVICE), lead_here(bent)
            assert there is None or (isinstance(there[0], str) and 0 < there[1] < 65536)
            assert here is None or isinstance(here, bytes)
    # A name that points to itself.
    assert found(_ANSWER[:12] + b"\xc0\x0c" + _ANSWER[14:], _SERVICE) is None


def test_a_form_becomes_a_configuration():
    said = decoded("thing=office-1&wifi=my+home&password=a%26b%3D%C3%A9&host=10.0.0.2:1884&key=AB-CD&more=")
    assert configured(said) == {
        "thing": "office-1",
        "folder": "/diat",
        "wifi": [["my home", "a&b=\xe9"]],
        "host": "10.0.0.2",
        "port": 1884,
        "key": "AB-CD",
    }
    assert configured({"thing": "a"}) == {"thing": "a", "folder": "/diat"}
    for bad in (
        {},
        {"thing": "a b"},
        {"thing": "x" * 65},
        {"thing": "a", "host": "h:0"},
        {"thing": "a", "host": "h:x"},
    ):
        try:
            configured(bad)
            raise AssertionError(bad)
        except ValueError:
            pass
    chance = Chance(9)
    for _ in range(200):
        try:
            decoded(chance.bent(b"thing=of%66ice&wifi=my+home&password=%C3%A9").decode())
        except ValueError:  # UnicodeError is one
            pass
