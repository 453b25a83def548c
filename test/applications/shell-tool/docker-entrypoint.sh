#!/bin/sh
# Options alone go to greet; anything else is a command of its own.
set -eu
case ${1:-} in
  -*) set -- greet "$@" ;;
esac
if [ "${GREET_DEBUG:-}" = 1 ]; then
  echo "entrypoint: $*" >&2
fi
exec "$@"
