/** Two configs that should be one: the fields that differ. Layers are told of by themselves. Pure. */
import { isObject, type Json } from "../../oci/bounded-json.ts";
import type { FieldDifference } from "../twice-api.ts";

const maxText = 200;

export function compareConfigs(first: Json, second: Json): readonly FieldDifference[] {
  return compareValues("", first, second).filter(({ field }) => !field.startsWith("rootfs."));
}

function shown(value: Json | undefined): string {
  return value === undefined ? "none" : JSON.stringify(value).slice(0, maxText);
}

function compareValues(path: string, first: Json | undefined, second: Json | undefined): readonly FieldDifference[] {
  if (isObject(first) && isObject(second)) {
    const keys = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return keys.flatMap((key) => compareValues(path === "" ? key : `${path}.${key}`, first[key], second[key]));
  }
  if (Array.isArray(first) && Array.isArray(second)) {
    const [a, b] = [first as readonly Json[], second as readonly Json[]];
    return Array.from({ length: Math.max(a.length, b.length) }, (_, at) => compareValues(`${path}[${at}]`, a[at], b[at])).flat();
  }
  return JSON.stringify(first) === JSON.stringify(second) ? [] : [{ field: path, first: shown(first), second: shown(second) }];
}
