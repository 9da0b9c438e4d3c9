"""What can happen, each as one function that pytest calls for seconds and `make soak` for longer.

A scenario has features written all the while, does its worst again and again for about `seconds`, and then judges. What
it does follows from `seed`, and when it does it from the machine too. It leaves the site whole. It raises Impossible
where the machine cannot have its fault, and PromiseBroken where the service does not keep what it promises.
"""

from collections.abc import Coroutine
from typing import Any, Protocol

from tests.faults.figures import Figures
from tests.faults.site import Site


class Scenario(Protocol):
    __name__: str

    def __call__(self, site: Site, *, seed: int, seconds: float) -> Coroutine[Any, Any, Figures]: ...
