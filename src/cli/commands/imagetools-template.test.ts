/** Templates of `imagetools inspect`: the texts are buildx's for the same documents. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RemoteInspection } from "../../engine/api.ts";
import { digestOf, mediaTypes, parseReference } from "../../oci/index.ts";
import { compileTemplate } from "../go-template.ts";
import { templateData } from "./imagetools-template.ts";

const about = (platform: string, predicateType: string, predicate: object): RemoteInspection["attestations"][number] => ({
  platform,
  predicateType,
  predicate,
});
const image = (architecture: string): RemoteInspection["images"][number] => ({
  platform: `linux/${architecture}`,
  config: { os: "linux", architecture, config: { Env: ["A=<b>"] }, rootfs: { type: "layers", diff_ids: [] } },
});
const digest = digestOf(Buffer.from("x"));
const entry = { mediaType: mediaTypes.ociManifest, digest, size: 1, platform: { architecture: "amd64", os: "linux" } };
const descriptor = { mediaType: mediaTypes.ociIndex, digest, size: 2 };
const root = { reference: parseReference("r.example/x:1"), descriptor, bytes: Buffer.from("{}") };
const provenance = "https://slsa.dev/provenance/v0.2";

const none: RemoteInspection = { ...root, index: undefined, images: [image("amd64")], attestations: [] };
const one: RemoteInspection = { ...none, attestations: [about("linux/amd64", provenance, { b: 1, a: { d: 2, c: 3 } })] };
const bills: RemoteInspection = {
  ...none,
  attestations: ["sbom", "sbom-build", "sbom-context"].map((name) => about("linux/amd64", "https://spdx.dev/Document", { name })),
};
const two: RemoteInspection = {
  ...root,
  index: { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] },
  images: [image("amd64"), image("arm64")],
  attestations: [about("linux/arm64", provenance, { a: 2 }), about("linux/amd64", provenance, { a: 1 }), about("linux/amd64", "https://spdx.dev/Document", {})],
};

describe("what templates print", () => {
  const config = { Env: ["A=\\u003cb\\u003e"] };
  const shape = (architecture: string): object => ({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: [] } });
  const json = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll("\\\\u", "\\u");
  const table: readonly (readonly [name: string, of: RemoteInspection, format: string, want: string])[] = [
    ["an image", one, "{{json .Image}}", json(shape("amd64"))],
    ["images by platform", two, "{{json .Image}}", json({ "linux/amd64": shape("amd64"), "linux/arm64": shape("arm64") })],
    ["one of them", two, '{{(index .Image "linux/arm64").Architecture}}', "arm64"],
    ["entries", two, "{{json .Manifest.Manifests}}", json([entry])],
    ["a field of an entry", two, "{{range .Manifest.Manifests}}{{.Platform.OS}}{{end}}", "linux"],
    ["provenance", one, "{{json .Provenance}}", json({ SLSA: { a: { c: 3, d: 2 }, b: 1 } })],
    ["provenance by platform", two, "{{json .Provenance}}", json({ "linux/amd64": { SLSA: { a: 1 } }, "linux/arm64": { SLSA: { a: 2 } } })],
    ["no provenance", none, "{{json .Provenance}} {{json .Provenance.SLSA}}", "{} null"],
    ["several bills", bills, "{{json .SBOM}}", json({ SPDX: { name: "sbom" }, AdditionalSPDXs: [{ name: "sbom-build" }, { name: "sbom-context" }] })],
    ["bills besides the first", bills, "{{.SBOM.SPDX.name}}:{{range .SBOM.AdditionalSPDXs}} {{.name}}{{end}}", "sbom: sbom-build sbom-context"],
    ["no SBOM", one, "{{json .SBOM.SPDX}}", "null"],
    ["all, without attestations", one, "{{json .}}", json({ name: "x", manifest: descriptor, image: shape("amd64") })],
  ];
  for (const [name, of, format, want] of table) test(name, () => assert.equal(compileTemplate(format).fill(templateData("x", of), { indentJson: true }), want));
});

describe("refused in Go's words", () => {
  const table: readonly (readonly [of: RemoteInspection, format: string, want: string])[] = [
    [one, "{{.Foo}}", ':1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type imagetools.tplInput'],
    [two, "{{.Foo}}", ':1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type imagetools.tplInputs'],
    [none, "{{.Provenance.Foo}}", ':1:13: executing "" at <.Provenance.Foo>: can\'t evaluate field Foo in type imagetools.provenanceStub'],
    [none, "{{", ":1: unclosed action"],
  ];
  for (const [of, format, want] of table)
    test(want, () =>
      assert.throws(() => compileTemplate(format, "", "").fill(templateData("x", of), { errorPrefix: "" }), {
        code: "TEMPLATE",
        message: `template: ${want}`,
      }),
    );
});
