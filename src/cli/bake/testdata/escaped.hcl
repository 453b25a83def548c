target "default" {
 args = { "k$${a}" = "$${x} %%{y" }
 labels = { "k$${a}" = "$${x} %%{y" }
 contexts = { "k$${a}" = "$${x} %%{y" }
 annotations = ["a=$${x}"]
 dockerfile-inline = "FROM $${x} %%{y"
 tags = ["a:$${x}"]
 target = "$${x}"
 context = "$${x}"
 description = "$${x}"
 network = "$${x}"
 extra-hosts = { a = "$${x}" }
 cache-from = ["type=registry,ref=$${x}"]
 secret = ["type=env,id=A,env=B", "type=env,id=C,src=D", { type = "file", id = "k", src = "escaped.hcl" }]
}
