/** Commands about policies: which images may be used. */
import type { Command } from "../command.ts";
import { flag, policyFlags } from "./flag.ts";

const outputForm = flag("output", "o", "string", 'How to write the result ("text", "json")', { default: '"text"', complete: ["text", "json"] });
const places =
  "Policies are asked at FROM, pull, run, create and push. /etc/slipway/policy.json always counts; besides it your own, slipway/policy.json below $XDG_CONFIG_HOME (~/.config), or the file that --policy or SLIPWAY_POLICY names in its place.";

export const policyCommands: readonly Command[] = [
  {
    name: "check",
    short: "Hold images of registries against the policies, without using them",
    long: `Says of each image what every policy file says of it: what holds, or which rule refuses it and why. ${places}\n\nExit codes: 0 all are accepted, 1 one is refused or cannot be judged.`,
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: [outputForm, ...policyFlags],
    args: { min: 1 },
    paths: ["policy check"],
    complete: "image",
    examples: [
      { text: "May this be used here?", command: "slipway policy check registry.example/app:1.0" },
      { text: "Would it be, by another policy?", command: "slipway policy check --policy new.json registry.example/app:1.0" },
    ],
    load: async () => (await import("../commands/policy.ts")).runPolicyCheck,
  },
  {
    name: "import",
    short: "Take over a policy of podman, skopeo or notation",
    long: "Reads containers' policy.json or notation's trustpolicy.json and prints it as a policy of Slipway's. What cannot be said here is refused rather than accepted; every such place is told of on standard error. GPG signatures (signedBy) cannot be verified.",
    usage: "[OPTIONS] FILE",
    flags: [flag("output", "o", "string", "Write it to this file, and what belongs to it beside it", { complete: "file" })],
    args: { min: 1, max: 1 },
    paths: ["policy import"],
    complete: "file",
    examples: [{ text: "What podman has", command: "slipway policy import -o ~/.config/slipway/policy.json /etc/containers/policy.json" }],
    load: async () => (await import("../commands/policy.ts")).runPolicyImport,
  },
  {
    name: "init",
    short: "Write a policy to begin with",
    long: `Writes a policy: images of the scopes have to be signed by the keys and free of what could be mended, other registries are refused. ${places}`,
    usage: "[OPTIONS] SCOPE [SCOPE...]",
    flags: [
      flag("audit", "", "bool", "Only note what would be refused"),
      flag("force", "f", "bool", "Replace a file that is there"),
      flag("key", "", "stringArray", "File of a public key; any of several will do", { complete: "file" }),
      flag("output", "o", "string", 'The file (default: your own policy file), "-" for standard output', { complete: "file" }),
      flag("unsigned", "", "stringArray", "A scope whose images need no signature, as your bases'"),
    ],
    args: { min: 1 },
    paths: ["policy init"],
    examples: [
      {
        text: "What release.key signed and official images, nothing of elsewhere",
        command: "slipway policy init --key release.pub --unsigned docker.io/library registry.example/acme",
      },
      { text: "Look first, refuse later", command: "slipway policy init --audit --key release.pub registry.example" },
    ],
    load: async () => (await import("../commands/policy.ts")).runPolicyInit,
  },
  {
    name: "log",
    short: "List what was used although a policy refused it",
    usage: "[OPTIONS]",
    flags: [outputForm],
    args: { min: 0, max: 0 },
    paths: ["policy log"],
    load: async () => (await import("../commands/policy.ts")).runPolicyLog,
  },
];
