#!/bin/bash
# Prints the folder of Debian's openclipart-png, which is in the public domain; unpacks it below $1 where it is not
# installed. Needs no root, but apt-get.
set -euo pipefail

installed=/usr/share/openclipart/png
if [ -d "$installed" ]; then
    echo "$installed"
    exit
fi
folder="$1/openclipart"
if [ ! -d "$folder$installed" ]; then
    mkdir -p "$folder"
    (cd "$folder" && apt-get download openclipart-png >&2 && dpkg-deb --extract openclipart-png_*.deb . && rm openclipart-png_*.deb)
fi
echo "$folder$installed"
