"""A platform that is open beyond loopback: who gets in, what each sees and may do, and what ends it."""

import json

import httpx
import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

PASSWORD = "correct horse battery"


class Site:
    """A platform with an administrator, a viewer of one place, and a thing there and elsewhere."""

    def __init__(self, platform):
        self.platform = platform
        self.url = platform.url
        self.admin = self.enter(invitation=platform.invitation.partition("#")[2])
        ada = {"name": "ada", "grants": [{"role": "viewer", "places": ["hq/lab"]}]}
        assert self.admin.post("/users", json=ada).status_code == httpx.codes.CREATED
        link = self.admin.post("/users/ada/invitation").json()
        secret = next(value for value in link.values() if str(value).startswith("diat_"))
        self.viewer = self.enter(invitation=secret)
        for name, place in (("lab", "hq/lab"), ("vault", "hq/vault")):
            forms = [{"href": f"http://127.0.0.1:9/{name}", "op": ["readproperty", "writeproperty"]}]
            td = {
                "@context": "https://www.w3.org/2022/wot/td/v1.1",
                "securityDefinitions": {"none": {"scheme": "nosec"}},
                "security": "none",
                "id": f"urn:site:{name}",
                "title": f"The {name}",
                "diat:place": place,
                "properties": {"on": {"type": "boolean", "idempotent": True, "forms": forms}},
            }
            answer = self.admin.put(
                f"/things/urn:site:{name}",
                content=json.dumps(td),
                headers={"Content-Type": "application/td+json"},
            )
            assert answer.is_success, answer.text

    def enter(self, **said):
        """A client with a session of its own."""
        client = httpx.Client(base_url=self.platform.rest.base_url, timeout=20.0)
        answer = client.post("/sessions", json={**said, "password": PASSWORD})
        assert answer.is_success, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    def live(self, client, **headers):
        """The live feed with a session, as a browser opens it unless headers say otherwise."""
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items()) if client else ""
        sent = {"Cookie": cookie, "Origin": str(self.platform.rest.base_url).rstrip("/"), **headers}
        return connect(
            self.url.replace("http", "ws", 1) + "/live",
            additional_headers={name: value for name, value in sent.items() if value},
            proxy=None,
        )

    def close(self):
        self.admin.close()
        self.viewer.close()


@pytest.fixture(scope="module")
def site(start):
    made = Site(start("--lan", "--plain"))
    yield made
    made.close()


def test_a_viewer_sees_what_is_hers_and_changes_nothing(site, page):
    page.goto(f"{site.url}/things")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="The lab").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The lab")
    assert page.get_by_text("vault").count() == 0
    acts = [each for each in page.get_by_role("button").all_inner_texts() if each]
    assert not {"Retire", "Name and place", "Swap hardware", "On", "Off"} & set(acts), acts
    page.goto(f"{site.url}/thing?id=urn:site:vault")
    expect(page.get_by_role("heading", name="This cannot be shown")).to_be_visible()
    page.goto(f"{site.url}/service-new?template=mean-of-place")
    page.get_by_label("Name").fill("Mine")
    for label, value in (("Quantity", "Temperature"), ("Place", "hq/lab")):
        page.get_by_role("combobox", name=label).fill(value)
        page.get_by_role("combobox", name=label).press("Enter")
    page.get_by_label("Unit", exact=True).fill("Cel")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("status").filter(has_text="takes engineer")).to_be_visible()
    session = next(each for each in site.admin.get("/tokens?user=ada").json() if each["kind"] == "session")
    for each in site.admin.get("/tokens?user=ada").json():
        site.admin.delete(f"/tokens/{each['id']}")
    assert session
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    site.viewer.close()
    site.viewer = site.enter(user="ada")


def test_the_live_feed_tells_each_what_is_hers(site):
    watched = {"1": ["value", "urn:site:vault", "on"], "2": ["figures"], "3": ["things"], "4": ["nonsense"]}
    with site.live(site.viewer) as feed:
        feed.send("this is no JSON")
        feed.send(json.dumps({"on": watched}))
        told = json.loads(feed.recv(timeout=20))
    assert "no thing" in told["1"]["x"]
    assert "x" in told["2"]
    assert isinstance(told["3"], int)
    assert "x" in told["4"]
    with site.live(site.admin) as feed:
        feed.send(json.dumps({"on": watched}))
        told = json.loads(feed.recv(timeout=20))
    assert told["1"] is None  # it has no value yet
    assert told["2"]["counts"]["things"] == 2


@pytest.mark.parametrize("headers", [{"Cookie": ""}, {"Origin": ""}, {"Origin": "http://evil.example"}])
def test_no_socket_opens_but_from_our_page_for_somebody_known(site, headers):
    with pytest.raises(InvalidStatus) as refused, site.live(site.viewer, **headers):
        pass
    assert refused.value.response.status_code in (401, 403)


def test_pages_of_one_person_drive_nothing_for_another(site):
    page = site.admin.get("/ui/things", headers={"Accept": "text/html"})
    assert page.status_code == httpx.codes.OK
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    client = page.text.partition("'client_id': '")[2].partition("'")[0]
    assert client
    cookie = "; ".join(f"{name}={value}" for name, value in site.viewer.cookies.items())
    address = site.url.replace("http", "ws", 1) + "/_nicegui_ws/socket.io/"
    query = f"?EIO=4&transport=websocket&client_id={client}&tab_id=t&document_id=d"
    with connect(
        f"{address}{query}&next_message_id=0&implicit_handshake=true",
        additional_headers={"Cookie": cookie, "Origin": str(site.platform.rest.base_url).rstrip("/")},
        proxy=None,
    ) as socket:
        socket.recv(timeout=20)
        socket.send("40")
        assert socket.recv(timeout=20).startswith("44")  # refused


def test_who_has_no_session_gets_nothing_of_it(site):
    for path in ("/ui/", "/ui/things", "/ui/static/x/live.js", "/ui/_nicegui/x"):
        assert httpx.get(f"{site.platform.rest.base_url}{path}").status_code == httpx.codes.UNAUTHORIZED
