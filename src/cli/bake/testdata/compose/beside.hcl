target "x" {}
target "web" { args = { A = "hcl" } }
