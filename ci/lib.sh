# Shared by the scripts beside it: where builds are cached, and the time of each phase.
# shellcheck shell=bash

cache="${KUBERAY_CONFORMANCE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kuberay-conformance}"
# A clean checkout in CI compiles nothing twice: what cargo builds lies outside of it.
if [ "${CI:-}" = true ]; then
  export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
fi

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
