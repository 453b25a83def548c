/** What a step of a build left, by the step's id: one that ended well, or one that failed and is kept. */
import { SlipwayError } from "../../base/errors.ts";
import { keptSteps } from "../../solver/step-record.ts";
import { hexOfKey, type Chain, type Store } from "../../store/index.ts";
import { stepChain } from "./settle-step.ts";
import { withoutMark } from "./step-mark.ts";

export interface StepResult {
  readonly chain: Chain;
  readonly env?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  readonly user?: string | undefined;
}

/** By the beginning of the id, six digits at least. Fails with AMBIGUOUS_ID (invalid_argument). */
export function findStepResult(store: Store, ref: string): StepResult | undefined {
  const hex = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(withoutMark(ref))?.[1];
  if (hex === undefined) return undefined;
  const records = store.cache.byPrefix(hex);
  const [record] = records;
  const other = records.find(({ key }) => record !== undefined && hexOfKey(key) !== hexOfKey(record.key));
  const failed = keptSteps(store).get(hex);
  if (other !== undefined || (record !== undefined && failed !== undefined))
    throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${ref}`, { prefix: ref });
  if (record !== undefined) return { chain: record.chain, ...record.config };
  if (failed === undefined || failed.life !== "ended") return undefined;
  const { env, cwd, user } = failed.record;
  return { chain: stepChain(store, failed), env, cwd, user };
}
