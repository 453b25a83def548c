/** The recorded cases of RUN: the slower half of the suite, beside the other. */
import { replayCases } from "./replay.ts";

await replayCases((file) => file.startsWith("run-"));
