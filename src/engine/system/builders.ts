/**
 * Builders by name, for the guides that create one: all of them are this machine's only builder. What is kept is which names there
 * are and which one is used.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError, errnoOf } from "../../base/errors.ts";
import type { BuilderApi, BuilderSummary } from "../builder-api.ts";

export const defaultBuilder = "default";

interface Recorded {
  readonly name: string;
  readonly node: string;
  readonly usedMs: number;
}

interface BuildersFile {
  readonly current: string;
  readonly builders: readonly Recorded[];
}

const namePattern = /^[a-zA-Z][a-zA-Z0-9._-]*$/;
const adjectives = ["brave", "calm", "eager", "gentle", "jolly", "keen", "lucid", "merry", "quiet", "swift"];
const ships = ["argo", "beagle", "calypso", "endeavour", "fram", "gjoa", "kontiki", "santiago", "vasa", "victoria"];

function noSuchBuilder(name: string): SlipwayError {
  return new SlipwayError("not_found", "NO_SUCH_BUILDER", `no builder ${JSON.stringify(name)} found`, { name, bare: true, plain: true });
}

function refused(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "BUILDER_REFUSED", message, { bare: true });
}

export function createBuilders(storeRoot: string, now: () => number = Date.now, random: () => number = Math.random): BuilderApi {
  const path = join(storeRoot, "builders.json");
  const read = (): BuildersFile => {
    try {
      return JSON.parse(readFileSync(path, "utf8")) as BuildersFile;
    } catch (error) {
      if (errnoOf(error) === "ENOENT" || error instanceof SyntaxError) return { current: defaultBuilder, builders: [] };
      throw error;
    }
  };
  const write = (file: BuildersFile): void => {
    mkdirSync(storeRoot, { recursive: true });
    const partial = `${path}.partial-${process.pid}`;
    writeFileSync(partial, JSON.stringify(file));
    renameSync(partial, path);
  };
  const list = (): readonly BuilderSummary[] => {
    const { current, builders } = read();
    const own: Recorded = { name: defaultBuilder, node: defaultBuilder, usedMs: 0 };
    return [...builders.toSorted((a, b) => (a.name < b.name ? -1 : 1)), own].map((builder) => ({ ...builder, current: builder.name === current }));
  };
  const inspect = (name?: string): BuilderSummary => {
    const wanted = name === undefined || name === "" ? read().current : name;
    const found = list().find((builder) => builder.name === wanted);
    if (found === undefined) throw noSuchBuilder(wanted);
    return found;
  };
  const freeName = (taken: readonly string[]): string => {
    const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] as string;
    for (let attempt = 0; ; attempt++) {
      const name = `${pick(adjectives)}_${pick(ships)}${attempt < 50 ? "" : attempt}`;
      if (!taken.includes(name)) return name;
    }
  };
  return {
    list,
    inspect,
    create: ({ name = "", node = "", use = false, append = false }) => {
      const { current, builders } = read();
      if (name !== "" && !namePattern.test(name)) {
        throw refused(`invalid name ${name}, name needs to start with a letter and may not contain symbols, except ._-`);
      }
      const existing = builders.find((builder) => builder.name === name);
      if (append && name === "") throw refused("append requires a builder name");
      if (name === defaultBuilder) throw refused("default is a reserved name and cannot be used to identify builder instance");
      if (existing !== undefined && !append && node === "") {
        throw refused(`existing instance for ${JSON.stringify(name)} but no append mode, specify the node name to make changes for existing instances`);
      }
      const chosen = name === "" ? freeName(builders.map((builder) => builder.name)) : name;
      const added = { name: chosen, node: node === "" ? (existing?.node ?? `${chosen}0`) : node, usedMs: now() };
      write({ current: use ? chosen : current, builders: [...builders.filter((builder) => builder.name !== chosen), added] });
      return chosen;
    },
    use: (name) => {
      const { builders } = read();
      if (!list().some((builder) => builder.name === name)) {
        throw new SlipwayError("not_found", "NO_SUCH_BUILDER", `failed to find instance ${JSON.stringify(name)}: no builder ${JSON.stringify(name)} found`, {
          name,
          bare: true,
        });
      }
      write({ current: name, builders });
    },
    remove: (name) => {
      const { current, builders } = read();
      const wanted = name === undefined || name === "" ? current : name;
      if (wanted === defaultBuilder) throw refused("context builder cannot be removed, run `docker context rm default` to remove this context");
      if (!builders.some((builder) => builder.name === wanted)) throw noSuchBuilder(wanted);
      write({ current: current === wanted ? defaultBuilder : current, builders: builders.filter((builder) => builder.name !== wanted) });
      return wanted;
    },
  };
}
