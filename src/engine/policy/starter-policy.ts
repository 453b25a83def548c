/** The policy that one begins with: only what a key signed, and otherwise what is named. */
export interface StarterOptions {
  /** public keys; paths as they are to stand in the file */
  readonly keys: readonly string[];
  /** registries, or parts of them, whose images have to be signed */
  readonly scopes: readonly string[];
  /** those whose images need no signature */
  readonly unsigned: readonly string[];
  /** noted only, not refused */
  readonly audit: boolean;
}

/** What every scope demands, and a signature by one of the keys where there are any. */
function ruleText(keys: readonly string[]): string {
  const signed = keys.length === 0 ? "" : `\n      "signed": [{ "keys": ${JSON.stringify(keys)} }],`;
  return `{${signed}
      // nothing that is high or worse, or that nobody rated, and could be mended, but for what became known in the last two weeks
      "vulnerabilities": {
        "failOn": ["high", "unknown", "fixable"],
        "graceDays": 14,
        // { "id": "CVE-…", "until": "2026-12-31", "reason": "…" }
        "exceptions": []
      },
      // advisories (slipway db pull) that are older than this tell too little
      "maxScanAgeDays": 30
    }`;
}

export function starterPolicy({ keys, scopes, unsigned, audit }: StarterOptions): string {
  const rules = [...scopes.map((scope) => [scope, ruleText(keys)] as const), ...unsigned.map((scope) => [scope, ruleText([])] as const)];
  const named = rules.map(([scope, rule]) => `    ${JSON.stringify(scope)}: ${rule}`).join(",\n");
  return `// Which images may be used here: docs/policy.md. Try it: slipway policy check IMAGE
{
  "version": 1,
  // "audit" only notes what would be refused (slipway policy log)
  "mode": ${JSON.stringify(audit ? "audit" : "enforce")},
  // images that were built here
  "local": "accept",
  // those that came in archives and layouts; "accept" lets them in
  "loaded": "reject",
  "scopes": {
${named}
  },
  // everything else; { "accept": true } lets it in
  "default": { "reject": true, "reason": "this registry is not among those that are allowed" }
}
`;
}
