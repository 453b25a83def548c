/** Layers carry whole seconds, as Docker's do: finer times would differ between file systems and cost a pax header per file. */
export function wholeSeconds(timeNs: bigint): bigint {
  const rest = timeNs % 1_000_000_000n;
  return rest < 0n ? timeNs - rest - 1_000_000_000n : timeNs - rest;
}
