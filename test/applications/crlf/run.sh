#!/bin/sh
echo "$MESSAGE at $PLACE: $1"
