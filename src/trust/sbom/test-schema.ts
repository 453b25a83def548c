/** What tests of documents share: the official schema of CycloneDX, as its own library carries it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";

const schemas = join(dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");
const schema = (name: string): object => JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), "utf8")) as object;

/** The official schema; what it says of internationalised addresses is no format that the validator knows. */
export function cyclonedxValidator(): ValidateFunction {
  const ajv = new Ajv({ strict: false, formats: { "iri-reference": true, "idn-email": true } });
  formats.default(ajv);
  ajv.addSchema(schema("spdx"), "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json");
  ajv.addSchema(schema("jsf-0.82"), "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json");
  return ajv.compile(schema("bom-1.6"));
}
