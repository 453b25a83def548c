/** Values of HCL, and how they become each other's types. Lists and tuples are one here, and so are objects and maps. */
export type HclValue = string | number | boolean | null | readonly HclValue[] | HclObject;
export interface HclObject {
  readonly [key: string]: HclValue;
}

export function isHclList(value: HclValue): value is readonly HclValue[] {
  return Array.isArray(value);
}

export function isHclObject(value: HclValue): value is HclObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function hclTypeName(value: HclValue): string {
  if (value === null) return "null";
  if (isHclList(value)) return "tuple";
  if (isHclObject(value)) return "object";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** undefined: it has no text. */
export function hclText(value: HclValue): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

export function hclNumber(value: HclValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** As Go's strconv and cty have them. */
export function hclBoolean(value: HclValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "1") return true;
  return value === "false" || value === "0" ? false : undefined;
}

export function hclEqual(a: HclValue, b: HclValue): boolean {
  if (isHclList(a) && isHclList(b)) return a.length === b.length && a.every((each, at) => hclEqual(each, b[at] as HclValue));
  if (!isHclObject(a) || !isHclObject(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && hclEqual(a[key] as HclValue, b[key] as HclValue));
}

/** Go's maps have no order: keys come sorted. */
export function hclEntries(value: HclValue): readonly (readonly [key: HclValue, value: HclValue])[] {
  if (isHclList(value)) return value.map((each, at) => [at, each]);
  if (!isHclObject(value)) return [];
  return Object.keys(value)
    .toSorted()
    .map((key) => [key, value[key] as HclValue]);
}
