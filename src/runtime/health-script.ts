/** The shell that runs a container's health checks. Its settings are in the environment, the probe is what stands behind it. */
export const probeScript = `trap '' HUP INT TERM
alive() {
  read -r stat <"/proc/$CONTAINER/stat" || return 1
  set -- \${stat##*)}
  [ "\${20}" = "$TICKS" ] && [ "$1" != Z ]
}
now_ms() {
  read -r up rest </proc/uptime
  ms=\${up%.*}\${up#*.}0
}
now_ms; began=$ms
status=starting told=starting streak=0
while :; do
  now_ms
  pause=$INTERVAL
  [ $status = starting ] && [ $((ms - began)) -lt $START_PERIOD_MS ] && pause=$START_INTERVAL
  sleep "$pause"
  alive || exit 0
  [ -e "$DIRECTORY/held" ] && continue
  now_ms; probed=$ms
  start=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
  { timeout -s KILL "$TIMEOUT" "$@" </dev/null 2>&1 & wait $!; echo $? >"$DIRECTORY/code"; } | { head -c 4097; cat >/dev/null; } >"$DIRECTORY/output"
  read -r code <"$DIRECTORY/code"
  now_ms
  alive || exit 0
  [ -e "$DIRECTORY/held" ] && continue
  if [ "$code" = 137 ] && [ $((ms - probed + 20)) -ge $TIMEOUT_MS ]; then
    code=late
    read -r probe <"$DIRECTORY/probe.pid" && kill -s KILL "$probe"
  fi
  { echo "$start $(date -u +%Y-%m-%dT%H:%M:%S.%NZ) $code"; cat "$DIRECTORY/output"; } >"$DIRECTORY/log/new"
  if [ "$code" = 0 ]; then
    status=healthy streak=0
  elif [ $status != starting ] || [ $((probed - began)) -ge $START_PERIOD_MS ]; then
    streak=$((streak + 1))
    [ $streak -ge $RETRIES ] && status=unhealthy
  fi
  [ $status != $told ] && eval "$ON_STATUS"
  told=$status
  mv "$DIRECTORY/log/new" "$DIRECTORY/log/$SEQUENCE"
  rm -f "$DIRECTORY/log/$((SEQUENCE - KEPT))"
  SEQUENCE=$((SEQUENCE + 1))
  echo "$status $streak" >"$DIRECTORY/state.new" && mv "$DIRECTORY/state.new" "$DIRECTORY/state"
done`;
