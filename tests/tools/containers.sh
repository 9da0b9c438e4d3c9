#!/usr/bin/env bash
# Install what `make test-compose` uses beside what `make ci-tools` installs: Podman and debootstrap, from Debian.
set -euo pipefail

source "$(dirname "$0")/apt.sh"
say() { echo "test-compose: $*"; }

if [ "$(id -u)" -ne 0 ]; then
    say "this has to run as root: it makes images from Debian's packages, and limits what containers may use" >&2
    exit 2
fi

libexec=/usr/libexec/podman lib=/usr/lib/podman
declare -A package=(
    [podman]=podman [runc]=runc [iptables]=iptables [debootstrap]=debootstrap
    [$lib/netavark]=netavark [$lib/aardvark-dns]=aardvark-dns [$libexec/catatonit]=catatonit
)
missing=()
packages=()
for program in "${!package[@]}"; do
    if ! command -v "$program" > /dev/null; then
        missing+=("$program")
        packages+=("${package[$program]}")
    fi
done
if [ ${#missing[@]} -eq 0 ]; then
    say "podman and what it needs are here"
    exit 0
fi
if ! may_install; then
    say "this machine has no apt-get; install by hand: ${missing[*]}" >&2
    exit 2
fi
say "reading the package lists (apt-get update)"
apt update
say "installing ${packages[*]}"
install_without_starting "${packages[@]}"
