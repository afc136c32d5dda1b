"""What a person sees and does, in a real browser, on loopback where nobody is asked who he is."""

import time

import httpx
import pytest
from playwright.sync_api import expect

TEMPERATURE = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
HEATING = {
    "type": "boolean",
    "idempotent": True,
    "diat:affects": {"quantity": "Temperature", "direction": "increase"},
}


@pytest.fixture(scope="module")
def platform(start):
    return start()


def test_a_thing_appears_by_itself_within_a_second(platform, page, things):
    page.goto(f"{platform.url}/things")
    expect(page.get_by_role("heading", name="Things", exact=True)).to_be_visible()
    page.wait_for_function("document.documentElement.dataset.live === 'yes'")
    took = []
    for number in range(3):
        title = f"Cellar thermometer {number}"
        td = {"title": title, "diat:place": "home/cellar", "properties": {"temperature": TEMPERATURE}}
        began = time.monotonic()
        thing = things(platform, f"cellar-{number}", td)
        expect(page.get_by_role("link", name=title)).to_be_visible()
        took.append(time.monotonic() - began)
        thing.say(temperature=11.5 + number)
    assert min(took) < 1.0, took
    expect(page.locator("tr", has_text="Cellar thermometer 2").locator("diat-value")).to_have_text("13.5°C")


def test_a_title_is_only_ever_text(platform, page, things):
    title = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
    td = {"title": title, "description": title, "diat:place": title, "properties": {"<b>t": TEMPERATURE}}
    things(platform, "evil", td).say(**{"<b>t": 1.5})
    page.goto(f"{platform.url}/things")
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    for path in ("/places", "/start"):
        page.goto(platform.url + path)
        expect(page.get_by_text("<script>alert(1)").first).to_be_visible()
    assert page.locator("main img").count() == 0


def test_a_service_is_planned_made_degraded_and_healed(platform, page, things):
    first, second = (
        things(
            platform,
            name,
            {"title": name.title(), "diat:place": "hq/lab", "properties": {"temperature": TEMPERATURE}},
        )
        for name in ("north", "south")
    )
    page.goto(f"{platform.url}/service-new?template=mean-of-place")
    first.say(temperature=20.0)
    second.say(temperature=22.0)
    page.get_by_label("Name").fill("Mean of the lab")
    for label, value in (("Quantity", "Temperature"), ("Place", "hq/lab")):
        field = page.get_by_role("combobox", name=label)
        field.fill(value)
        field.press("Enter")
        expect(field).to_have_value(value)
    page.get_by_label("Unit", exact=True).fill("Cel")
    page.get_by_role("button", name="Show the plan").click()
    bound = page.get_by_role("table", name="Bound")
    expect(bound).to_contain_text("reads Temperature at hq/lab")
    expect(bound.get_by_role("link", name="South")).to_be_visible()
    assert all(each["title"] != "Mean of the lab" for each in platform.rest.get("/services").json())
    page.get_by_role("button", name="Create the service").click()
    expect(page.get_by_role("heading", level=1, name="Mean of the lab")).to_be_visible()
    state = page.locator(".facts-line .chip")
    expect(state).to_have_text("running")
    expect(page.locator("tr", has_text="South").locator("diat-value")).to_have_text("22.0°C")
    second.die()
    expect(state).to_have_text("degraded")
    expect(page.locator(".notes")).to_contain_text("South")
    home = page.context.new_page()
    home.goto(f"{platform.url}/")
    expect(home.locator(".need", has_text="Degraded services")).to_contain_text("Mean of the lab")
    second.revive()
    expect(state).to_have_text("running")
    page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("paused")
    page.get_by_role("button", name="Undo").click()
    expect(state).to_have_text("running")
    page.get_by_role("button", name="End").click()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("heading", name="It has ended")).to_be_visible()
    assert all(each["title"] != "Mean of the lab" for each in platform.rest.get("/services").json())


def test_a_thing_is_named_driven_and_retired(platform, page, things):
    td = {"title": "Heater", "properties": {"heating": HEATING, "temperature": TEMPERATURE}}
    heater = things(platform, "heater", td)
    page.goto(f"{platform.url}/things")
    page.get_by_label("Words").fill("heater")
    page.get_by_role("link", name="Heater").click()
    page.get_by_role("button", name="Name and place").click()
    page.get_by_label("Name", exact=True).fill("Attic heater")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Attic heater")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Heater")
    page.get_by_role("button", name="Set heating on").click()
    expect(page.get_by_role("table", name="Commands")).to_contain_text("heating = true")
    page.get_by_role("link", name="heating = true").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("heating = true")
    page.goto(f"{platform.url}/thing?id=urn:dev:heater")
    heater.say(temperature=30.0)
    expect(page.locator(".value", has_text="Temperature").locator("diat-value")).to_have_text("30.0°C")
    page.get_by_label("Units").select_option("imperial")
    expect(page.locator(".value", has_text="Temperature").locator("diat-value")).to_have_text("86.0°F")
    expect(page.locator(".history svg")).to_be_visible()
    page.get_by_role("button", name="Retire").click()
    page.get_by_role("button", name="Cancel").click()
    assert platform.rest.get("/things/urn:dev:heater").status_code == httpx.codes.OK
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Retire").click()
    page.get_by_role("dialog").get_by_role("button", name="Retire").click()
    page.wait_for_url("**/ui/things")
    assert platform.rest.get("/things/urn:dev:heater").status_code == httpx.codes.NOT_FOUND
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/ui/thing?id=*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Heater")
    heater.say(temperature=31.0)
    expect(page.locator(".value", has_text="Temperature").locator("diat-value")).to_have_text("87.8°F")


