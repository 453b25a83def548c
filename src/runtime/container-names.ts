/** Names for containers that were given none. Pure. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

const adjectives = [
  "agile", "amber", "bold", "brave", "bright", "brisk", "calm", "clever", "cosy", "crisp", "curious", "daring", "deft", "eager", "earnest", "fair",
  "fleet", "fond", "frank", "gentle", "glad", "golden", "hardy", "honest", "humble", "jolly", "keen", "kind", "lively", "loyal", "lucid", "mellow",
  "merry", "mild", "modest", "neat", "nimble", "noble", "patient", "plucky", "polite", "proud", "quick", "quiet", "ready", "silver", "sleek", "snug",
  "sober", "solid", "spry", "steady", "stout", "sunny", "swift", "tidy", "trusty", "vivid", "warm", "witty",
];
const nouns = [
  "anchor", "barge", "beacon", "berth", "bollard", "bosun", "bow", "breeze", "brig", "buoy", "canoe", "capstan", "captain", "clipper", "coaster",
  "compass", "cove", "crane", "current", "cutter", "deck", "dinghy", "dock", "dory", "ferry", "galley", "gull", "halyard", "harbour", "helm", "hull",
  "jetty", "keel", "ketch", "lagoon", "launch", "lighthouse", "lugger", "mast", "mooring", "oar", "otter", "pier", "pilot", "porpoise", "quay",
  "raft", "reef", "rigging", "rudder", "sail", "schooner", "sextant", "skiff", "sloop", "spar", "tide", "tiller", "tug", "yawl",
];

/** `random` gives numbers in [0, 1). From the fourth attempt on a digit makes collisions unlikely. */
export function randomName(random: () => number, attempt: number): string {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? "";
  const name = `${pick(adjectives)}_${pick(nouns)}`;
  return attempt < 3 ? name : `${name}${Math.floor(random() * 10_000)}`;
}

/** INVALID_CONTAINER_NAME in Docker's words. A leading slash is dropped. */
export function checkContainerName(text: string): string {
  const name = text.replace(/^\//, "");
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name;
  const message = `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;
  throw new SlipwayError("invalid_argument", "INVALID_CONTAINER_NAME", printable(message), { name: text });
}
