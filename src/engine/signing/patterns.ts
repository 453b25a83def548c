/** Patterns that fit whole texts, or parts of them, for the command line. */
export { anchored, matching } from "../../trust/keyless/patterns.ts";
