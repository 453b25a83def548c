/**
 * Chance for tests: the same every time, so that a change fails for what it changed. `npm run fuzz` (SLIPWAY_FUZZ_RUNS) tries others, more of
 * them; what fails names its seed.
 */
import fc from "fast-check";

const runs = process.env["SLIPWAY_FUZZ_RUNS"];
fc.configureGlobal(runs === undefined ? { seed: 1, numRuns: 150 } : { numRuns: Number(runs) });

export { fc };
