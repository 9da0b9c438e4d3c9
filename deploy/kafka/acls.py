#!/usr/bin/env python3
"""Print the commands that give everybody their rights in Kafka, from acls.toml, for a shell. Needs Python 3.11 alone.

    deploy/kafka/acls.py --bootstrap-server localhost:9093 --command-config admin.properties | sh -e

--namespace NAME: as AFTERIMAGE_NAMESPACE, where that is set. --remove: takes the rights away again. What else is given
goes to each command of kafka-acls.sh as it is.
"""

import argparse
import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

RIGHTS = Path(__file__).with_name("acls.toml")


def commands(
    rights: Mapping[str, Mapping[str, Sequence[str]]], *, namespace: str, options: Sequence[str], action: str = "--add"
) -> Iterator[list[str]]:
    """Commands of kafka-acls.sh, one for each user, operation and kind of name."""
    prefix = f"{namespace}." if namespace else ""
    for user, operations in rights.items():
        who = ["--allow-principal", f"User:{prefix}afterimage.{user}"]
        for operation, resources in operations.items():
            for kind in ("literal", "prefixed"):
                named = [each for each in resources if each.endswith("*") == (kind == "prefixed")]
                what = [word for each in named for word in _resource(each, prefix)]
                if what:
                    how = ["--operation", operation.capitalize(), "--resource-pattern-type", kind]
                    yield ["kafka-acls.sh", *options, action, "--force", *who, *how, *what]


def _resource(named: str, prefix: str) -> tuple[str, str]:
    kind, name = named.split()
    return f"--{kind}", prefix + name.removesuffix("*")


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--namespace", default="")
    parser.add_argument("--remove", action="store_const", const="--remove", default="--add")
    given, options = parser.parse_known_args()
    rights = tomllib.loads(RIGHTS.read_text(encoding="utf-8"))
    for command in commands(rights, namespace=given.namespace, options=options, action=given.remove):
        sys.stdout.write(f"{shlex.join(command)}\n")


if __name__ == "__main__":
    main()
