# Shared by the scripts beside it: where builds are cached, and the time of each phase.
# shellcheck shell=bash

cache="${KUBERAY_CONFORMANCE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kuberay-conformance}"
# In CI, compiled code stays outside of the checkout, so that a clean checkout compiles it once.
if [ "${CI:-}" = true ]; then
  export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
fi

# need_rust: fails without Rust or a linker. As root on Debian it installs a missing linker.
need_rust() {
  if ! command -v cargo >/dev/null; then
    echo "cargo is not on the PATH: install Rust (https://rustup.rs), then run this again" >&2
    exit 3
  fi
  command -v cc >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    phase "linker (gcc, libc6-dev)" install_linker
  else
    echo "cc is not on the PATH: install a C compiler and linker (Debian: gcc and libc6-dev), then run this again" >&2
    exit 3
  fi
}

install_linker() { install_packages gcc libc6-dev; }

# install_packages NAME…: Debian packages, as root.
install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends "$@"
}

# cargo_tool NAME VERSION [OPTIONS…]: a program of Rust's package registry, kept in the cache and
# put on the PATH. It is a debug build, because scripts use it little and it compiles faster.
cargo_tool() {
  local root="$cache/tools/$1-$2"
  [ -x "$root/bin/$1" ] || cargo install "$1" --debug --locked --version "$2" --root "$root" --quiet "${@:3}" || return
  export PATH="$root/bin:$PATH"
}

# go_tool PACKAGE VERSION: a program of a Go module, kept in the cache and put on the PATH.
go_tool() {
  local name=${1##*/} root
  root="$cache/tools/$name-$2"
  [ -x "$root/$name" ] || GOBIN="$root" GOFLAGS=-mod=mod go install "$1@$2" || return
  export PATH="$root:$PATH"
}

# python_tools NAME: the programs that ci/release/NAME.txt pins by checksum, kept in the cache and
# put on the PATH.
python_tools() {
  local list="ci/release/$1.txt" root
  root="$cache/tools/python-$(sha256sum "$list" | cut -c 1-12)"
  if [ ! -e "$root/complete" ]; then
    rm -rf "$root"
    python_environment "$root" || return
    "$root/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes --requirement "$list" \
      && touch "$root/complete" || return
  fi
  export PATH="$root/bin:$PATH"
}

# python_environment FOLDER: an empty environment of Python. On Debian, its module is in a package
# of its own.
python_environment() {
  if ! python3 -m venv "$1" 2>/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
      echo "python3 -m venv failed: install Python with its module venv (Debian: python3-venv), then run this again" >&2
      return 3
    fi
    install_packages python3 python3-venv && rm -rf "$1" && python3 -m venv "$1"
  fi
}

# sarif_schema: downloads the schema of SARIF 2.1.0, against which tests validate `check --format
# sarif`. The checksum is that of the file in version 1.0.0-beta.0 of the package on npm's registry.
sarif_schema() {
  local root="$cache/tools/sarif-schema-2.1.0-rtm.5"
  local file="$root/package/lib/schemas/sarif-2.1.0-rtm.5.json"
  if [ ! -e "$file" ]; then
    mkdir -p "$root"
    npm pack --silent --pack-destination "$root" @microsoft/jest-sarif@1.0.0-beta.0 >/dev/null \
      && tar -xzf "$root"/*.tgz -C "$root" || return
  fi
  echo "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8  $file" | sha256sum --check --quiet || return
  export SARIF_SCHEMA="$file"
}

# fresh_memory: in CI, as root, empties the page cache. On a virtual machine whose memory is full of
# it, touching new memory can take many times as long (docs/benchmarks.md), and Ray starts slowly.
fresh_memory() {
  if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ]; then
    { sync && echo 1 > /proc/sys/vm/drop_caches; } 2>/dev/null || true
  fi
}

phases=()

# phase NAME COMMAND…: runs a command, and remembers how long it took and whether it failed.
phase() {
  local name=$1 began=$SECONDS status=0
  shift
  fresh_memory
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  local took=$((SECONDS - began))
  phases+=("$(printf '%4d:%02d min  %s' $((took / 60)) $((took % 60)) "$name")")
  if [ "$status" -ne 0 ]; then
    print_phases
    printf '\n%s failed (exit %d)\n' "$name" "$status" >&2
    exit "$status"
  fi
}

print_phases() {
  printf '\n== time of each phase\n'
  printf '%s\n' "${phases[@]}"
}
