#!/bin/sh
# Stops the services of a supervisor that died without doing so, even by SIGKILL: its end closes our input.
# Reads lines "watch PID SIGNAL" and "forget PID"; every PID leads a process group of its own.
# The newest service is stopped first, since it uses the older ones.
watched=""

while read -r verb pid signal; do
  case $verb in
    watch) watched="$pid:$signal $watched" ;;
    forget)
      kept=""
      for service in $watched; do
        [ "${service%%:*}" = "$pid" ] || kept="$kept$service "
      done
      watched=$kept
      ;;
  esac
done

for service in $watched; do
  pid=${service%%:*}
  kill -s "${service#*:}" "$pid" 2>/dev/null
  tenths=0
  while kill -0 "$pid" 2>/dev/null && [ "$tenths" -lt 100 ]; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -s KILL -- "-$pid" 2>/dev/null
done
