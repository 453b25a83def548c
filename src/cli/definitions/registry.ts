/** A registry of one's own. */
import type { Command } from "../command.ts";
import { flag } from "./flag.ts";

export const registryCommands: readonly Command[] = [
  {
    name: "serve",
    short: "Serve a registry from a directory",
    long: "Serves a registry that Docker, podman, skopeo and others push to and pull from, until it is interrupted: then it takes no new requests, lets open ones end for ten seconds, and quits. Uploads that were broken off, also by the end of the server, can be continued for a week.",
    usage: "[OPTIONS]",
    flags: [
      flag("listen", "", "string", "Address and port; port 0 takes any free one", { default: '"127.0.0.1:5000"' }),
      flag("data", "", "string", 'Directory of the registry (default "registry" in the store\'s directory)', { complete: "directory" }),
      flag("htpasswd", "", "string", "File of users with bcrypt hashes; nobody else may come in", { complete: "file" }),
      flag("tls-cert", "", "string", "PEM file of the certificate", { complete: "file" }),
      flag("tls-key", "", "string", "PEM file of its key", { complete: "file" }),
      flag("client-ca", "", "string", "PEM file of authorities: clients need a certificate of theirs", { complete: "file" }),
      flag("images", "", "bool", "Serve the images of the store, under their names; what is pushed is an image of the store"),
      flag("mirror-of", "", "string", "Registry whose content is fetched when it is asked for, and kept; pushes are refused"),
      flag("read-only", "", "bool", "Refuse pushes"),
      flag("delete", "", "bool", "Allow tags, manifests and blobs to be deleted"),
      flag("log", "", "bool", "Print a line for every request to standard error"),
    ],
    args: { min: 0, max: 0 },
    paths: ["registry serve"],
    examples: [
      { text: "A registry for this machine", command: "slipway registry serve" },
      { text: "The images of this machine, for others to pull", command: "slipway registry serve --images --listen 0.0.0.0:5000" },
      { text: "A pull-through cache of Docker Hub", command: "slipway registry serve --mirror-of docker.io --listen 0.0.0.0:5000" },
      {
        text: "One for the network, with passwords",
        command: "slipway registry serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem --htpasswd users",
      },
    ],
    load: async () => (await import("../commands/registry-serve.ts")).runRegistryServe,
  },
];
