echo "monthly report for ${TENANT:-all}"
exit 3
