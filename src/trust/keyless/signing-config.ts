/**
 * Which services sign, as sigstore's clients keep it: signing_config.json. Of those that are valid now the newest kind counts.
 * @see github.com/sigstore/protobuf-specs, sigstore_trustroot.proto, SigningConfig
 */
import { SlipwayError } from "../../base/errors.ts";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import type { KeylessServices, LogService } from "./services.ts";

export interface SigningConfig {
  readonly services: KeylessServices;
  /** where to sign in */
  readonly issuer: string | undefined;
}

const mediaType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
const limits = { maxBytes: 1 << 20, maxDepth: 16 };

/** Fails with SIGNING_CONFIG_INVALID (invalid_argument). */
export function readSigningConfig(json: Uint8Array, name: string, now: Date): SigningConfig {
  try {
    const fields = new Fields(parseJsonObject(json, name, limits), name);
    if (fields.requiredString("mediaType") !== mediaType) throw fields.fail("mediaType", mediaType);
    const [authority] = selected(fields, "caUrls", undefined, [1], now);
    if (authority === undefined) throw fields.fail("caUrls", "an authority for certificates");
    return {
      services: {
        fulcioUrl: authority.url,
        logs: selected(fields, "rekorTlogUrls", "rekorTlogConfig", [2, 1], now).map(({ url, version }): LogService => ({
          url,
          version: version === 2 ? 2 : 1,
        })),
        timestampUrls: selected(fields, "tsaUrls", "tsaConfig", [1], now).map(({ url }) => url),
      },
      issuer: selected(fields, "oidcUrls", undefined, [1], now)[0]?.url,
    };
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code === "SIGNING_CONFIG_INVALID") throw error;
    throw invalid(name, error.message, error);
  }
}

function invalid(name: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError("invalid_argument", "SIGNING_CONFIG_INVALID", `${name} does not say how to sign: ${why}`, { name, bare: true }, cause);
}

interface Service {
  readonly url: string;
  readonly version: number;
  readonly operator: string;
  readonly startMs: number;
}

/** As many as the file asks for, each of another operator; none where none are listed. `versions`: those that are known here, the best first. */
function selected(fields: Fields, list: string, config: string | undefined, versions: readonly number[], now: Date): readonly Service[] {
  const listed = fields.children(list) ?? [];
  if (listed.length === 0) return [];
  const valid = listed.map((one) => serviceIn(one, now)).filter((one) => one !== undefined);
  for (const version of versions) {
    const fitting = valid.filter((one) => one.version === version).toSorted((one, other) => other.startMs - one.startMs);
    if (fitting.length > 0) return chosen(fields, list, config === undefined ? undefined : fields.child(config), fitting);
  }
  throw invalid(fields.what, `none of its ${list} is valid now and of a kind that is known here`);
}

function chosen(fields: Fields, list: string, config: Fields | undefined, fitting: readonly Service[]): readonly Service[] {
  const selector = config?.string("selector") ?? "ANY";
  if (selector === "ALL") return fitting;
  const ofOperators = fitting.filter((one, at) => fitting.findIndex(({ operator }) => operator === one.operator) === at);
  const count = selector === "EXACT" ? (config?.integer("count") ?? 0) : 1;
  if (!["ANY", "EXACT"].includes(selector) || count < 1) throw invalid(fields.what, `it asks for ${selector} of its ${list}`);
  if (ofOperators.length < count) throw invalid(fields.what, `it asks for ${count} of its ${list}, and ${ofOperators.length} can be had`);
  return ofOperators.slice(0, count);
}

function serviceIn(fields: Fields, now: Date): Service | undefined {
  const url = fields.requiredString("url");
  if (!/^https?:\/\//u.test(url) || !URL.canParse(url)) throw fields.fail("url", "an address");
  const period = fields.child("validFor");
  const [start, end] = [timeOf(period, "start"), timeOf(period, "end")];
  if ((start !== undefined && now.getTime() < start) || (end !== undefined && now.getTime() > end)) return undefined;
  return { url, version: fields.integer("majorApiVersion") ?? 1, operator: fields.string("operator") ?? "", startMs: start ?? 0 };
}

function timeOf(period: Fields | undefined, key: string): number | undefined {
  const text = period?.string(key);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw (period as Fields).fail(key, "a time");
  return time;
}
