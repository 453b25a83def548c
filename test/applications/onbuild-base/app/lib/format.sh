format() { printf '%-10s %s\n' "$1" "$2"; }
