package main

import (
	"fmt"
	"net/http"
	"os"

	"example.com/service/internal/hello"
)

var version = "unknown"

func main() {
	if len(os.Args) > 1 {
		fmt.Println(hello.To(os.Args[1]), version, os.Getuid())
		return
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, hello.To(r.URL.Path[1:])) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":8000", nil))
	os.Exit(1)
}
