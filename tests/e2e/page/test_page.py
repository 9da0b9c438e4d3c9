"""The page in a real browser: Debian's Chromium, in front of the real gateway and the running service."""

import io
import re
from typing import Literal

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, FloatRect, Page, Route, expect

from tests.e2e.page.visits import DAMS, PANDA, PATIENT_MS, Locked, Visit, serious
from tests.harness.service import PHOTOS


def ids(page: Page) -> list[str]:
    return page.locator("#results .id").all_text_contents()


def panda_beside_dam() -> FilePayload:
    """Half of the picture looks like one indexed photo, half like another."""
    both = Image.new("RGB", (600, 300))
    for left, photo in ((0, PANDA), (300, DAMS[0])):
        both.paste(Image.open(photo).convert("RGB").resize((300, 300)), (left, 0))
    file = io.BytesIO()
    both.save(file, "PNG")
    return {"name": "both.png", "mimeType": "image/png", "buffer": file.getvalue()}


def drag(page: Page, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Over the query picture, from and to shares of its sides."""
    stage = stage_of(page)
    for moved, at in ((page.mouse.down, begin), (page.mouse.up, end)):
        page.mouse.move(stage["x"] + stage["width"] * at[0], stage["y"] + stage["height"] * at[1], steps=3)
        moved()


def stage_of(page: Page) -> FloatRect:
    """Where the query picture is shown, once it is."""
    stage = page.locator("#stage")
    expect(stage).to_be_visible(timeout=PATIENT_MS)
    box = stage.bounding_box()
    assert box is not None
    return box


def upload(visit: Visit, image_id: str, image: bytes) -> None:
    """Send it, and wait until it is searchable or rejected."""
    httpx.post(f"{visit.url}/images?wait=60", files={"image": image}, data={"id": image_id}, timeout=70)


def open_panda(page: Page) -> None:
    page.goto("/?id=panda")
    expect(page.locator("#results .card")).not_to_have_count(0, timeout=PATIENT_MS)


def test_a_chosen_picture_finds_itself_and_more_like_a_hit_leads_on_and_back(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_role("status")).to_have_text("Choose a picture to see what looks like it.")
    page.set_input_files("#file", DAMS[0])
    expect(page.locator("#results .id").first).to_have_text("dam2", timeout=PATIENT_MS)
    page.get_by_role("button", name="More like dam3").click()
    expect(page).to_have_url(re.compile(r"\?id=dam3$"))
    expect(page.locator("#results .id").get_by_text("dam3", exact=True)).to_have_count(0, timeout=PATIENT_MS)
    expect(page.locator("#results .id").first).to_have_text("dam2")
    page.go_back()
    expect(page).to_have_url(f"{visit.url}/")
    expect(page.locator("#results .card")).to_have_count(0)


def test_hits_that_were_sent_from_elsewhere_are_shown_small(visit: Visit) -> None:
    page = visit.page
    open_panda(page)
    dam = page.locator("#results .card", has_text="dam2").get_by_role("img", name="dam2")
    expect(dam).to_be_visible(timeout=PATIENT_MS)
    expect(dam).to_have_js_property("naturalWidth", 320)


def test_an_attribute_narrows_the_results_and_the_address_keeps_it(visit: Visit) -> None:
    page = visit.page
    page.goto("/?id=dam2")
    page.get_by_role("button", name="Only kind: energy").first.click()
    expect(page.locator("#results .id")).to_have_text(["dam3"], timeout=PATIENT_MS)
    page.reload()
    expect(page.locator("#results .id")).to_have_text(["dam3"], timeout=PATIENT_MS)
    page.get_by_role("button", name="No longer only kind: energy").press("Enter")
    expect(page.locator("#results .id").get_by_text("panda")).to_be_visible(timeout=PATIENT_MS)
    page.go_back()
    expect(page.locator("#results .id")).to_have_text(["dam3"], timeout=PATIENT_MS)


def test_a_condition_that_none_meets_is_told_from_an_empty_index(visit: Visit) -> None:
    visit.page.goto('/?id=dam2&only=["kind","nothing"]&only=no-json')
    expect(visit.page.get_by_role("status")).to_have_text("Nothing found.", timeout=PATIENT_MS)
    expect(visit.page.locator("#nothing")).to_have_text("No picture has all of this: drop a condition.")


def test_a_picture_is_added_shown_and_deleted_at_the_second_press(visit: Visit) -> None:
    page = visit.page
    page.set_input_files("#file", PHOTOS / "animal" / "panda.webp")
    page.get_by_text("Add it to the index").click()
    page.locator("#new-id").fill("my/panda 2")
    page.locator("#attributes").fill("legs: 4")
    page.get_by_role("button", name="Add to the index", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("my/panda 2 was searchable after", timeout=PATIENT_MS)
    page.get_by_role("button", name="Find similar").click()
    shown = page.get_by_role("img", name="my/panda 2")
    expect(shown).to_be_visible(timeout=PATIENT_MS)
    assert shown.evaluate("image => image.naturalWidth") > 0
    expect(page.get_by_role("button", name="Only legs: 4")).to_be_visible()
    page.get_by_role("button", name="Delete my/panda 2", exact=True).click()
    page.get_by_role("button", name="Really delete my/panda 2?").click()
    expect(page.get_by_role("status")).to_have_text("my/panda 2 is deleted.", timeout=PATIENT_MS)
    assert "my/panda 2" not in ids(page)
    page.get_by_role("button", name="Find similar").click()
    expect(page.locator("#results .id").first).to_have_text("panda", timeout=PATIENT_MS)
    assert "my/panda 2" not in ids(page)


def test_an_id_that_is_not_indexed_is_an_alert_and_the_page_goes_on(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("or the id of an indexed picture").fill("no such picture")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no such picture", timeout=PATIENT_MS)
    # The browser itself writes every answer of 4xx into the console.
    assert [text for text in visit.complaints if "404" not in text] == []
    visit.complaints.clear()
    page.get_by_label("or the id of an indexed picture").fill("panda")
    page.keyboard.press("Enter")
    expect(page.locator("#results .card")).not_to_have_count(0, timeout=PATIENT_MS)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_gateway_that_is_overloaded_or_gone_is_said(visit: Visit) -> None:
    page = visit.page
    overloaded = {"code": "overloaded", "detail": "128 requests are under way"}
    page.route("**/search?*", lambda route: route.fulfill(status=503, json=overloaded))
    page.goto("/?id=panda")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Too much to do at once")
    expect(alert).to_contain_text("128 requests are under way. Try again in a moment.")
    assert serious(page) == []
    page.unroute("**/search?*")

    def cut(route: Route) -> None:
        route.abort()

    page.route("**/search?*", cut)
    page.get_by_role("button", name="Try again").click()
    expect(alert).to_contain_text("The gateway cannot be reached.")
    page.unroute("**/search?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#results .card")).not_to_have_count(0, timeout=PATIENT_MS)
    expect(alert).to_be_hidden()
    assert all("Failed to load resource" in text for text in visit.complaints)
    visit.complaints.clear()


def test_where_the_encoder_knows_no_words_none_are_asked_for_and_a_link_with_some_is_told_so(visit: Visit) -> None:
    page = visit.page
    assert httpx.get(f"{visit.url}/capabilities").json()["searching"]["text"] is False
    page.goto("/?text=a+panda")
    expect(page.get_by_role("alert")).to_contain_text("Not possible here", timeout=PATIENT_MS)
    expect(page.get_by_role("alert")).to_contain_text("has no text side")
    expect(page.get_by_label("or words")).to_be_hidden()
    assert all("501" in text for text in visit.complaints)
    visit.complaints.clear()


def test_why_a_picture_is_not_shown_stands_in_its_place(visit: Visit) -> None:
    upload(visit, "inline", PANDA.read_bytes())
    visit.page.goto("/?id=panda")
    card = visit.page.locator("#results .card", has_text="inline")
    expect(card.locator(".tile")).to_contain_text(
        "It was sent without an address, and its picture is not kept.", timeout=PATIENT_MS
    )
    assert serious(visit.page) == []
    httpx.delete(f"{visit.url}/images/inline?wait=60", timeout=70).raise_for_status()


def test_a_box_over_the_picture_searches_by_that_part_of_it(visit: Visit) -> None:
    page = visit.page
    page.set_input_files("#file", panda_beside_dam())
    drag(page, (0.55, 0.05), (0.95, 0.95))
    expect(page.get_by_role("status")).to_contain_text("like the part", timeout=PATIENT_MS)
    expect(page.locator("#results .id").first).to_have_text(re.compile("dam"), timeout=PATIENT_MS)
    drag(page, (0.75, 0.5), (0.25, 0.5))  # from within: the box goes along
    expect(page.locator("#results .id").first).to_have_text("panda", timeout=PATIENT_MS)
    expect(page.locator("#part-said")).to_contain_text(
        "A part 40 % wide and 90 % high, 5 % from the left and 5 % from the top."
    )
    assert serious(page) == []
    drag(page, (0.7, 0.5), (0.7, 0.5))  # a slip of the hand is no part
    expect(page.locator("#part")).to_be_hidden()
    expect(page.get_by_role("status")).not_to_contain_text("like the part", timeout=PATIENT_MS)


def test_the_box_is_drawn_by_a_finger_too(visit: Visit) -> None:
    page = visit.page
    page.set_input_files("#file", panda_beside_dam())
    stage = stage_of(page)
    finger = page.context.new_cdp_session(page)
    for kind, across in (("touchStart", 0.55), ("touchMove", 0.8), ("touchMove", 0.95), ("touchEnd", None)):
        down = 0.05 if kind == "touchStart" else 0.95
        at = {"x": stage["x"] + stage["width"] * (across or 0), "y": stage["y"] + stage["height"] * down}
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if across is None else [at]})
    expect(page.locator("#part-said")).to_contain_text("A part 40 % wide and 90 % high, 55 % from the left")
    expect(page.locator("#results .id").first).to_have_text(re.compile("dam"), timeout=PATIENT_MS)


def test_the_box_is_set_moved_resized_and_dropped_by_keys(visit: Visit) -> None:
    page = visit.page
    page.set_input_files("#file", panda_beside_dam())
    page.get_by_role("button", name="Search by a part").press("Enter")
    part = page.locator("#part-said")
    expect(part).to_contain_text("A part 50 % wide and 50 % high, 25 % from the left and 25 % from the top.")
    expect(page.locator("#part")).to_be_focused()
    for key in ["ArrowRight"] * 20 + ["ArrowUp"] * 2 + ["Shift+ArrowDown"] * 5 + ["Shift+ArrowLeft"] * 3:
        page.keyboard.press(key)
    expect(part).to_contain_text("A part 44 % wide and 60 % high, 50 % from the left and 21 % from the top.")
    expect(page.locator("#results .id").first).to_have_text(re.compile("dam"), timeout=PATIENT_MS)
    page.keyboard.press("Escape")
    expect(page.locator("#part")).to_be_hidden()
    expect(page.get_by_role("button", name="Search by a part")).to_be_focused()


def test_several_pictures_are_looked_for_together_and_the_address_keeps_them(visit: Visit) -> None:
    page = visit.page
    page.goto("/?id=dam2")
    page.get_by_role("button", name="Also like panda").click()
    expect(page).to_have_url(re.compile(r"\?id=dam2&like=panda$"))
    expect(page.locator("#results .id")).to_have_text(["dam3"], timeout=PATIENT_MS)
    page.reload()
    expect(page.locator("#results .id")).to_have_text(["dam3"], timeout=PATIENT_MS)
    page.get_by_role("button", name="No longer also like panda").press("Enter")
    expect(page.locator("#results .id")).to_have_text(["dam3", "panda"], timeout=PATIENT_MS)
    near = float(page.locator("#results .number").first.text_content() or "")
    page.get_by_role("button", name="Not like panda").click()
    expect(page).to_have_url(re.compile(r"\?id=dam2&unlike=panda$"))
    expect(page.locator("#results .id")).to_have_text(["dam3"], timeout=PATIENT_MS)
    expect(page.locator("#results .number").first).not_to_have_text(f"{near:.3f}")


def test_while_a_search_is_under_way_the_page_says_so(visit: Visit) -> None:
    page = visit.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/search?*", hold)
    page.goto("/?id=panda")
    expect(page.get_by_role("status")).to_have_text("Searching…")
    expect(page.locator("#found")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#results .ghost")).not_to_have_count(0)
    held[0].continue_()
    expect(page.locator("#results .card")).not_to_have_count(0, timeout=PATIENT_MS)
    expect(page.locator("#found")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#results .ghost")).to_have_count(0)


def test_the_live_strip_shows_what_becomes_searchable_and_stands_still_while_pointed_at(visit: Visit) -> None:
    page = visit.page
    strip = page.locator("#arrivals")
    expect(page.locator("#live-state")).to_have_text("Live", timeout=PATIENT_MS)
    upload(visit, "live/1", PANDA.read_bytes())
    arrived = strip.locator('li[data-id="live/1"]')
    expect(arrived.locator(".after")).to_have_text(re.compile(r"^\d+\.\d\d s$"), timeout=PATIENT_MS)
    arrived.hover()
    upload(visit, "live/2", b"no image at all")
    upload(visit, "live/3", DAMS[0].read_bytes())
    expect(page.locator("#live-state")).to_have_text("Live: 2 more wait", timeout=PATIENT_MS)
    expect(strip.locator("li").first).to_have_attribute("data-id", "live/1")
    arrived.get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"\?id=live%2F1$"))
    page.mouse.move(0, 0)
    expect(strip.locator("li").first).to_have_attribute("data-id", "live/3", timeout=PATIENT_MS)
    expect(strip.locator('li[data-id="live/2"] .after')).to_have_text("unsupported_format")
    for image_id in ("live/1", "live/3"):
        httpx.delete(f"{visit.url}/images/{image_id}?wait=60", timeout=70).raise_for_status()
        expect(strip.locator(f'li[data-id="{image_id}"]')).to_have_count(0, timeout=PATIENT_MS)


def test_the_panel_tells_of_searches_and_of_every_copy_of_every_shard(visit: Visit) -> None:
    page = visit.page
    open_panda(page)
    expect(page.locator("#per-second")).to_have_text(re.compile("[1-9]"), timeout=PATIENT_MS)
    expect(page.locator("#p50")).to_have_text(re.compile(r"^[\d.]+ ms$"))
    expect(page.locator("#waiting")).to_have_text("0", timeout=PATIENT_MS)
    page.get_by_text("Shards and their copies").click()
    rows = page.locator("#copies tr")
    expect(rows).to_have_count(4, timeout=PATIENT_MS)  # two shards, each with the indexer and a searcher
    expect(rows.nth(1)).to_contain_text("searcher-0live")


def test_a_gateway_with_keys_asks_for_one_and_goes_on_with_it(browser: Browser, locked: Locked) -> None:
    with browser.new_context(base_url=locked.url, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto("/?id=panda")
        expect(page.get_by_role("alert")).to_contain_text("This takes a key")
        assert serious(page) == []
        page.get_by_label("API key").fill("no key of theirs")
        page.keyboard.press("Enter")
        expect(page.get_by_label("API key")).to_have_value("")
        expect(page.get_by_role("alert")).to_contain_text("This takes a key")
        page.get_by_label("API key").fill(locked.key)
        page.keyboard.press("Enter")
        expect(page.locator("#results .card")).not_to_have_count(0, timeout=PATIENT_MS)
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.get_by_label("API key")).to_be_hidden()
        expect(page.locator("#live-state")).to_have_text("Live")
        page.reload()
        expect(page.locator("#results .card")).not_to_have_count(0, timeout=PATIENT_MS)


def test_the_keyboard_passes_the_strip_and_reaches_the_search(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("#arrivals button")).not_to_have_count(0, timeout=PATIENT_MS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the search")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#file")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_serious_and_a_phone_need_not_scroll_sideways(
    visit: Visit, scheme: Literal["light", "dark"], width: int
) -> None:
    page = visit.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    open_panda(page)
    page.get_by_role("button", name="Only kind: energy").first.click()
    expect(page.get_by_role("button", name="No longer only kind: energy")).to_be_visible()
    expect(page.locator("#found")).to_have_attribute("aria-busy", "false", timeout=PATIENT_MS)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
