/** Statements about whether vulnerabilities matter, beside findings. Loaded where there are any: they bring readers of documents and of package URLs. */
import type { Finding } from "../../trust/findings/finding.ts";
import { statementOn } from "../../trust/findings/vex.ts";
import type { VexScope } from "./attested-vex.ts";

/** Later scopes count before earlier ones. */
export function judgeByStatements(finding: Finding, scopes: readonly VexScope[]): Finding {
  if (finding.suppressed !== undefined) return finding;
  const statement = scopes
    .filter(({ fromBaseOnly }) => !fromBaseOnly || finding.fromBase === true)
    .map(({ statements, image }) => statementOn(statements, finding, image))
    .findLast((one) => one !== undefined);
  const isHarmless = statement?.status === "not_affected" || statement?.status === "fixed";
  return statement === undefined || !isHarmless ? finding : { ...finding, suppressed: { by: "vex", reason: statement.reason } };
}
