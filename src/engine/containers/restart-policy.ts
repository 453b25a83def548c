/** `--restart` as a value, in the daemon's words. Pure. */
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { RestartPolicy } from "../../runtime/container-records.ts";

const names = ["no", "always", "on-failure", "unless-stopped"] as const;

/** "", "always", "on-failure:5". INVALID_RESTART_POLICY, RESTART_POLICY_FORMAT (invalid_argument). */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [given = "", count, more] = text.split(":");
  if (text !== "" && given === "") throw format(": no policy provided before colon");
  if (more !== undefined) throw format("");
  if (count !== undefined && !/^[+-]?\d+$/.test(count)) throw format(": maximum retry count must be an integer");
  const name = given === "" ? "no" : names.find((known) => known === given);
  if (name === undefined) throw invalid(`unknown policy '${given}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  const maximumRetryCount = Number(count ?? 0);
  if (count !== undefined && maximumRetryCount !== 0 && name !== "on-failure")
    throw invalid(`maximum retry count can only be used with 'on-failure'${maximumRetryCount < 0 ? " and cannot be negative" : ""}`);
  if (maximumRetryCount < 0) throw invalid("maximum retry count cannot be negative");
  return { name, maximumRetryCount };
}

function format(reason: string): SlipwayError {
  return new SlipwayError("invalid_argument", "RESTART_POLICY_FORMAT", `invalid restart policy format${reason}`);
}

function invalid(reason: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_RESTART_POLICY", printable(`invalid restart policy: ${reason}`));
}
