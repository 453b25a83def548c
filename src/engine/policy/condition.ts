/** What an attestation has to say: `{"path": "buildDefinition.buildType", "is": "…"}`. Pure. */
import type { Json } from "../../oci/bounded-json.ts";
import type { LocatedFields } from "../../oci/located-json.ts";

export interface Condition {
  /** keys and numbers with points between; `*` is any member of a list or an object */
  readonly path: string;
  readonly text: string;
  readonly holds: (value: Json, now: Date) => boolean;
}

const dayMs = 86_400_000;
const tests = ["is", "oneOf", "matches", "atMost", "atLeast", "maxAgeDays"] as const;

export function parseCondition(fields: LocatedFields): Condition {
  fields.only("path", ...tests);
  const path = fields.requiredString("path");
  const [test, ...more] = tests.filter((key) => fields.has(key));
  if (test === undefined || more.length > 0) throw fields.fail("", `a condition has one of ${tests.join(", ")}`);
  return { path, ...testFrom(fields, test, path) };
}

function testFrom(fields: LocatedFields, test: (typeof tests)[number], path: string): Omit<Condition, "path"> {
  switch (test) {
    case "is": {
      const want = fields.value("is") as Json;
      return { text: `${path} is ${JSON.stringify(want)}`, holds: (value) => value === want };
    }
    case "oneOf": {
      const want = fields.strings("oneOf") ?? [];
      return { text: `${path} is one of ${want.join(", ")}`, holds: (value) => typeof value === "string" && want.includes(value) };
    }
    case "matches": {
      const pattern = fields.requiredString("matches");
      let compiled: RegExp;
      try {
        compiled = new RegExp(`^(?:${pattern})$`, "u");
      } catch (error) {
        throw fields.fail("matches", `no pattern: ${error instanceof Error ? error.message : ""}`);
      }
      return { text: `${path} matches ${pattern}`, holds: (value) => typeof value === "string" && value.length < 10_000 && compiled.test(value) };
    }
    case "maxAgeDays": {
      const days = fields.count("maxAgeDays") ?? 0;
      return {
        text: `${path} is a time of the last ${days} days`,
        holds: (value, now) => typeof value === "string" && now.getTime() - Date.parse(value) <= days * dayMs && Date.parse(value) <= now.getTime() + dayMs,
      };
    }
    case "atMost":
    case "atLeast": {
      const bound = fields.count(test) ?? 0;
      const words = test === "atMost" ? "at most" : "at least";
      return { text: `${path} is ${words} ${bound}`, holds: (value) => typeof value === "number" && (test === "atMost" ? value <= bound : value >= bound) };
    }
  }
}

/** What stands at the path; of `*` everything. */
export function valuesAt(root: Json, path: string): readonly Json[] {
  let found: readonly Json[] = [root];
  for (const part of path.split(".")) {
    found = found.flatMap((value) => {
      if (value === null || typeof value !== "object") return [];
      if (part === "*") return Object.values(value) as readonly Json[];
      const member: Json | undefined = Object.hasOwn(value, part) ? (value as Readonly<Record<string, Json>>)[part] : undefined;
      return member === undefined ? [] : [member];
    });
  }
  return found;
}

/** The first that does not hold. */
export function failingCondition(conditions: readonly Condition[], predicate: Json, now: Date): Condition | undefined {
  return conditions.find(({ path, holds }) => !valuesAt(predicate, path).some((value) => holds(value, now)));
}
