#!/bin/bash
# Prints the folder of Debian's openclipart-png, drawings in the public domain; unpacks it below $1 where it must.
exec "$(dirname "$0")/debian_data.sh" openclipart-png /usr/share/openclipart/png "$1/openclipart"
