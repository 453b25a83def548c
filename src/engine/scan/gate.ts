/** What the command line decides with: which findings fail, which are shown. */
export { exposureFailsGate, failsGate, parseGate, passesUnrated, type Gate } from "../../trust/findings/gate.ts";
export { isShownByDefault } from "../../trust/findings/finding.ts";
export { severities } from "../../trust/advisories/advisory.ts";
export { packageTypes } from "../../trust/packages/package.ts";
