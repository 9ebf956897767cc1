# Shared by the scripts beside it: where builds are cached, and the time of each phase.
# shellcheck shell=bash

cache="${KUBERAY_CONFORMANCE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kuberay-conformance}"
# A clean checkout in CI compiles nothing twice: what cargo builds lies outside of it.
if [ "${CI:-}" = true ]; then
  export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
fi

# What compiles the harness. On Debian as root a missing linker is installed, as the harness installs what it needs itself.
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

# cargo_tool NAME VERSION: a program of Rust's package registry, kept in the cache and put on the PATH. Scripts ask it little:
# to compile it quickly is worth more than that it is fast.
cargo_tool() {
  local root="$cache/tools/$1-$2"
  [ -x "$root/bin/$1" ] || cargo install "$1" --debug --locked --version "$2" --root "$root" --quiet || return
  export PATH="$root/bin:$PATH"
}

phases=()

# phase NAME COMMAND…: runs a command, and remembers how long it took and whether it failed.
phase() {
  local name=$1 began=$SECONDS status=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || status=$?
  phases+=("$(printf '%6d s  %s' $((SECONDS - began)) "$name")")
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
