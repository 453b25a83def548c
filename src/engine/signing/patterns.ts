/** Patterns that fit whole texts, for the command line. */
export { anchored } from "../../trust/keyless/index.ts";
