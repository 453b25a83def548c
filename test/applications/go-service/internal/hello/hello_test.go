package hello

import "testing"

func TestTo(t *testing.T) {
	if To("x") != "hello, x" {
		t.Fail()
	}
}
