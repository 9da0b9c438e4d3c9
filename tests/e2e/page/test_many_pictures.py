"""Many pictures at once: dropped or chosen, told of one by one, and ended when the person likes."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.e2e.page.visits import DAMS, PANDA, PATIENT_MS, Visit, serious


def picture(name: str, shade: int) -> FilePayload:
    file = io.BytesIO()
    Image.linear_gradient("L").rotate(shade).resize((64, 64)).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, one of them in a folder below, a file that is none, and one that is no file of pictures at all."""
    folder = tmp_path / "holiday"
    (folder / "dams").mkdir(parents=True)
    (folder / "panda.webp").write_bytes(PANDA.read_bytes())
    (folder / "dams" / "dam.webp").write_bytes(DAMS[0].read_bytes())
    (folder / "broken.png").write_bytes(b"no picture at all")
    (folder / "notes.txt").write_text("sunny")
    return folder


def drop(page: Page, *paths: Path) -> None:
    """As from a file manager."""
    hand = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        hand.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 300, "data": data})


def outcomes(page: Page) -> dict[str, str]:
    rows = page.locator("#bulk-files li")
    return dict(zip(rows.locator(".name").all_text_contents(), rows.locator(".what").all_text_contents(), strict=True))


def test_a_folder_that_is_dropped_is_added_after_a_word_and_each_picture_is_told_of(visit: Visit, folder: Path) -> None:
    page = visit.page
    drop(page, folder)
    expect(page.locator("#bulk-title")).to_have_text("3 pictures")
    state = page.locator("#bulk-state")
    expect(state).to_have_text(
        "Each is named by its path, and replaces one that has that name already. 1 file is no picture, and left out."
    )
    assert serious(page) == []
    page.get_by_label("Attributes of all, one per line").fill("trip: 7")
    page.get_by_role("button", name="Add 3 pictures").click()
    expect(state).to_have_text("Done: 2 added, 1 not possible.", timeout=PATIENT_MS)
    said = outcomes(page)
    assert next(iter(said)) == "holiday/broken.png", "what went wrong stands first"
    assert said["holiday/broken.png"].startswith("unsupported_format: ")
    assert re.fullmatch(r"searchable after \d+\.\d\d s", said["holiday/panda.webp"])
    assert re.fullmatch(r"searchable after \d+\.\d\d s", said["holiday/dams/dam.webp"])
    assert serious(page) == []
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#bulk")).to_be_hidden()
    page.goto("/?id=holiday/dams/dam.webp")
    expect(page.get_by_role("button", name="Only trip: 7")).to_be_visible(timeout=PATIENT_MS)


def test_several_are_chosen_by_keys_alone_and_one_that_is_dropped_is_looked_for(visit: Visit) -> None:
    page = visit.page
    page.get_by_text("Add many at once").press("Enter")
    chooser = page.get_by_label("Choose pictures")
    chooser.focus()
    with page.expect_file_chooser() as choosing:
        page.keyboard.press("Space")
    choosing.value.set_files([picture("keys-1.png", 10), picture("keys-2.png", 80)])
    expect(page.locator("#bulk")).to_be_focused()
    for key in ("Tab", "Tab", "Tab", "Enter"):  # the attributes, the list, the button
        page.keyboard.press(key)
    expect(page.locator("#bulk-state")).to_have_text("Done: 2 added.", timeout=PATIENT_MS)
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#bulk")).to_be_hidden()
    drop(page, PANDA)
    expect(page.locator("#results .id").first).to_have_text(re.compile("panda"), timeout=PATIENT_MS)
    expect(page.locator("#bulk")).to_be_hidden()


def test_a_folder_is_chosen_too(visit: Visit, folder: Path) -> None:
    page = visit.page
    page.set_input_files("#many-folder", folder)
    expect(page.locator("#bulk-title")).to_have_text("3 pictures")
    assert set(outcomes(page)) == {"holiday/panda.webp", "holiday/dams/dam.webp", "holiday/broken.png"}
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#bulk")).to_be_hidden()


