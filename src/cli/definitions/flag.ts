/** Short ways to write the flags of the command table, and those that several commands have. */
import type { FlagSpec } from "../flags.ts";

type Extra = Partial<Omit<FlagSpec, "name" | "short" | "type" | "usage">>;

/** `flag("all", "a", "bool", "…")`; an empty second word means no short form. */
export function flag(name: string, short: string, type: string, usage: string, extra: Extra = {}): FlagSpec {
  return short === "" ? { name, type, usage, ...extra } : { name, short, type, usage, ...extra };
}

/** A flag that is accepted for the sake of existing scripts; giving it prints one line of warning. */
export function ignored(name: string, short: string, type: string, usage: string, why = "it has no effect here", extra: Extra = {}): FlagSpec {
  return flag(name, short, type, usage, { ...extra, noEffect: why });
}

const templateWords = "'json':             One JSON object\n'TEMPLATE':         A Go template, filled in for each object";

export const formatFlag = flag("format", "f", "string", `How to write the output:\n${templateWords}`);

export const listFormatFlag = flag(
  "format",
  "",
  "string",
  `How to write the output:\n'table':            Columns under their headings (default)\n'table TEMPLATE':   Columns that a Go template names\n'json':             One JSON object a line\n'TEMPLATE':         A Go template, filled in for each row`,
);

export const forceFlag = flag("force", "f", "bool", "Do not ask before removing");
export const platformFlag = flag("platform", "", "string", 'Which platform, as "os[/arch[/variant]]"');

/** Of commands that use images; all others have them in front of their name. */
export const policyFlags = [
  flag("policy", "", "string", "Policy file in the place of your own (SLIPWAY_POLICY)", { complete: "file" }),
  flag("policy-override", "", "stringArray", "Use the image of this digest although a policy refuses it, and record that (DIGEST=REASON)"),
];

/** podman's, buildah's and skopeo's. */
export const authFileFlag = flag("authfile", "", "string", "File with the credentials for registries (REGISTRY_AUTH_FILE)", { complete: "file" });

export const transferProgressFlag = flag(
  "progress",
  "",
  "string",
  'How progress is shown ("auto", "json", "plain", "quiet", "tty"). "json" has the objects of the Docker Engine API, one a line',
  {
    default: '"auto"',
    complete: ["auto", "json", "plain", "quiet", "tty"],
  },
);

/** skopeo's, for one end of a copy. */
export function accessFlags(end: "src" | "dest", name: "source" | "target"): readonly FlagSpec[] {
  return [
    flag(`${end}-authfile`, "", "string", `File with the credentials for the ${name}'s registry, looked into first`, { complete: "file" }),
    flag(`${end}-cert-dir`, "", "string", `Directory with certificates for the ${name}'s registry: *.crt are authorities, NAME.cert and NAME.key your own`, {
      complete: "file",
    }),
    flag(`${end}-creds`, "", "string", `Name and password for the ${name}'s registry (USERNAME[:PASSWORD])`),
    flag(`${end}-daemon-host`, "", "string", `Docker daemon of a docker-daemon: ${name} (DOCKER_HOST)`),
    flag(`${end}-no-creds`, "", "bool", `Be nobody at the ${name}'s registry`),
    flag(`${end}-password`, "", "string", `Password for the ${name}'s registry`),
    flag(`${end}-registry-token`, "", "string", `Bearer token for the ${name}'s registry`),
    flag(`${end}-tls-verify`, "", "bool", `Want https and a certificate that holds of the ${name}'s registry; with "=false" neither`),
    flag(`${end}-username`, "", "string", `Name at the ${name}'s registry`),
  ];
}
