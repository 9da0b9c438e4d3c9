import shutil
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from typer.testing import CliRunner

from services.cli.__main__ import app
from tests.e2e.page.visits import DAMS, PANDA, PATIENT_MS, Locked, Visit
from tests.harness.service import Service


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs chromium: `make ci-tools` installs it")
    return found


@pytest.fixture(scope="module")
def with_photos(chromium: str, gateway_url: str) -> str:
    """The address of a gateway whose service has three photos.

    It asks for chromium first: without that, all tests are skipped.
    """
    assert chromium
    for photo in (PANDA, *DAMS):
        event = {"id": photo.stem, "uri": photo.as_uri(), "attributes": {"kind": photo.parent.name}}
        httpx.post(f"{gateway_url}/images?wait=60", json=event, timeout=70).raise_for_status()
    return gateway_url


@pytest.fixture(scope="module")
def locked(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    made = CliRunner().invoke(app, ["keys", "add", "page", "--scope", "admin", "--file", str(file)])
    with service.worker("gateway", "locked", env={"GATEWAY_KEYS": str(file)}) as gateway:
        yield Locked(gateway.url, made.stdout.strip())


@pytest.fixture(scope="module")
def browser(with_photos: str, locked: Locked, chromium: str) -> Iterator[Browser]:
    """Comes after the service and goes before it: while Playwright runs, asyncio.run cannot."""
    assert with_photos
    assert locked.key
    with sync_playwright() as playwright:
        # Its own sandbox needs user namespaces, which containers seldom give; it sees our own page only.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, with_photos: str) -> Iterator[Visit]:
    """The page, opened. Afterwards: nothing in the console, and no request that left the gateway."""
    with browser.new_context(base_url=with_photos, reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        seen = Visit(page, with_photos)
        page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda request: seen.asked.append(request.url))
        page.goto("/")
        yield seen
        assert seen.complaints == []
        assert seen.asked
        assert [url for url in seen.asked if not url.startswith((f"{with_photos}/", f"blob:{with_photos}/"))] == []
