/** Base scores of CVSS 3 vectors. @see https://www.first.org/cvss/v3-1/specification-document, 7.1 */

const weights: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
const privileges = { U: { N: 0.85, L: 0.62, H: 0.27 }, C: { N: 0.85, L: 0.68, H: 0.5 } } as const;

/** Up to one digit, without the errors of binary fractions. */
function roundUp(value: number): number {
  const whole = Math.round(value * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
}

/** undefined for vectors of other versions and for what is none. */
export function scoreOfVector(vector: string): number | undefined {
  const [, body] = /^CVSS:3\.[01]\/(.+)$/.exec(vector) ?? [];
  if (body === undefined) return undefined;
  const metrics = new Map(body.split("/").map((part) => part.split(":") as [string, string]));
  const scope = metrics.get("S");
  const weight = (name: string): number => weights[name]?.[metrics.get(name) ?? ""] ?? Number.NaN;
  const required = scope === "U" || scope === "C" ? (privileges[scope] as Readonly<Record<string, number>>)[metrics.get("PR") ?? ""] : undefined;
  const impactBase = 1 - (1 - weight("C")) * (1 - weight("I")) * (1 - weight("A"));
  const impact = scope === "C" ? 7.52 * (impactBase - 0.029) - 3.25 * (impactBase - 0.02) ** 15 : 6.42 * impactBase;
  const exploitability = 8.22 * weight("AV") * weight("AC") * (required ?? Number.NaN) * weight("UI");
  if (Number.isNaN(impact + exploitability)) return undefined;
  if (impact <= 0) return 0;
  return roundUp(Math.min(10, (scope === "C" ? 1.08 : 1) * (impact + exploitability)));
}
