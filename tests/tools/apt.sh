# To be sourced: apt-get for scripts that install what tests use.

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo --non-interactive)
fi

# Whether this machine has apt-get, and lets us use it.
may_install() {
    command -v apt-get > /dev/null && "${as_root[@]}" true 2> /dev/null
}

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 "$@" < /dev/null
}

# Debian starts a package's service when it installs it. A policy-rc.d that answers 101 forbids that; it stands only
# as long as the script, and one that was there before stays as it was.
install_without_starting() {
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        # shellcheck disable=SC2064 - the policy's name is known now
        trap "${as_root[*]} rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    apt install --yes --no-install-recommends "$@" > /dev/null
}
