.items | sort_by(.price) | .[] | "\(.name): \(.price)"
