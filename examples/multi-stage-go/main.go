package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	fmt.Printf("Hello, %s!\n", strings.Join(os.Args[1:], " "))
}