def test_who_cancels_is_told_what_was_added_and_what_is_left_and_may_go_on(visit: Visit) -> None:
    page = visit.page
    asked = 0

    def hold_all_but_the_first(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            route.continue_()

    page.route("**/images/bulk?*", hold_all_but_the_first)
    page.set_input_files("#many-files", [picture(f"b-{number}.png", number) for number in range(130)])
    page.get_by_role("button", name="Add 130 pictures").click()
    added = page.locator('#bulk-files [data-state="indexed"]')
    expect(added).to_have_count(64, timeout=PATIENT_MS)
    expect(page.locator("#bulk-progress")).to_have_js_property("value", 64)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#bulk-state")).to_have_text("Cancelled: 64 added, 66 left.")
    expect(page.locator('#bulk-files [data-state="unknown"]').first).to_contain_text("the connection ended")
    assert serious(page) == []
    page.unroute("**/images/bulk?*")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#bulk-state")).to_have_text("Done: 130 added.", timeout=PATIENT_MS)
    visit.complaints.clear()


def test_while_the_gateway_is_busy_it_is_tried_again(visit: Visit) -> None:
    page = visit.page
    refused = 0

    def refuse_twice(route: Route) -> None:
        nonlocal refused
        refused += 1
        if refused <= 2:
            route.fulfill(status=503, json={"status": 503, "code": "overloaded", "detail": "128 are under way"})
        else:
            route.continue_()

    page.route("**/images/bulk?*", refuse_twice)
    page.set_input_files("#many-files", [picture("busy.png", 3)])
    page.get_by_role("button", name="Add 1 picture").click()
    expect(page.locator("#bulk-state")).to_contain_text("The gateway has too much to do: trying again.")
    expect(page.locator("#bulk-state")).to_have_text("Done: 1 added.", timeout=PATIENT_MS)
    assert all("503" in text for text in visit.complaints)
    visit.complaints.clear()


def test_without_a_connection_nothing_is_lost_and_it_goes_on_when_asked_to(visit: Visit) -> None:
    page = visit.page

    def cut(route: Route) -> None:
        route.abort()

    page.route("**/images/bulk?*", cut)
    page.set_input_files("#many-files", [picture("cut.png", 5)])
    page.get_by_role("button", name="Add 1 picture").click()
    expect(page.locator("#bulk-state")).to_have_text("The gateway cannot be reached: 0 added, 1 left.")
    page.unroute("**/images/bulk?*")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#bulk-state")).to_have_text("Done: 1 added.", timeout=PATIENT_MS)
    assert all("Failed to load resource" in text for text in visit.complaints)
    visit.complaints.clear()


def test_too_many_are_told_so_and_what_is_for_so_many(visit: Visit) -> None:
    page = visit.page
    tiny = picture("x", 0)
    page.set_input_files("#many-files", [{**tiny, "name": f"{number}.png"} for number in range(2001)])
    expect(page.locator("#bulk-state")).to_have_text(
        'More than 2,000 files, the most at a time. For more, there is "afterimage ingest FOLDER".'
    )
    expect(page.get_by_role("button", name=re.compile("^Add .* picture"))).to_have_count(0)
    assert serious(page) == []
    assert [url for url in visit.asked if "bulk" in url] == [f"{visit.url}/bulk/{name}.js" for name in SCRIPTS]


SCRIPTS = ("panel", "files", "sending")


def test_what_is_no_picture_is_told_so(visit: Visit) -> None:
    page = visit.page
    text: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}
    page.set_input_files("#many-files", [text, {**text, "name": "b.txt"}])
    expect(page.locator("#bulk-title")).to_have_text("Nothing to add")
    expect(page.locator("#bulk-state")).to_have_text("There is no picture among what was given.")


@pytest.mark.parametrize("width", [1280, 360])
def test_the_panel_fits_a_phone(visit: Visit, folder: Path, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.set_input_files("#many-folder", folder)
    page.get_by_role("button", name="Add 3 pictures").click()
    expect(page.locator("#bulk-state")).to_have_text("Done: 2 added, 1 not possible.", timeout=PATIENT_MS)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
