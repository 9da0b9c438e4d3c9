"""Where this user's caches live: the only place outside the checkout that is written to for good."""

import os
from pathlib import Path


def user_cache() -> Path:
    """Afterimage's own folder in the user's cache, by the XDG base directory specification. May not exist yet."""
    # The specification says to ignore a relative path.
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = configured if configured.is_absolute() else Path.home() / ".cache"
    return root / "afterimage"
