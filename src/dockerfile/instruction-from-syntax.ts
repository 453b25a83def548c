/** Syntax node → typed instruction: arguments counted, flags known, names valid. */
import { goQuote } from "../base/go-text.ts";
import { buildCmd, buildEntrypoint, buildHealthcheck, buildRun, buildShell } from "./command-instructions.ts";
import { buildAdd, buildCopy } from "./copy-instructions.ts";
import { parseFlags } from "./flags.ts";
import type { FrontendFeatures } from "./frontend.ts";
import { trimSpace } from "./go-text.ts";
import type {
  ArgInstruction,
  ExposeInstruction,
  FromInstruction,
  Instruction,
  KeyValue,
  MaintainerInstruction,
  OnbuildInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "./instruction.ts";
import { syntaxReason } from "./parse-error.ts";
import { findSuggestionAnyCase, withSuggestion } from "./suggest.ts";
import type { InstructionNode } from "./syntax-tree.ts";
import { atLeastOne, baseOf, pairsOf, singleWord, wordsOf } from "./syntax-words.ts";

const builders: Readonly<Record<Instruction["type"] | "from", (node: InstructionNode, features: FrontendFeatures) => Instruction | FromInstruction>> = {
  add: buildAdd,
  arg: buildArg,
  cmd: buildCmd,
  copy: buildCopy,
  entrypoint: buildEntrypoint,
  env: (node) => ({ type: "env", ...baseOf(node), pairs: keyValues(node, "ENV") }),
  expose: buildExpose,
  from: buildFrom,
  healthcheck: buildHealthcheck,
  label: (node) => ({ type: "label", ...baseOf(node), pairs: keyValues(node, "LABEL") }),
  maintainer: buildMaintainer,
  onbuild: buildOnbuild,
  run: buildRun,
  shell: buildShell,
  stopsignal: buildStopsignal,
  user: buildUser,
  volume: buildVolume,
  workdir: buildWorkdir,
};

const stageName = /^[a-z][a-z0-9-_.]*$/;

/** Throws in Docker's words and without place. */
export function instructionFromSyntax(node: InstructionNode, features: FrontendFeatures): Instruction | FromInstruction {
  const name = node.keyword.toLowerCase();
  if (isKnown(name)) return builders[name](node, features);
  const suggestion = findSuggestionAnyCase(node.keyword, Object.keys(builders));
  throw syntaxReason(withSuggestion(`unknown instruction: ${node.keyword}`, suggestion), node.keyword);
}

/** in lower case */
export const instructionNames: readonly string[] = Object.keys(builders);

function isKnown(name: string): name is keyof typeof builders {
  return Object.hasOwn(builders, name);
}

function buildFrom(node: InstructionNode): FromInstruction {
  const words = wordsOf(node);
  const [image, keyword, name] = words;
  const named = words.length === 3 && keyword?.toLowerCase() === "as" && name !== undefined;
  const as = named ? name.toLowerCase() : undefined;
  if (as !== undefined && !stageName.test(as)) {
    throw syntaxReason(`invalid name for build stage: ${goQuote(name ?? "")}, name can't start with a number or contain symbols`, name);
  }
  if (image === undefined || (!named && words.length !== 1)) throw syntaxReason("FROM requires either one or three arguments");
  const platform = parseFlags(node.flags, { platform: "string" }).text("platform");
  return { type: "from", ...baseOf(node), image, platform, as };
}

// ARG, STOPSIGNAL and HEALTHCHECK NONE take any flag without a word, as in Docker
function buildArg(node: InstructionNode): ArgInstruction {
  const words = wordsOf(node);
  if (words.length === 0) throw atLeastOne("ARG");
  const args = words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0) return { key: word, value: undefined };
    if (equals === 0) throw syntaxReason("ARG names can not be blank");
    return { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { type: "arg", ...baseOf(node), args };
}

function keyValues(node: InstructionNode, instruction: string): readonly KeyValue[] {
  parseFlags(node.flags, {});
  const pairs = pairsOf(node);
  if (pairs.length === 0) throw atLeastOne(instruction);
  if (pairs.some(({ key }) => key === "")) throw syntaxReason(`${instruction} names can not be blank`);
  return pairs;
}

function buildMaintainer(node: InstructionNode): MaintainerInstruction {
  const maintainer = singleWord(node, "MAINTAINER");
  parseFlags(node.flags, {});
  return { type: "maintainer", ...baseOf(node), maintainer };
}

function buildWorkdir(node: InstructionNode): WorkdirInstruction {
  const path = singleWord(node, "WORKDIR");
  parseFlags(node.flags, {});
  return { type: "workdir", ...baseOf(node), path };
}

function buildUser(node: InstructionNode): UserInstruction {
  const user = singleWord(node, "USER");
  parseFlags(node.flags, {});
  return { type: "user", ...baseOf(node), user };
}

function buildStopsignal(node: InstructionNode): StopsignalInstruction {
  return { type: "stopsignal", ...baseOf(node), signal: singleWord(node, "STOPSIGNAL") };
}

function buildExpose(node: InstructionNode): ExposeInstruction {
  const ports = wordsOf(node);
  if (ports.length === 0) throw atLeastOne("EXPOSE");
  parseFlags(node.flags, {});
  return { type: "expose", ...baseOf(node), ports: ports.toSorted(compareBytes) };
}

function buildVolume(node: InstructionNode): VolumeInstruction {
  parseFlags(node.flags, {});
  const paths = wordsOf(node).map(trimSpace);
  if (paths.length === 0) throw atLeastOne("VOLUME");
  if (paths.includes("")) throw syntaxReason("VOLUME specified can not be an empty string");
  return { type: "volume", ...baseOf(node), paths };
}

function buildOnbuild(node: InstructionNode): OnbuildInstruction {
  if (node.arguments.form !== "nested") throw atLeastOne("ONBUILD");
  parseFlags(node.flags, {});
  const trigger = node.arguments.instruction.keyword.toUpperCase();
  if (trigger === "ONBUILD") throw syntaxReason("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === "MAINTAINER" || trigger === "FROM") throw syntaxReason(`${trigger} isn't allowed as an ONBUILD trigger`);
  const bodies = node.heredocs.map(({ raw, name }) => `\n${raw}${name}`);
  const expression = node.joined.replace(/^\s*ONBUILD\s*/i, "") + bodies.join("");
  return { type: "onbuild", ...baseOf(node), expression };
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
