#!/usr/bin/env bash
# Start-up and idle memory of a published server: bench/startup.sh [DIRECTORY OF THE PUBLISHED SERVER]. Publishes first when none is given.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
server=${1:-$work/server}
[ $# -gt 0 ] || dotnet publish src/Assay.Server -c Release -o "$server" --nologo -v q

start() {
  local began now pid port=$((20000 + RANDOM % 20000))
  began=$(date +%s%N)
  dotnet "$server/assay-server.dll" --data "$work/data" --urls "http://127.0.0.1:$port" >"$work/log" 2>&1 &
  pid=$!
  until curl -sf -o "$work/ready" "http://127.0.0.1:$port/health/ready"; do
    kill -0 "$pid" 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.02
  done
  now=$(date +%s%N)
  read -r -a stat <"/proc/$pid/stat"
  sleep 10
  echo "$1: ready after $(((now - began) / 1000000)) ms ($(((stat[13] + stat[14]) * 10)) ms of processor), $(($(ps -o rss= -p "$pid") / 1024)) MiB resident after 10 s idle"
  kill "$pid"
  wait "$pid" || true
}

start "empty directory"
for round in 1 2 3; do start "existing directory, $round"; done
