/** The words for places that images lie in, as skopeo has them: `docker://…`, `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE[:NAME]`, `store:NAME`. */
import type { SshAddress } from "./ssh-target.ts";
import { SlipwayError } from "../../base/errors.ts";
import { parseReference, withDefaultTag, type Reference } from "../../oci/reference.ts";

export type Location =
  /** a registry's image, whatever the store has */
  | { readonly kind: "registry"; readonly text: string; readonly reference: Reference }
  /** an image of the store */
  | { readonly kind: "store"; readonly text: string; readonly name: string }
  /** no place was named: the store's image of that name, else the registry's */
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "layout"; readonly text: string; readonly directory: string; readonly name: string | undefined }
  /** one image in a directory, in skopeo's own way */
  | { readonly kind: "flat"; readonly text: string; readonly directory: string }
  | { readonly kind: "archive"; readonly text: string; readonly format: "oci" | "docker"; readonly file: string; readonly name: string | undefined }
  /** a directory of files that is no image: only what lists packages takes it */
  | { readonly kind: "files"; readonly text: string; readonly directory: string }
  /** the store of another machine */
  | { readonly kind: "ssh"; readonly text: string; readonly address: SshAddress; readonly name: string }
  | { readonly kind: "daemon"; readonly text: string; readonly name: string };

const prefixes = [
  "fs://",
  "ssh://",
  "docker://",
  "docker-daemon:",
  "docker-archive:",
  "oci-archive:",
  "oci:",
  "dir:",
  "containers-storage:",
  "containers:",
  "store:",
] as const;
type Prefix = (typeof prefixes)[number];

function prefixOf(text: string): Prefix | undefined {
  return prefixes.find((prefix) => text.startsWith(prefix));
}

function invalid(text: string, why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_LOCATION", `invalid location ${JSON.stringify(text.slice(0, 300))}: ${why}`, {
    got: text.slice(0, 300),
    bare: true,
  });
}

/** A path has no colon in it, as with skopeo; what follows the first one is a tag, a name or `@sha256:…`. */
export function splitPath(text: string, rest: string): { readonly path: string; readonly name: string | undefined } {
  const at = /@(?:sha256|sha512):/.exec(rest)?.index ?? -1;
  const colon = rest.indexOf(":");
  const end = at >= 0 && (colon < 0 || at < colon) ? at : colon;
  const path = end < 0 ? rest : rest.slice(0, end);
  if (path === "") throw invalid(text, "it names no file");
  const name = end < 0 ? "" : rest.slice(end + 1);
  return { path, name: name === "" ? undefined : name };
}

/** A host's name cannot be taken for a flag of ssh's. */
function sshLocation(text: string, rest: string): Location {
  const [, user, host, port, name = ""] = /^(?:([\w.][\w.-]*)@)?([\w.][\w.-]*|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?\/(.+)$/.exec(rest) ?? [];
  if (host === undefined) throw invalid(text, "want ssh://[user@]host[:port]/name[:tag]");
  parseReference(name);
  const address = { user, host: host.replace(/^\[|\]$/g, ""), port: port === undefined ? undefined : Number(port) };
  return { kind: "ssh", text, address, name };
}

/** Docker Scout's words for places, and Syft's where no image is called so. */
const otherWords: readonly (readonly [theirs: string, ours: string])[] = [
  ["local://", "store:"],
  ["registry://", "docker://"],
  ["image://", ""],
  ["oci-dir://", "oci:"],
  ["oci-dir:", "oci:"],
  ["archive://", "docker-archive:"],
];

function ownWords(text: string): string {
  const [theirs, ours] = otherWords.find(([word]) => text.startsWith(word)) ?? ["", ""];
  return ours + text.slice(theirs.length);
}

/** Fails with INVALID_LOCATION or INVALID_REFERENCE (invalid_argument). Paths stay as they are written. */
export function parseLocation(given: string): Location {
  const text = ownWords(given);
  const prefix = prefixOf(text);
  const rest = prefix === undefined ? text : text.slice(prefix.length);
  if (rest === "") throw invalid(text, "it names no image");
  switch (prefix) {
    case undefined:
      return { kind: "name", text };
    case "docker://":
      return { kind: "registry", text, reference: withDefaultTag(parseReference(rest)) };
    case "fs://":
      return { kind: "files", text, directory: rest };
    case "ssh://":
      return sshLocation(text, rest);
    case "dir:":
      return { kind: "flat", text, directory: rest };
    case "docker-daemon:":
      return { kind: "daemon", text, name: rest };
    case "oci:": {
      const { path, name } = splitPath(text, rest);
      return { kind: "layout", text, directory: path, name };
    }
    case "oci-archive:":
    case "docker-archive:": {
      const { path, name } = splitPath(text, rest);
      return { kind: "archive", text, format: prefix === "oci-archive:" ? "oci" : "docker", file: path, name };
    }
    default:
      return { kind: "store", text, name: rest };
  }
}

/** `IMAGE:/path` as the image and the absolute path. undefined where there is no path: an image's name holds no `:/`. */
export function splitImagePath(text: string): { readonly image: string; readonly path: string } | undefined {
  const prefix = prefixOf(text) ?? "";
  const rest = text.slice(prefix.length);
  // behind a file's name the last one counts: oci:/layouts/a:/etc
  const filed = prefix === "oci:" || prefix === "oci-archive:" || prefix === "docker-archive:";
  const at = filed ? rest.lastIndexOf(":/") : rest.indexOf(":/");
  if (at <= 0) return undefined;
  return { image: prefix + rest.slice(0, at), path: rest.slice(at + 1) };
}
