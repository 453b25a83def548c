#!/bin/sh
. /etc/tool/tool.conf
echo "tool says $WORD in $(readlink -f /usr/bin/the-tool) as $(id -un)"
