"""Operation and Security in a real browser: what an administrator does, and what others may not."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import yaml
from playwright.sync_api import expect

from diat.cli.releases import read_release, write_release

FIRMWARE = Path(__file__).parents[2] / "firmware"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def fortress(start):
    """A platform that asks everybody for a credential, with a radar in a bedroom."""
    platform = start("--lan", "--plain")
    browser = httpx.Client(base_url=platform.rest.base_url, timeout=20.0)
    secret = platform.invitation.partition("#")[2]
    assert browser.post("/sessions", json={"invitation": secret, "password": PASSWORD}).is_success
    browser.headers["X-CSRF-Token"] = browser.get("/sessions/current").json()["csrf"]
    platform.admin = browser
    forms = [{"href": "mqtt://127.0.0.1/radar", "mqv:filter": "radar"}]
    present = {"type": "boolean", "@type": "quantitykind:Occupancy", "readOnly": True, "forms": forms}
    td = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": "urn:dev:radar",
        "title": "Radar",
        "diat:place": "home/up",
        "securityDefinitions": {"none": {"scheme": "nosec"}},
        "security": "none",
        "properties": {"present": present},
    }
    assert browser.put("/things/urn%3Adev%3Aradar", json=td).is_success
    yield platform
    browser.close()


@pytest.fixture
def admin(fortress, page):
    """A tab of the administrator."""
    cookie = fortress.admin.cookies["diat_session"]
    page.context.add_cookies([{"name": "diat_session", "value": cookie, "url": fortress.url}])
    return page


def ready(page):
    page.wait_for_function("document.documentElement.dataset.live === 'yes'")


def choose(page, label, *options):
    """Choose in a field with a list, by what it is called."""
    page.get_by_label(label, exact=True).click()
    for each in options:
        page.get_by_role("listbox").get_by_role("option", name=each, exact=True).click()
    page.keyboard.press("Escape")


def test_somebody_new_gets_a_link_and_a_program_a_token_that_is_shown_once(fortress, admin):
    admin.goto(f"{fortress.url}/security")
    ready(admin)
    admin.get_by_label("Login").fill("Ada!")
    admin.get_by_role("button", name="Make", exact=True).click()
    expect(admin.locator(".q-field--error")).to_contain_text("Login")  # at the field that is wrong
    admin.get_by_label("Login").fill("ada")
    admin.get_by_role("button", name="Make", exact=True).click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.locator("[data-secret]")).to_contain_text("/login#diat_")
    expect(dialog.get_by_role("img", name="As a QR code")).to_be_visible()
    dialog.get_by_role("button", name="I have kept it").click()
    expect(admin).to_have_url(re.compile(r"/user\?id=ada"))

    fortress.admin.post("/users", json={"name": "scraper", "kind": "account", "grants": [{"role": "viewer"}]})
    admin.goto(f"{fortress.url}/tokens")
    ready(admin)
    admin.get_by_label("What it is for").fill("Grafana")
    choose(admin, "Whose it is", "scraper")
    admin.get_by_role("button", name="Make a token").click()
    secret = admin.locator("[data-secret]").inner_text()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{fortress.rest.base_url}/things", headers=bearer).is_success
    admin.get_by_role("button", name="I have kept it").click()
    expect(admin.locator(".line", has_text="Grafana")).to_be_visible()
    assert secret not in admin.content()
    admin.locator(".line", has_text="Grafana").get_by_role("button", name="Revoke").click()
    admin.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(admin.locator(".line", has_text="Grafana")).to_have_count(0)
    assert httpx.get(f"{fortress.rest.base_url}/things", headers=bearer).status_code == 401


def test_a_policy_by_form_and_by_text_and_who_may_what(fortress, admin, eventually):
    admin.goto(f"{fortress.url}/policy")
    ready(admin)
    text = admin.get_by_label("The policy as YAML")
    admin.get_by_label("Title", exact=True).fill("Bedrooms are quiet")
    choose(admin, "Roles", "viewer")
    choose(admin, "Quantities", "Occupancy")
    expect(text).to_have_value(re.compile("Occupancy"))
    assert yaml.safe_load(text.input_value()) == {
        "title": "Bedrooms are quiet", "effect": "deny",
        "who": {"roles": ["viewer"]}, "what": {"quantities": ["Occupancy"]},
    }  # fmt: skip

    text.fill("title: Quiet\neffect: deny\nwho:\n  roles:\n  - viewer\n  - lord\n")
    expect(admin.locator(".editor .wrong")).to_have_text("6")
    expect(admin.locator(".fault")).to_contain_text("Line 6: who.roles.1")
    text.fill("title: Quiet\neffect: [deny\n")
    expect(admin.locator(".fault")).to_contain_text("Line 3")
    text.fill("title: Quiet\neffect: deny\nwho:\n  roles: [viewer]\nwhat:\n  quantities: [Occupancy]\n")
    expect(admin.locator(".fault")).to_have_count(0)
    expect(admin.get_by_label("Title", exact=True)).to_have_value("Quiet")  # the form follows the text
    admin.get_by_role("button", name="Keep").click()
    expect(admin).to_have_url(re.compile(r"/policy\?id="))
    (kept,) = fortress.admin.get("/policies").json()
    assert kept["what"] == {"quantities": ["Occupancy"]}

    admin.goto(f"{fortress.url}/why")
    ready(admin)
    choose(admin, "Who", "somebody as viewer everywhere")
    choose(admin, "With", "Radar (home/up)")
    admin.get_by_label("Its", exact=True).fill("present")
    admin.get_by_role("button", name="Ask", exact=True).click()
    expect(admin.locator("[data-effect=deny]")).to_contain_text("may not")
    admin.locator("[data-effect] a").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Quiet")
    admin.get_by_role("button", name="Take away").click()
    admin.get_by_role("dialog").get_by_role("button", name="Take away").click()
    expect(admin.get_by_text("It is taken away.")).to_be_visible()
    assert fortress.admin.get("/policies").json() == []
    admin.get_by_role("button", name="Undo").click()
    eventually(lambda: len(fortress.admin.get("/policies").json()) == 1, 20)
    fortress.admin.delete(f"/policies/{kept['id']}")


def test_the_audit_is_filtered_and_its_chain_verified(fortress, admin):
    admin.goto(f"{fortress.url}/audit")
    ready(admin)
    admin.get_by_label("Did").fill("PUT /things")
    rows = admin.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("PUT /things/urn:dev:radar")
    admin.get_by_role("button", name="Verify the chain").click()
    expect(admin.locator(".answer")).to_contain_text("all as they were written")


def test_things_join_by_a_key_that_is_shown_on_demand(fortress, admin):
    admin.goto(f"{fortress.url}/joining")
    ready(admin)
    expect(admin.get_by_role("img", name="Join key as a QR code")).to_be_hidden()
    admin.get_by_text("Show the key").click()
    expect(admin.get_by_role("img", name="Join key as a QR code")).to_be_visible()
    before = fortress.admin.get("/joining").json()["address"]
    expect(admin.get_by_text(before)).to_be_visible()
    admin.get_by_role("button", name="Another key").click()
    admin.get_by_role("button", name="Cancel").click()
    assert fortress.admin.get("/joining").json()["address"] == before
    admin.get_by_role("button", name="Close").click()
    expect(admin.get_by_text("The key opens nothing just now.")).to_be_visible()


def test_a_viewer_is_shown_and_may_do_nothing_of_it(fortress, page):
    fortress.admin.post("/users", json={"name": "vic", "grants": [{"role": "viewer"}]})
    secret = fortress.admin.post("/users/vic/invitation").json()["invitation"]
    with httpx.Client(base_url=fortress.rest.base_url, timeout=20) as browser:
        browser.post("/sessions", json={"invitation": secret, "password": PASSWORD})
        cookie = browser.cookies["diat_session"]
    page.context.add_cookies([{"name": "diat_session", "value": cookie, "url": fortress.url}])
    for path in ("/user?id=admin", "/policies", "/policy", "/why", "/audit", "/joining", "/backups", "/log"):
        page.goto(f"{fortress.url}{path}")
        expect(page.get_by_role("heading", name="This cannot be shown")).to_be_visible()
        expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    page.goto(f"{fortress.url}/security")
    expect(page.get_by_text("viewer everywhere")).to_be_visible()
    expect(page.get_by_label("Login")).to_have_count(0)
    page.goto(f"{fortress.url}/settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(page.get_by_role("button", name="Keep the changes")).to_have_count(0)
    page.goto(f"{fortress.url}/operation")
    expect(page.get_by_role("button", name="Start again")).to_have_count(0)


@pytest.fixture(scope="module")
def house(start):
    """A platform on loopback, whose backups lie in days of the database that a flag says."""
    return start("--hot-days", "9")


def test_settings_say_where_they_come_from_and_what_is_wrong_at_its_field(house, page):
    page.goto(f"{house.url}/settings")
    ready(page)
    expect(page.get_by_text("--hot-days says it")).to_be_visible()
    page.get_by_label("What people call it").fill("The house")
    page.get_by_label("Readings as they came").fill("3")
    page.get_by_role("button", name="Keep the changes").click()
    expect(page.locator(".q-field--error")).to_contain_text("must not be less than hot_days")
    page.get_by_label("Readings as they came").fill("30")
    page.get_by_label("Latitude").fill("52.5")
    page.get_by_label("Longitude").fill("13.4")
    page.get_by_role("button", name="Keep the changes").click()
    expect(page.locator(".note")).to_contain_text("Holds from the next start on: location")
    told = house.rest.get("/settings").json()
    assert (told["title"]["value"], told["raw_days"]["value"]) == ("The house", 30)
    page.reload()
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("The house")


def test_values_come_in_the_units_and_times_in_the_zone_that_are_set_for_all(house, page, things, eventually):
    temperature = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
    thing = things(house, "thermometer", {"title": "Thermometer", "properties": {"temperature": temperature}})
    house.rest.patch("/settings", json={"units": {"temperature": "°F"}, "zone": "Asia/Tokyo"})
    thing.say(temperature=20)
    page.goto(f"{house.url}/things")
    expect(page.locator("diat-value")).to_have_text("68.0°F")
    page.goto(f"{house.url}/audit")
    said = page.locator("tbody diat-time").first
    expect(said).to_be_visible()
    at = datetime.fromisoformat(said.get_attribute("at"))
    assert f"{at.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M:%S}" in said.inner_text()
    page.goto(f"{house.url}/settings")
    ready(page)
    choose(page, "Shown in", "K")
    page.get_by_role("button", name="Keep the changes").click()
    eventually(lambda: house.rest.get("/settings").json()["units"]["value"] == {"Temperature": "K"}, 20)
    choose(page, "Values are shown in units that are", "imperial")
    expect(page.get_by_label("Shown in", exact=True)).to_be_hidden()
    house.rest.patch("/settings", json={"units": None, "zone": None})


def test_a_backup_and_the_log_that_tells_of_it_live(house, page):
    log = page.context.new_page()
    log.goto(f"{house.url}/log")
    expect(log.get_by_role("status").get_by_text("Live")).to_be_visible()
    page.goto(f"{house.url}/backups")
    ready(page)
    expect(page.get_by_text("No backup yet")).to_be_visible()
    page.get_by_role("button", name="Back up now").click()
    line = page.locator(".line")
    expect(line.get_by_role("button", name="Remove")).to_be_visible()
    expect(log.locator(".lines li", has_text="made the backup")).to_be_visible()  # without a reload
    log.close()
    with page.expect_download() as download:
        line.get_by_role("link", name="Download").click()
    (kept,) = house.rest.get("/backups").json()
    assert download.value.suggested_filename == kept["name"]
    house.rest.delete(f"/backups/{kept['name']}")
    expect(line).to_have_count(0)
    file = {"name": kept["name"], "mimeType": "application/octet-stream"}
    page.get_by_label("Put a backup on the shelf").set_input_files({**file, "buffer": b"none"})
    expect(page.get_by_text("it is no backup of a platform")).to_be_visible()
    whole = Path(download.value.path()).read_bytes()
    page.get_by_label("Put a backup on the shelf").set_input_files({**file, "buffer": whole})
    line.get_by_role("button", name="Bring back").click()
    page.get_by_role("button", name="Cancel").click()
    line.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No backup yet")).to_be_visible()
    assert house.rest.get("/backups").json() == []


def test_a_report_of_a_bug_is_downloaded(house, page):
    page.goto(f"{house.url}/operation")
    expect(page.get_by_text("Messages are taken and stored.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    assert download.value.suggested_filename.endswith(".zip")
    assert Path(download.value.path()).read_bytes().startswith(b"PK")  # and no tab closes while it comes


def test_who_moves_where_is_drawn_live(house, page, things):
    """A map as the composite makes it, from a thing that says the same."""
    shown = {"type": "array", "@type": "VehicleMap", "readOnly": True}
    td = {"title": "<b>Yard</b>", "diat:place": "town/yard", "properties": {"vehicles": shown}}
    yard = things(house, "yard", td)
    sight = {"speed": 3, "within": 0.5, "by": ["cam-1"]}
    yard.say(vehicles=[{"id": "7", "x": 10, "y": 5, "heading": 90, **sight}])
    page.goto(f"{house.url}/cameras")
    drawn = page.locator("diat-map g")
    expect(drawn).to_have_count(1)
    expect(page.get_by_role("heading", name="<b>Yard</b>")).to_be_visible()
    yard.say(vehicles=[{"id": "7", "x": 12, "y": 5, **sight}, {"id": "8", "x": 30, "y": 9, **sight}])
    expect(drawn).to_have_count(2)  # without a reload


def test_firmware_is_rolled_out_and_stopped(house, page, things, tmp_path, eventually):
    """The release is a real one; the node is an MQTT client that only says what it runs."""
    write_release(tmp_path / "key.pem", 7, "raspberry_pi", FIRMWARE, tmp_path / "www")
    house.rest.post("/releases", json=read_release(tmp_path / "www")).raise_for_status()
    number = {"type": "integer", "readOnly": True}
    td = {"title": "Node", "diat:board": "raspberry_pi", "actions": {"update": {"input": {"type": "object"}}},
          "properties": {"firmware": number, "undone": number}}  # fmt: skip
    node = things(house, "node", td)
    node.say(firmware=1, undone=0)
    until, eventually = eventually, expect(page.get_by_role("row", name="Release 7 for raspberry_pi"))
    page.goto(f"{house.url}/firmware")
    ready(page)
    expect(page.get_by_text("No roll-out yet")).to_be_visible()
    page.get_by_role("button", name="Roll it out").click()
    eventually.to_contain_text("running")
    eventually.to_contain_text("stage 1 of 3")
    page.get_by_role("button", name="Pause").click()
    eventually.to_contain_text("paused")
    page.get_by_role("button", name="Cancel it").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the roll-out").click()
    eventually.to_contain_text("cancelled")
    page.get_by_role("link", name="Release 7 for raspberry_pi").click()
    expect(page.get_by_role("cell", name="urn:dev:node")).to_be_visible()

    home = page.context.new_page()
    home.goto(house.url)
    ready(home)
    page.goto(f"{house.url}/firmware")
    ready(page)
    page.get_by_role("button", name="Roll it out").click()
    until(lambda: any(each["state"] == "running" for each in house.rest.get("/rollouts").json()), 20)
    until(lambda: len([told for told in node.told if "from" in str(told)]) == 2, 20)
    node.say(undone=7)  # it went back to what it ran before
    failed = home.locator(".need", has_text="Failed updates")
    expect(failed).to_contain_text("it did not get well with it and went back")  # without a reload
