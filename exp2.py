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

time.sleep(0.5)
seen = []


async def hook(stop, ready, kicks):
    nc = await nats.connect("nats://127.0.0.1:21422", user="hook", password="pw")

    async def cb(m):
        req = json.loads(base64.urlsafe_b64decode(m.data.split(b".")[1] + b"=="))
        n = req["nats"]
        if not seen:
            print(json.dumps(n, indent=1), m.reply)
        seen.append(n)
        u = n["connect_opts"].get("user")
        pw = n["connect_opts"].get("pass")
        base = {"iss": issuer, "iat": int(time.time()), "sub": n["user_nkey"]}
        if pw != "good":
            ans = {"error": "no"}
        else:
            ans = {
                "jwt": jwt(
                    {
                        **base,
                        "name": u,
                        "aud": "$G",
                        "nats": {
                            "type": "user",
                            "version": 2,
                            "subs": -1,
                            "data": -1,
                            "payload": -1,
                            "allowed_connection_types": ["MQTT"],
                            "pub": {"allow": [f"diat.{u}.>", f"wot.td.{u}"]},
                            "sub": {"allow": [f"diat.{u}.>", "$MQTT.sub.>", f"diat.{u}"]},
                        },
                    }
                )
            }
        await m.respond(
            jwt(
                {
                    **base,
                    "aud": n["server_id"]["id"],
                    "nats": {**ans, "type": "authorization_response", "version": 2},
                }
            ).encode()
        )

    await nc.subscribe("$SYS.REQ.USER.AUTH", cb=cb)
    await nc.flush()
    ready.set()
    while not stop.is_set():
        await asyncio.sleep(0.01)
        while kicks:
            server, cid = kicks.pop()
            r = await nc.request(
                f"$SYS.REQ.SERVER.{server}.KICK", json.dumps({"cid": cid}).encode(), timeout=2
            )
            print("kick", r.data[:300])
    await nc.close()


stop, ready, kicks = threading.Event(), threading.Event(), []
t = threading.Thread(target=lambda: asyncio.run(hook(stop, ready, kicks)))
t.start()
ready.wait(5)
import queue


class C:
    def __init__(s, user, pw, cid, will=None, clean=True):
        s.q, s.a = queue.Queue(), queue.Queue()
        s.gone = threading.Event()
        s.c = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=cid, clean_session=clean)
        if user:
            s.c.username_pw_set(user, pw)
        if will:
            s.c.will_set(*will)
        s.c.on_connect = lambda c, u, f, r, p: s.a.put(r)
        s.c.on_disconnect = lambda *a: s.gone.set()
        s.c.on_subscribe = lambda c, u, m, r, p: s.a.put(r[0])
        s.c.on_message = lambda c, u, m: s.q.put((m.topic, m.payload, m.retain))
        s.c.reconnect_delay_set(60, 60)
        try:
            s.c.connect("127.0.0.1", port)
            s.c.loop_start()
            s.code = s.a.get(timeout=5)
        except Exception as e:
            s.code = repr(e)

    def sub(s, t, q=1):
        s.c.subscribe(t, q)
        return s.a.get(timeout=5)

    def pub(s, t, p=b"x", retain=False):
        i = s.c.publish(t, p, 1, retain)
        i.wait_for_publish(3)
        return i.is_published()

    def end(s):
        s.c.disconnect()
        s.c.loop_stop()


try:
    plat = C("diat", "pw", "platform")
    print("plat", plat.code, plat.sub("#"))
    print("anon", C(None, None, "anon").code, "bad", C("a", "bad", "a").code)
    a = C("a", "good", "a")
    print("a", a.code)
    for f in [
        "#",
        "diat/#",
        "diat/+/set",
        "diat/b/set",
        "diat/a/set",
        "diat/a/#",
        "$SYS/#",
        "$MQTT/#",
        "$MQTT/sub/#",
        "$share/g/diat/a/set",
        "diat.b.set",
        "diat.>",
        "diat/*/set",
        ">",
        "*/b",
        "diat/a/../b",
        "diat/b.c/x",
        "$JS/#",
        "_INBOX/#",
        "/diat/a/x",
        "diat//a",
    ]:
        try:
            print(f, a.sub(f))
        except Exception as e:
            print(f, "none", a.gone.is_set())
    print("pub own", a.pub("diat/a/properties"))
    for tp in [
        "diat/b/properties",
        "diat.b.x",
        "wot/td/b",
        "$SYS/REQ/USER/AUTH",
        "$MQTT/sub/x",
        "$JS/API/STREAM/DELETE/$MQTT_msgs",
        "diat/*/x",
        "diat/>",
    ]:
        print("pub", tp, a.pub(tp), a.pub(tp, retain=True), a.gone.is_set())
    time.sleep(0.3)
    while not plat.q.empty():
        print("  plat got", plat.q.get())
    late = C("diat", "pw", "late")
    late.sub("#")
    time.sleep(0.5)
    while not late.q.empty():
        print("  late got (retained)", late.q.get())
    w = C("w", "good", "w", will=("diat/b/status", b"dead", 1, True))
    print("will client", w.code, w.gone.is_set())
    w2 = C("w2", "good", "w2", will=("diat/w2/status", b"dead", 1, True))
    print("will client", w2.code)
    for cl in (w, w2):
        n = [x for x in seen if x["client_info"].get("mqtt_id", "") in (cl.c._client_id.decode(),)]
        if n:
            kicks.append((n[-1]["server_id"]["id"], n[-1]["client_info"]["id"]))
    print("gone", w2.gone.wait(3), w.gone.wait(3))
    time.sleep(0.3)
    while not plat.q.empty():
        print("  plat got", plat.q.get())
    # hook dead
    stop.set()
    t.join()
    t0 = time.time()
    print("hook dead:", C("a2", "good", "a2").code, time.time() - t0)
    print("still in", a.gone.is_set(), a.pub("diat/a/properties"))
    time.sleep(0.2)
    while not plat.q.empty():
        print("  plat got", plat.q.get())
finally:
    stop.set()
    t.join()
    print(open(d + "/log").read()[-4500:])
    p.terminate()
    import os

    os._exit(0)
