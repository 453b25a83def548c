variable "TAG" { default = "latest" }
variable "COUNT" { default = 2 }
variable "DEBUG" { default = false }
variable "LIST" { default = ["a","b"] }
function "name" {
  params = [x]
  result = "reg/${x}:${TAG}"
}
group "default" { targets = ["app", "multi"] }
target "_common" {
  args = { A = "1", N = COUNT, D = DEBUG, NUL = null }
  labels = { "org.x" = "y" }
  platforms = ["linux/amd64"]
}
target "app" {
  inherits = ["_common"]
  dockerfile = "Dockerfile"
  tags = [name("app"), notequal("", TAG) ? "x:${upper(TAG)}" : ""]
  args = { B = "${TAG}-b", C = join(",", LIST) }
  cache-from = ["type=registry,ref=r/c", "r/d"]
  cache-to = ["type=local,dest=/tmp/c,mode=max"]
  output = ["type=image,push=false"]
  secret = ["id=s,src=/etc/hostname"]
  contexts = { base = "target:base", img = "docker-image://busybox" }
  annotations = ["index:a=b"]
  no-cache = true
  pull = true
  shm-size = "128m"
  ulimits = ["nofile=1:2"]
  network = "host"
  extra-hosts = { h = "1.2.3.4" }
  entitlements = ["network.host"]
  attest = ["type=provenance,mode=max"]
  no-cache-filter = ["x"]
  description = "the app"
}
target "base" {
  dockerfile-inline = <<EOT
FROM busybox
RUN echo hi
EOT
}
target "multi" {
  name = "multi-${v}-${replace(w, ".", "-")}"
  matrix = { v = ["a","b"], w = ["1.0","2.0"] }
  args = { V = v, W = w }
  target = "t"
}
