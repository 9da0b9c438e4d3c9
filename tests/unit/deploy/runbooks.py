"""What the runbooks ask people to type: commands, and expressions of PromQL."""

import re

from tests.unit.deploy.files import RUNBOOKS

_PROGRAMS = ("afterimage ", "redis-cli ", "kcat ", "curl ", "docker ")
_CODE = re.compile(r"`([^`]+)`|^    (\S.*)$", re.MULTILINE)


def written() -> set[str]:
    """All code of all pages, each piece on one line."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(RUNBOOKS.glob("*.md")))
    return {" ".join((inline or block).split()) for inline, block in _CODE.findall(text)}


def commands() -> set[str]:
    return {code for code in written() if code.startswith(_PROGRAMS)}


def expressions() -> set[str]:
    """PromQL that is more than the name of a metric."""
    return {code for code in written() if re.match(r"(sum|rate)\b", code)} | {"afterimage_searcher_effort"}
