#!/bin/bash
# Prints $2, a folder of the Debian package $1 that has data alone; unpacks the package into $3 where it is not installed.
# Needs no root, but apt-get.
set -euo pipefail
package="$1" installed="$2" folder="$3"

if [ -d "$installed" ]; then
    echo "$installed"
    exit
fi
if [ ! -d "$folder$installed" ]; then
    part="$(mktemp -d "$(dirname "$folder")/$package.XXXXXX")"
    trap 'rm -rf "$part"' EXIT
    (cd "$part" && apt-get download "$package" >&2 && dpkg-deb --extract "$package"_*.deb . && rm "$package"_*.deb)
    rm -rf "$folder"
    mv "$part" "$folder"
fi
echo "$folder$installed"
