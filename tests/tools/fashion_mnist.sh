#!/bin/bash
# Prints the folder of Debian's dataset-fashion-mnist (MIT licence, Zalando SE); unpacks it below $1 where it must.
exec "$(dirname "$0")/debian_data.sh" dataset-fashion-mnist /usr/share/datasets/fashion-mnist "$1/fashion-mnist"
