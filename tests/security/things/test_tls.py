"""TLS for MQTT and HTTP: on by default with --lan, and plain text refused where it is."""

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509

from diat.adapters import certificates
from diat.adapters.certificates import Authority, given, machine_names
from diat.kernel.errors import SetupError
from diat.settings import Settings

from .conftest import GRANTED, LOOPBACK, PATIENCE, REFUSED, served, until


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def encrypted(request, make_site):
    return make_site(request.param, plain=False)


def trusting(site):
    return ssl.create_default_context(cafile=site.daemon.tls.authority)


def test_a_thing_joins_and_reports_over_tls(encrypted):
    trust = trusting(encrypted)
    joining = encrypted.person("join", encrypted.key, "th1", join=True, tls=trust)
    assert joining.code == "Success"
    joining.end()
    password = encrypted.do(lambda: encrypted.access.credentials.issue("th1", encrypted.daemon.clock()))
    thing = until(lambda: encrypted._entered("th1", password, {"tls": trust}), "in")
    assert thing.subscribe("diat/th1/#") in GRANTED
    thing.publish("wot/td/th1", {"title": "T", "properties": {"temperature": {"type": "number"}}})
    thing.publish("diat/th1/properties", {"b": 1, "n": 1, "v": {"temperature": 21}})
    until(lambda: encrypted.temperature("th1") == 21, "the reading")
    assert encrypted.person("th1", "wrong", "th1", tls=trust).code == REFUSED


def test_plain_text_gets_no_answer_that_is_mqtt(encrypted):
    """A CONNECT in plain text, with the right password, is not answered with a CONNACK but cut off."""
    connect = b"\x10\x19\x00\x04MQTT\x04\x82\x00\x3c\x00\x03th1\x00\x03th1\x00\x01x"
    with socket.create_connection((LOOPBACK, encrypted.port), PATIENCE) as plain:
        plain.sendall(connect)
        answer = b""
        try:
            while piece := plain.recv(4096):
                answer += piece
        except ConnectionResetError:
            pass
    assert not answer.startswith(b"\x20"), "a CONNACK"


def refused(site, context):
    with (
        socket.create_connection((LOOPBACK, site.port), PATIENCE) as sock,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        context.wrap_socket(sock, server_hostname=LOOPBACK)


def test_who_trusts_others_does_not_trust_us(encrypted):
    refused(encrypted, ssl.create_default_context())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(encrypted):
    context = trusting(encrypted)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    refused(encrypted, context)


def test_http_is_served_over_tls_only(make_site):
    with served(make_site("embedded", plain=False)) as rest:
        assert rest.get("/health/live").status_code == 200
        assert rest.get("/joining").json()["authority"].startswith("-----BEGIN CERTIFICATE")
        plain = str(rest.base_url).replace("https://", "http://")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{plain}/health/live", timeout=PATIENCE)


def test_lan_means_tls_unless_a_person_says_plain(tmp_path):
    assert Settings(data=tmp_path, lan=True).encrypted
    assert not Settings(data=tmp_path, lan=True, plain=True).encrypted
    assert not Settings(data=tmp_path).encrypted


def test_certificates_are_kept_renewed_in_time_and_their_keys_are_ours_alone(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    first = authority.server()
    for key in tmp_path.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = first.certificate.read_bytes()
    assert Authority(tmp_path).server().certificate.read_bytes() == before
    leaf = x509.load_pem_x509_certificate(before)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost"} <= set(names.get_values_for_type(x509.DNSName))
    assert LOOPBACK in map(str, names.get_values_for_type(x509.IPAddress))
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(first.authority.read_bytes()))
    monkeypatch.setattr(certificates, "machine_names", lambda: [*machine_names(), "diat.example"])
    with_name = Authority(tmp_path).server().certificate.read_bytes()
    assert with_name != before, "the machine has another name"
    monkeypatch.setattr(certificates, "RENEWED_BEFORE", certificates.LASTS + timedelta(days=1))
    assert Authority(tmp_path).server().certificate.read_bytes() != with_name, "it ends soon"


def test_a_certificate_that_is_brought_is_held_to_be_one(tmp_path, monkeypatch):
    one, other = Authority(tmp_path / "a").server(), Authority(tmp_path / "b").server()
    assert given(one.certificate, one.key).certificate == one.certificate
    with pytest.raises(SetupError, match="is not the key of"):
        given(one.certificate, other.key)
    with pytest.raises(SetupError, match="--tls-cert"):
        given(tmp_path / "nothing", one.key)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2100, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(certificates, "datetime", Later)
    with pytest.raises(SetupError, match="ended on"):
        given(one.certificate, one.key)
