"""A container's variables and folders as they are in a pod, for a process that is in none."""

from pathlib import Path
from typing import Any

import trustme

from shared.access.key_file import write_keys
from tests.unit.deploy.chart.rendering import Container

FROM_KUBERNETES = {"fieldRef": "shop-afterimage-0", "resourceFieldRef": "1"}


def as_in_a_pod(container: Container, root: Path) -> dict[str, str]:
    """The variables with their values, and with mounted folders below `root`, where what is read at the start is."""
    found = {name: in_a_pod(value) for name, value in container.env.items()}
    for mount in container.spec["volumeMounts"]:
        (root / mount["mountPath"].lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name, value in found.items():
            if value.startswith(f"{mount['mountPath']}/") or value == mount["mountPath"]:
                found[name] = f"{root}{value}"
        if mount["name"].endswith("-tls"):
            put_certificates(root / mount["mountPath"].lstrip("/"))
    if "GATEWAY_KEYS" in found and not Path(found["GATEWAY_KEYS"]).exists():
        write_keys(Path(found["GATEWAY_KEYS"]), [])
    return found


def put_certificates(folder: Path) -> None:
    """As a Secret of cert-manager has them."""
    authority = trustme.CA()
    ours = authority.issue_cert("us.example.org")
    authority.cert_pem.write_to_path(folder / "ca.crt")
    ours.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    ours.private_key_pem.write_to_path(folder / "tls.key")


def in_a_pod(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    ((source, _),) = value.items()
    return FROM_KUBERNETES.get(source, "something-that-is-long-enough")
