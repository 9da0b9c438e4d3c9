#!/usr/bin/env python3
"""Print Redis's file of users, from users.acl: with the SHA-256 of the passwords, and the namespace where there is one.

    deploy/redis/users.py PASSWORDS [NAMESPACE] > users.acl

PASSWORDS: a folder with a file for each user, such as `indexer`, that holds the password. Needs Python 3.11 alone.
"""

import hashlib
import sys
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("users.acl")
USERS = ("extractor", "indexer", "searcher", "gateway", "operator")


def users_file(passwords: Path, namespace: str = "") -> str:
    """Raises OSError where the password of a user is missing."""
    hashes = {user: _sha256((passwords / user).read_text(encoding="utf-8").strip()) for user in USERS}
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    prefix = f"{namespace}." if namespace else ""
    users = Template("\n".join(line for line in lines if not line.startswith("#")))  # Redis takes no comments here
    return users.substitute(hashes, namespace=prefix) + "\n"


def _sha256(password: str) -> str:
    if not password:
        raise ValueError("a password is empty: whoever knows the user's name would be let in")
    return hashlib.sha256(password.encode()).hexdigest()


def main() -> None:
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    sys.stdout.write(users_file(Path(sys.argv[1]), *sys.argv[2:]))


if __name__ == "__main__":
    main()
