"""What a deployment lets its workers read, and how hard they try."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """The limits on every reference that is fetched. The defaults are the safe ones."""

    file_roots: tuple[Path, ...] = ()
    """file:// references are read below these folders only; without any, not at all."""
    allow_http: bool = True
    """Whether http:// and https:// references are read."""
    allow_private_addresses: bool = False
    """Whether http(s) may reach loopback, private and link-local addresses: only where all producers are trusted."""
    max_bytes: int = 32 * 1024 * 1024
    timeout_s: float = 10.0
    """For one attempt, from the first packet to the last byte."""
    max_redirects: int = 3
    attempts: int = 3
    backoff_s: float = 0.2
    """The longest wait after the first failed attempt; it doubles with each further one."""
    max_backoff_s: float = 5.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"FetchPolicy.attempts is {self.attempts}; at least one attempt is needed")
        if self.max_bytes < 1:
            raise ValueError(f"FetchPolicy.max_bytes is {self.max_bytes}; it must be positive")
        if self.timeout_s <= 0:
            raise ValueError(f"FetchPolicy.timeout_s is {self.timeout_s}; it must be positive")

    def longest_wait_s(self, failures: int) -> float:
        """Return the upper bound of the wait after this many failed attempts in a row."""
        return min(self.max_backoff_s, self.backoff_s * 2.0 ** (failures - 1))
