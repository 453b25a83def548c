/** `--blkio-weight` and the rates of devices; their texts were checked when the flags were read. */
import type { LimitOptions } from "../../engine/api.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { parseByteSize } from "../units.ts";

type BlockLimits = NonNullable<LimitOptions["block"]>;

const cut = (text: string): readonly [string, string] => [text.slice(0, text.lastIndexOf(":")), text.slice(text.lastIndexOf(":") + 1)];

export function blockLimits(flags: ParsedFlags): BlockLimits | undefined {
  const rates = (name: string, parse: (text: string) => number): NonNullable<BlockLimits["readBps"]> | undefined => {
    const found = flags.list(name).map((text) => {
      const [path, rate] = cut(text);
      return { path, rate: parse(rate) };
    });
    return found.length === 0 ? undefined : found;
  };
  const weights = flags.list("blkio-weight-device").map((text) => {
    const [path, weight] = cut(text);
    return { path, weight: Number(weight) };
  });
  const weight = flags.number("blkio-weight") ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw cliError("Range of blkio weight is from 10 to 1000");
  const fields = {
    weight: weight === 0 ? undefined : weight,
    weightDevices: weights.length === 0 ? undefined : weights,
    readBps: rates("device-read-bps", parseByteSize),
    writeBps: rates("device-write-bps", parseByteSize),
    readIops: rates("device-read-iops", Number),
    writeIops: rates("device-write-iops", Number),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as BlockLimits);
}
