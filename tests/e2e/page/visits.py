"""What the tests of the page have in common."""

from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.harness.service import PHOTOS

PANDA = PHOTOS / "animal" / "panda.webp"
DAMS = [PHOTOS / "energy" / "dam2.webp", PHOTOS / "energy" / "dam3.webp"]
PATIENT_MS = 60_000


@dataclass
class Visit:
    """A page, and what it did that a person does not see."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Locked:
    """A gateway that takes a key alone, and the key."""

    url: str
    key: str


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    worst = [each for each in found if each["impact"] in {"serious", "critical"}]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in worst]