def test_an_action_is_done_by_a_form_made_of_its_input(platform, page, things, eventually):
    field = {"type": "integer", "minimum": 1, "maximum": 60, "title": "How long", "unit": "s"}
    said = {"type": "object", "properties": {"seconds": field}, "required": ["seconds"]}
    siren = things(platform, "siren", {"title": "Siren", "actions": {"sound": {"input": said}}})
    eventually(lambda: platform.rest.get("/things/urn:dev:siren").is_success, 20)
    page.goto(f"{platform.url}/thing?id=urn:dev:siren")
    page.get_by_role("button", name="sound").click()
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("it is needed")).to_be_visible()
    page.get_by_label("How long (s)").fill("75")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("status").filter(has_text="maximum")).to_be_visible()
    page.get_by_label("How long (s)").fill("5")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("status").filter(has_text="sound: completed")).to_be_visible()
    assert siren.told[-1]["input"] == {"seconds": 5}


def test_other_hardware_is_put_behind_a_thing_and_its_past_stays(platform, page, things, eventually):
    td = {"title": "Pool", "diat:place": "garden", "properties": {"temperature": TEMPERATURE}}
    old = things(platform, "old-pool", td)
    eventually(lambda: platform.rest.get("/things/urn:dev:old-pool").is_success, 20)
    page.goto(f"{platform.url}/thing?id=urn:dev:old-pool")
    old.say(temperature=24.0)
    value = page.locator(".value", has_text="Temperature").locator("diat-value")
    expect(value).to_have_text("24.0°C")
    old.die()
    new = things(platform, "new-pool", {**td, "title": "Fresh one"})
    eventually(lambda: platform.rest.get("/things/urn:dev:new-pool").is_success, 20)
    page.get_by_role("button", name="Swap hardware").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="Fresh one")).to_be_checked()
    dialog.get_by_role("button", name="Swap", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pool")
    new.say(temperature=25.5)
    expect(value).to_have_text("25.5°C")
    assert platform.rest.get("/things/urn:dev:new-pool").status_code == httpx.codes.NOT_FOUND
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table", name="temperature")).to_contain_text("24")


def test_a_chart_that_is_zoomed_is_drawn_finer(platform, page, things, eventually):
    td = {"title": "Vat", "properties": {"temperature": TEMPERATURE}}
    vat = things(platform, "vat", td)
    now = round(time.time() * 1000)
    for second in range(200):
        vat.say(at=now - 200_000 + second * 1000, temperature=20 + second % 7)
    eventually(lambda: platform.rest.get("/things/urn:dev:vat").is_success, 20)
    newest = "/things/urn:dev:vat/properties/temperature"
    eventually(lambda: (got := platform.rest.get(newest)).is_success and got.json() == 20 + 199 % 7, 20)
    page.goto(f"{platform.url}/thing?id=urn:dev:vat")
    line = page.locator(".history svg path[stroke-width='1.5']")
    expect(line).to_have_count(1)
    coarse = line.get_attribute("d").count(" ")
    box = page.locator(".history").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 3)
    for _ in range(5):
        page.mouse.wheel(0, -400)
    # First a point every six seconds; of what is on screen then, fewer if nothing finer came.
    eventually(lambda: line.get_attribute("d").count(" ") > 2 * coarse, 20)


def test_a_floor_plan_is_put_and_a_thing_is_on_it(platform, page, things):
    td = {"title": "Porch light", "diat:place": "home/porch", "properties": {"temperature": TEMPERATURE}}
    things(platform, "porch", td).say(temperature=7.5)
    picture = page.context.new_page()
    picture.set_content("<body style='background:#fff'><h1>Porch</h1></body>")
    plan = {"name": "plan.png", "mimeType": "image/png", "buffer": picture.screenshot()}
    picture.close()
    page.goto(f"{platform.url}/places?place=home/porch")
    expect(page.locator("#here")).to_have_text("home/porch")
    page.get_by_label("Put a floor plan").set_input_files(plan)
    image = page.get_by_role("img", name="Plan of home/porch")
    expect(image).to_be_visible()
    page.get_by_role("combobox", name="Click where this is").fill("Porch")
    page.get_by_role("option", name="Porch light").click()
    image.click(position={"x": 40, "y": 30})
    expect(page.locator(".pin", has_text="Porch light").locator("diat-value")).to_have_text("7.50°C")
    wrong = {"name": "plan.png", "mimeType": "image/png", "buffer": b"<svg onload='alert(1)'/>"}
    page.get_by_label("Another picture").set_input_files(wrong)
    expect(page.get_by_role("status").filter(has_text="PNG, JPEG or WebP")).to_be_visible()
