#!/bin/sh
# An authority of your own, a certificate of each server, and one of each worker: NAME.pem and NAME.key in FOLDER.
#
#   deploy/tls/certificates.sh FOLDER HOSTS [NAMESPACE]
#
# HOSTS: by which names and addresses the servers are reached, as DNS:kafka,DNS:redis,DNS:localhost,IP:127.0.0.1
# What is there already stays as it is: remove a file to have it made anew. Keep ca.key where no server is.
set -eu
umask 077

folder=$1
hosts=$2
prefix=${3:+$3.}
mkdir -p "$folder"
cd "$folder"
exec 3>&2 2> making.log # openssl tells how it gets on: of interest where it does not
trap '[ $? -eq 0 ] || cat making.log >&3; rm -f making.log' EXIT

key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc"

if [ ! -e ca.pem ]; then
    # shellcheck disable=SC2086
    openssl req -x509 $key -days 3650 -subj "/CN=Afterimage authority" -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout ca.key -out ca.pem
fi

issue() { # the files' name, the common name, and what else the certificate says
    [ ! -e "$1.pem" ] || return 0
    printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%s\n' "${3:-}" > "$1.ext"
    # shellcheck disable=SC2086
    openssl req $key -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -extfile "$1.ext" \
        -out "$1.pem"
    rm "$1.csr" "$1.ext"
}

issue kafka kafka "subjectAltName=$hosts"
issue redis redis "subjectAltName=$hosts"
issue admin admin # whoever gives the others their rights
for worker in extractor indexer searcher gateway client uploader operator; do
    issue "$worker" "${prefix}afterimage.$worker"
done
cat kafka.key kafka.pem > kafka.keystore.pem # as Kafka wants it: the key and the certificate in one file
