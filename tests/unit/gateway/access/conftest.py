from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.gateway.access.key_ring import KeyRing
from shared.access.key_file import write_keys
from shared.access.keys import Scope
from tests.unit.gateway.access.keys import made
from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    keys = [made(scope.value, scope) for scope in Scope]
    both = (Scope.READ, Scope.WRITE)
    write_keys(path, [*keys, made("shop", *both, tenant="shop"), made("bank", *both, tenant="bank")])
    return path


@pytest.fixture
def ring(file: Path) -> KeyRing:
    return KeyRing(file)


@pytest.fixture
async def guarded(index: FakeIndex, ring: KeyRing) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway(index, access=open_to_all(ring=ring)) as client:
        yield client
