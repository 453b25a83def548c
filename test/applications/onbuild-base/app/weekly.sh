echo "weekly report for ${TENANT:-all} in $PWD"
