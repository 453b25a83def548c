/** All recorded cases but those of RUN, which have a file of their own: conformance-run.test.ts. */
import { replayCases } from "./replay.ts";

await replayCases((file) => !file.startsWith("run-"));
