echo "server with $(ls /app/modules | xargs)"
