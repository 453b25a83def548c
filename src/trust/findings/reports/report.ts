/** What reports of every format are made from. */
import type { Digest } from "../../../oci/digest.ts";
import type { ImageInventory } from "../../packages/image-inventory.ts";
import type { Exposure } from "../exposure.ts";
import type { Finding } from "../finding.ts";

export interface Report {
  readonly image: ImageInventory;
  /** those that are to be told of */
  readonly findings: readonly Finding[];
  readonly fixed: readonly Finding[];
  readonly missing: readonly { readonly ecosystem: string; readonly packages: number }[];
  readonly unknown: number;
  readonly exposures: readonly Exposure[];
  /** undefined where vulnerabilities were not looked for */
  readonly database: { readonly digest: Digest; readonly createdSeconds: number } | undefined;
  readonly tool: { readonly name: string; readonly version: string };
  readonly createdSeconds: number;
}
