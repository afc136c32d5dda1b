"""Every page with axe-core, in light and dark, on a wide screen and a phone; and by keyboard alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from diat.dashboard.pages import PAGES

GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def house(start):
    """A platform with something of everything."""
    return start()


@pytest.fixture
def furnished(house, things):
    temperature = {"type": "number", "unit": "Cel", "@type": "quantitykind:Temperature", "readOnly": True}
    td = {
        "title": "Thermostat",
        "diat:place": "home/hall",
        "properties": {
            "temperature": temperature,
            "heating": {
                "type": "boolean",
                "diat:affects": {"quantity": "Temperature", "direction": "increase"},
            },
        },
        "actions": {"test": {"input": {"type": "object", "properties": {"seconds": {"type": "integer"}}}}},
        "events": {"tested": {"data": {"type": "string"}}},
    }
    thing = things(house, "thermostat", td)
    thing.say(temperature=18.5)
    parameters = {"quantity": "Temperature", "place": "home/hall", "low": 20, "high": 22, "unit": "Cel"}
    body = {"title": "Warm hall", "template": "keep-within", "parameters": parameters}
    service = house.rest.post("/services", json=body, headers={"Idempotency-Key": "hall"}).json()["id"]
    return house, {"/thing": "id=urn:dev:thermostat", "/service": f"id={service}", "/service-new": ""}


@pytest.mark.timeout(600)  # two dozen pages, twice each
def test_axe_finds_nothing_serious_on_any_page(furnished, page, eventually):
    house, arguments = furnished
    eventually(lambda: house.rest.get("/actuations").json(), 20)
    arguments["/command"] = f"id={house.rest.get('/actuations').json()[0]['id']}"
    found = []
    plain = page.context.browser.new_page(java_script_enabled=False)
    for each in PAGES:
        address = f"{house.url}{each.path}?{arguments.get(each.path, '')}"
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        # What is painted before scripts have run is the same.
        plain.goto(address)
        title = page.get_by_role("heading", level=1).inner_text()
        expect(plain.get_by_role("heading", level=1)).to_have_text(title)
        expect(plain.get_by_role("navigation", name="Pages", exact=True)).to_be_visible()
        page.wait_for_function("document.documentElement.dataset.live === 'yes'")
        for theme, width in (("light", 1280), ("dark", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            result = Axe().run(page)
            found += [
                (each.path, theme, violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
                for violation in result.response["violations"]
                if violation["impact"] in GRAVE
            ]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{each.path} is {wide} wide on a screen of {width}"
    plain.context.close()
    assert found == [], "\n".join(map(str, found))


def test_where_nothing_is_a_page_says_so_and_leads_back(house, page):
    answer = page.goto(f"{house.url}/nonsense/<b>?x=1")
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    expect(page.locator("code")).to_have_text("/ui/nonsense/<b>")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    program = house.rest.get("/ui/nonsense", headers={"Accept": "application/json"})
    assert (program.status_code, program.json()["status"]) == (404, 404)


def test_all_is_reached_by_keyboard(house, page):
    page.goto(f"{house.url}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.set_viewport_size({"width": 390, "height": 844})
    more = page.get_by_role("button", name="More")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Tiers")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Tiers")).to_be_hidden()
    expect(more).to_be_focused()
    page.get_by_role("link", name="Things").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Things")
