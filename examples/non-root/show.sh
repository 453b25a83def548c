#!/bin/sh
echo "user: $(id -un) ($(id -u)), group: $(id -gn) ($(id -g))"
echo "owner of the script: $(stat -c %U:%G "$0")"
if touch /etc/forbidden 2>/dev/null; then echo "may write to /etc"; else echo "may not write to /etc"; fi
