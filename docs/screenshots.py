"""Take pictures of the page for the README: ``make screenshots``. They show the running service with the demo's photos.

It starts what `make demo` starts, adds the photos through the page in Chromium as a person would, searches, and looks:
screenshots/light.webp, dark.webp and phone.webp, each below 200 kB.
"""

import asyncio
import io
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright, expect

from services.cli.commands.up import stack
from services.cli.settings import CliSettings
from services.cli.stack import Console
from shared.runtime.logging import configure_logging
from shared.runtime.settings import load_or_exit

HERE = Path(__file__).parent / "screenshots"
PHOTOS = Path(__file__).parents[1] / "tests" / "data" / "photos"
MAX_BYTES = 200_000

_QUERY = PHOTOS / "energy" / "windmill7.webp"
_DESK = {"width": 1280, "height": 960}
_PHONE = {"width": 390, "height": 844}
_PATIENT_MS = 60_000


async def take(url: str, chromium: str) -> None:
    """Raises AssertionError where the page does not come to show what is expected of it."""
    async with async_playwright() as playwright:
        # Its own sandbox needs user namespaces, which containers seldom give; it sees our own page only.
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(base_url=url, viewport=_DESK, reduced_motion="reduce")
        page.set_default_timeout(_PATIENT_MS)
        await page.goto("/")
        for photo in sorted(PHOTOS.glob("*/*.webp"), key=lambda path: path.stem):
            await _add(page, photo)
        await page.get_by_text("Add it to the index").click()
        await page.set_input_files("#file", _QUERY)
        await expect(page.locator("#results .id").first).to_have_text(_QUERY.stem, timeout=_PATIENT_MS)
        await page.get_by_role("button", name="Also like windmill12").click()
        await expect(page.locator("#found")).to_have_attribute("aria-busy", "false", timeout=_PATIENT_MS)
        await expect(page.locator("#waiting")).to_have_text("0", timeout=_PATIENT_MS)
        await _draw_box(page)
        await page.mouse.move(0, 0)
        await page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        await _look(page, "light")
        await page.emulate_media(color_scheme="dark")
        await _look(page, "dark")
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size(_PHONE)
        await _look(page, "phone")
        await browser.close()


async def _add(page: Page, photo: Path) -> None:
    await page.set_input_files("#file", photo)
    await page.locator("#add").evaluate("details => { details.open = true; }")
    await page.locator("#new-id").fill(photo.stem)
    await page.locator("#attributes").fill(f"kind: {photo.parent.name}")
    await page.get_by_role("button", name="Add to the index", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text(f"{photo.stem} was searchable after", timeout=_PATIENT_MS)


async def _draw_box(page: Page) -> None:
    stage = await page.locator("#stage").bounding_box()
    if stage is None:
        raise AssertionError("the query picture is not shown")
    await page.mouse.move(stage["x"] + 0.1 * stage["width"], stage["y"] + 0.08 * stage["height"])
    await page.mouse.down()
    await page.mouse.move(stage["x"] + 0.92 * stage["width"], stage["y"] + 0.72 * stage["height"], steps=4)
    await page.mouse.up()
    await expect(page.get_by_role("status")).to_contain_text("like the part", timeout=_PATIENT_MS)


async def _look(page: Page, name: str) -> None:
    """Keep what is seen, as WebP."""
    png = await page.screenshot()
    target = HERE / f"{name}.webp"
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(target, quality=82, method=6)
    size = target.stat().st_size
    if size > MAX_BYTES:
        raise AssertionError(f"{target} has {size} bytes, more than {MAX_BYTES}")
    sys.stdout.write(f"{target.relative_to(Path.cwd())}: {size:,} bytes\n")


async def with_service(act: Callable[[str], Awaitable[None]]) -> None:
    """Start the whole service, and call act(the gateway's address)."""
    console = Console(sys.stderr)
    async with stack(load_or_exit(CliSettings), folders=[PHOTOS], sink=console.line) as running:
        await act(running.worker_urls["gateway"])


def main() -> None:
    configure_logging(log_format="text", level="WARNING")
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("needs chromium: `make ci-tools` installs it")
    HERE.mkdir(exist_ok=True)
    asyncio.run(with_service(lambda url: take(url, chromium)))


if __name__ == "__main__":
    main()
