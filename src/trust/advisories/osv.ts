/** Records of the Open Source Vulnerability format. @see https://ossf.github.io/osv-schema/ */
import { isObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import { entriesOf, objectsOf, stringOf } from "../packages/languages/json-file.ts";
import { severityOfScore, severityOfWord, type Advisory, type PackageAdvisory, type Severity, type VersionRange } from "./advisory.ts";
import { scoreOfVector } from "./cvss.ts";
import { normalizedEcosystem, normalizedName, packageTypeOf } from "./ecosystems.ts";

/** Bulletins of vendors are about several vulnerabilities, which they name as related or upstream. */
const bulletin = /^(?:DSA|DLA|DTSA|ALSA|ALBA|ALEA|RLSA|RXSA|RHSA|RHBA|RHEA|USN|SUSE-[SRFO]U|openSUSE-SU|MGASA|ELSA)-/;
const maxTitle = 200;

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item: Json): item is string => typeof item === "string") : [];
}

interface Rating {
  readonly severity: Severity;
  readonly score?: number;
}

/** The source's own word comes before a score; malware is as bad as it gets. */
function ratingOf(record: JsonObject, affected: JsonObject): Rating {
  const scores = [...objectsOf(affected["severity"]), ...objectsOf(record["severity"])].flatMap((one) => {
    const text = stringOf(one["score"]) ?? "";
    const score = scoreOfVector(text) ?? (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined);
    return score === undefined || score > 10 ? [] : [score];
  });
  const [score] = scores;
  const word = [affected["ecosystem_specific"], affected["database_specific"], record["database_specific"]]
    .flatMap((value) => (isObject(value) ? [severityOfWord(stringOf(value["severity"])), severityOfWord(stringOf(value["urgency"]))] : []))
    .find((severity) => severity !== "unknown");
  const isMalware = (stringOf(record["id"]) ?? "").startsWith("MAL-");
  const own = objectsOf(record["severity"])
    .map((one) => severityOfWord(stringOf(one["score"])))
    .find((severity) => severity !== "unknown");
  const severity = isMalware ? "critical" : (word ?? own ?? (score === undefined ? "unknown" : severityOfScore(score)));
  return { severity, ...(score === undefined ? {} : { score }) };
}

/** Events come in any order of pairs: each `introduced` opens a range, what follows closes it. */
function rangesOf(affected: JsonObject): readonly VersionRange[] {
  return objectsOf(affected["ranges"])
    .filter((range) => range["type"] !== "GIT")
    .flatMap((range) => {
      const ranges: VersionRange[] = [];
      let introduced: string | undefined;
      let isOpen = false;
      for (const event of objectsOf(range["events"])) {
        for (const [kind, value] of entriesOf(event)) {
          if (typeof value !== "string") continue;
          const start = introduced === undefined || introduced === "0" ? {} : { introduced };
          if (kind === "introduced") {
            if (isOpen) ranges.push(start);
            introduced = value;
            isOpen = true;
          } else if (kind === "fixed" || kind === "last_affected") {
            ranges.push({ ...start, ...(kind === "fixed" ? { fixed: value } : { last: value }) });
            isOpen = false;
          }
        }
      }
      if (isOpen) ranges.push(introduced === undefined || introduced === "0" ? {} : { introduced });
      return ranges;
    });
}

function urlOf(record: JsonObject, id: string): string | undefined {
  if (id.startsWith("CVE-")) return undefined;
  const references = objectsOf(record["references"]);
  const first = references.find((one) => one["type"] === "ADVISORY") ?? references[0];
  const url = stringOf(first?.["url"]);
  return url !== undefined && /^https?:\/\/\S{1,500}$/.test(url) ? url : undefined;
}

/** The names of the vulnerabilities that the record is about, each with its other names. */
function identitiesOf(record: JsonObject, id: string): readonly { readonly id: string; readonly aliases: readonly string[] }[] {
  const [aliases, upstream, related] = [texts(record["aliases"]), texts(record["upstream"]), texts(record["related"])];
  const isCve = (name: string): boolean => /^CVE-\d{4}-\d+$/.test(name);
  if (bulletin.test(id)) {
    const cves = [...new Set([...aliases, ...upstream, ...related].filter(isCve))];
    if (cves.length > 0) return cves.map((cve) => ({ id: cve, aliases: [id] }));
  }
  const names = [...new Set([id, ...aliases, ...(bulletin.test(id) ? [] : upstream)])].filter((name) => !/^(?:DEBIAN|UBUNTU|ALPINE)-/.test(name));
  const own = isCve(id) ? id : (names.find(isCve) ?? id);
  return [{ id: own, aliases: names.filter((name) => name !== own).sort() }];
}

/** Nothing for records that were withdrawn, and for ecosystems and ranges that we cannot match. */
export function advisoriesOfOsv(record: JsonObject): readonly PackageAdvisory[] {
  const id = stringOf(record["id"]);
  if (id === undefined || stringOf(record["withdrawn"]) !== undefined) return [];
  const identities = identitiesOf(record, id);
  const title = (stringOf(record["summary"]) ?? stringOf(record["details"])?.split("\n")[0] ?? "").slice(0, maxTitle);
  const published = /^\d{4}-\d\d-\d\d/.exec(stringOf(record["published"]) ?? "")?.[0];
  return objectsOf(record["affected"]).flatMap((affected) => {
    const about = affected["package"];
    const [rawName, rawEcosystem] = isObject(about) ? [stringOf(about["name"]), stringOf(about["ecosystem"])] : [];
    const ecosystem = normalizedEcosystem(rawEcosystem ?? "");
    const type = packageTypeOf(ecosystem);
    const ranges = rangesOf(affected);
    // where ranges are there, the list of versions only spells them out
    const versions = ranges.length > 0 ? [] : texts(affected["versions"]);
    if (rawName === undefined || type === undefined || (ranges.length === 0 && versions.length === 0)) return [];
    const specific = affected["ecosystem_specific"];
    const module = isObject(specific) ? stringOf(specific["module"]) : undefined;
    return identities.map((identity) => {
      const url = urlOf(record, identity.id);
      const advisory: Advisory = {
        ...identity,
        ...ratingOf(record, affected),
        ...(title === "" ? {} : { title }),
        ...(url === undefined ? {} : { url }),
        ranges,
        ...(versions.length === 0 ? {} : { versions }),
        ...(module === undefined ? {} : { module }),
        ...(published === undefined || published === "0001-01-01" ? {} : { published }),
      };
      return { ecosystem, name: normalizedName(type, rawName), advisory };
    });
  });
}
