// Package hello greets.
package hello

// To greets somebody.
func To(name string) string { return "hello, " + name }
