import asyncio, base64, json, subprocess, tempfile, time, secrets, threading, struct, sys, binascii
import nats, paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives import serialization as S

key = Ed25519PrivateKey.generate()


def public(kind):
    raw = bytes([kind]) + key.public_key().public_bytes(S.Encoding.Raw, S.PublicFormat.Raw)
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).rstrip(b"=").decode()


issuer = public(0)  # 'A' = 0 << 3
print(issuer)
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def jwt(claims):
    body = (
        b64(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
        + "."
        + b64(json.dumps(claims).encode())
    )
    return body + "." + b64(key.sign(body.encode()))


d = tempfile.mkdtemp()
port = 20883
conf = f"""
server_name: diat
listen: "127.0.0.1:21422"
jetstream {{ store_dir: "{d}" }}
accounts {{ $SYS: {{ users: [ {{ user: hook, password: pw }} ] }} }}
mqtt {{ listen: "127.0.0.1:{port}" }}
authorization {{ 
  timeout: 5
  users: [ {{user: diat, password: pw}} ]
 auth_callout {{ issuer: {issuer}, account: "$SYS", auth_users: [ hook, diat ] }} }}
"""
conf2 = sys.argv[1:]
open(d + "/c.conf", "w").write(conf)
p = subprocess.Popen(["nats-server", "-c", d + "/c.conf"], stderr=open(d + "/log", "w"))
time.sleep(1)
print(open(d + "/log").read()[-1500:])
p.terminate()
