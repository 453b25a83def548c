import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageInspect } from "../../engine/api.ts";
import type { Digest } from "../../oci/index.ts";
import { compileTemplate } from "../go-template.ts";
import { imageShape } from "./inspect-shape.ts";

const bare = {
  Id: `sha256:${"a".repeat(64)}` as Digest,
  RepoTags: ["a:latest"],
  RepoDigests: [],
  Parent: "",
  Comment: "buildkit.dockerfile.v0",
  Created: "2026-11-23T09:41:51Z",
  DockerVersion: "",
  Author: "",
  Architecture: "amd64",
  Os: "linux",
  Size: 12,
  GraphDriver: { Data: null, Name: "overlayfs" },
  RootFS: { Type: "layers", Layers: [] },
  Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
  Config: { Cmd: ["sh"], Entrypoint: null, Env: null, Labels: null, OnBuild: null, User: "", Volumes: null, WorkingDir: "" },
} as unknown as ImageInspect;

const checked = {
  ...bare,
  Config: { ...bare.Config, Healthcheck: { Interval: 5_000_000_000, Test: ["CMD-SHELL", "true"] }, Volumes: { "/a": {}, "/b": {} } },
} as unknown as ImageInspect;

/** Recorded from Docker 28.5.2. */
const rows: readonly (readonly [template: string, image: ImageInspect, want: string])[] = [
  ["{{.Config.Entrypoint}} {{json .Config.Entrypoint}}", bare, "[] null"],
  ["{{.Config.Volumes}} {{json .Config.Volumes}}", bare, "map[] null"],
  ["{{.Config.Labels}} {{json .Config.Labels}} {{len .Config.Labels}}", bare, "map[] null 0"],
  ["{{.Config.Cmd}} {{json .Config.Cmd}}", bare, '[sh] ["sh"]'],
  ["{{.Config.Healthcheck}} {{json .Config.Healthcheck}}", bare, "<nil> null"],
  ["{{.Config.Healthcheck}} {{json .Config.Healthcheck}}", checked, '{[CMD-SHELL true] 5s 0s 0s 0s 0} {"Test":["CMD-SHELL","true"],"Interval":5000000000}'],
  ["{{json .Config}}", bare, '{"Cmd":["sh"]}'],
  ["{{json .Config.Volumes}}", checked, '{"/a":{},"/b":{}}'],
  ["{{.Variant}}|{{.VirtualSize}}|{{.OsVersion}}|{{json .Descriptor}}|{{json .Manifests}}", bare, "|0||null|null"],
  ["{{.GraphDriver.Data}} {{json .GraphDriver}}", bare, 'map[] {"Data":null,"Name":"overlayfs"}'],
];

for (const [template, image, want] of rows) test(template, () => assert.equal(compileTemplate(template).fill(imageShape(image)), want));

test("{{json .}} has the order of Docker's struct", () => {
  const json: unknown = JSON.parse(compileTemplate("{{json .}}").fill(imageShape(bare)));
  const order = "Id RepoTags RepoDigests Parent Comment Created DockerVersion Author Config Architecture Os Size GraphDriver RootFS Metadata";
  assert.equal(Object.keys(json as object).join(" "), order);
});
