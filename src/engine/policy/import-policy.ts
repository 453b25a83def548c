/** Which program's policy a text is, and what it is here. */
import { parseLocated } from "../../oci/located-json.ts";
import type { ImportedPolicy } from "../policy-api.ts";
import { importContainersPolicy, importError } from "./import-containers.ts";
import { importNotationPolicy } from "./import-notation.ts";
import { parsePolicy } from "./policy-file.ts";

/** What comes out is read as a policy once, so that it is one. Fails with POLICY_IMPORT (invalid_argument). */
export function importPolicy(text: string, path: string): ImportedPolicy {
  const root = parseLocated(text, (line, reason) => importError(path, line, reason));
  if (!root.has("trustPolicies") && !root.has("default")) throw importError(path, 1, "neither containers' policy.json nor notation's trustpolicy.json");
  const imported = root.has("trustPolicies") ? importNotationPolicy(text, path) : importContainersPolicy(text, path);
  parsePolicy(imported.text, path);
  return imported;
}
