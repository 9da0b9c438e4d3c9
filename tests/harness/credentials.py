"""Certificates and passwords of everybody, made as docs/security.md has them made."""

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from shared.wires.kafka import KafkaSecurity
from shared.wires.tls import TlsFiles

DEPLOY = Path(__file__).parents[2] / "deploy"
USERS = ("admin", "extractor", "indexer", "searcher", "gateway", "client", "uploader", "operator")


@dataclass(frozen=True, slots=True)
class Credentials:
    """In `folder`: tls/USER.pem and USER.key, passwords/USER."""

    folder: Path
    namespace: str

    @classmethod
    def make(cls, folder: Path, namespace: str) -> "Credentials":
        script = [str(DEPLOY / "tls" / "certificates.sh"), str(folder / "tls"), "DNS:localhost,IP:127.0.0.1", namespace]
        subprocess.run(script, check=True, timeout=60)
        (folder / "passwords").mkdir()
        for user in USERS:
            (folder / "passwords" / user).write_text(f"{secrets.token_hex(24)}\n", encoding="utf-8")
        return cls(folder, namespace)

    @property
    def ca(self) -> Path:
        return self.folder / "tls" / "ca.pem"

    def file(self, user: str, kind: str) -> Path:
        """kind: pem or key."""
        return self.folder / "tls" / f"{user}.{kind}"

    def password(self, user: str) -> str:
        return self.password_file(user).read_text(encoding="utf-8").strip()

    def password_file(self, user: str) -> Path:
        return self.folder / "passwords" / user

    def name(self, user: str) -> str:
        """As Kafka and Redis know them."""
        return user if user == "admin" else f"{self.namespace}.afterimage.{user}"

    def by_password(self, user: str) -> dict[str, str]:
        """The environment of a worker that shows a password to both servers."""
        return {
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_USERNAME": self.name(user),
            "KAFKA_SASL_PASSWORD_FILE": str(self.password_file(user)),
            "KAFKA_SSL_CA": str(self.ca),
            **self._redis(user),
        }

    def by_certificate(self, user: str) -> dict[str, str]:
        """The environment of a worker that shows a certificate to both, and a password to Redis besides."""
        return {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA": str(self.ca),
            "KAFKA_SSL_CERTIFICATE": str(self.file(user, "pem")),
            "KAFKA_SSL_KEY": str(self.file(user, "key")),
            **self._redis(user),
            "REDIS_SSL_CERTIFICATE": str(self.file(user, "pem")),
            "REDIS_SSL_KEY": str(self.file(user, "key")),
        }

    def security(self, user: str) -> KafkaSecurity:
        """What a client shows that comes with a password."""
        return KafkaSecurity(
            protocol="SASL_SSL",
            username=self.name(user),
            password=SecretStr(self.password(user)),
            tls=TlsFiles(ca=self.ca),
        )

    def _redis(self, user: str) -> dict[str, str]:
        return {
            "REDIS_USERNAME": self.name(user),
            "REDIS_PASSWORD_FILE": str(self.password_file(user)),
            "REDIS_SSL_CA": str(self.ca),
        }
