/** What `build` says of its results: provenance held against Docker's own, and where statements go. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { readTarMembers } from "../../src/tar/index.ts";
import { startRegistry } from "../../src/testing/index.ts";
import { identityToken, startKeylessServer } from "../trust/keyless-services.ts";
import { createSandbox } from "./sandbox.ts";

interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform?: { readonly os: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Document {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Entry;
  readonly layers?: readonly Entry[];
  readonly manifests?: readonly Entry[];
}

interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicate: Readonly<Record<string, unknown>>;
}

const accepted = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"];
const [provenanceType, spdxType] = ["https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document"];

const dockerfile = `FROM busybox AS tools
ARG VERSION=1
ARG UNSET
RUN --mount=type=secret,id=token --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch,size=1m echo $VERSION > /version
RUN --network=none echo offline > /offline
FROM busybox
ENV GREETING="a <b>"
WORKDIR /work
COPY --chown=1:2 --chmod=644 a.txt sub/
ADD a.txt /added.txt
COPY --from=tools /version /offline /d/
COPY --link --from=tools /version /linked
COPY --from=named --exclude=*.md n.txt /n/
USER 1:1
`;

const varying: ReadonlySet<string> = new Set([
  "sha256",
  "digestMapping",
  "buildInvocationID",
  "buildStartedOn",
  "buildFinishedOn",
  "invocationId",
  "startedOn",
  "finishedOn",
  "layers",
]);

/** Without values that differ from build to build; of a step that several lines name the first. BuildKit now and then asks for more of a context. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "local.followpaths");
  return Object.fromEntries(kept.map(([key, inner]) => [key, comparableMember(key, inner)]));
}

function comparableMember(key: string, value: unknown): unknown {
  if (varying.has(key)) return "*";
  if (key === "identifier") return String(value).replace(/@sha256:.*/, "");
  return comparable(key === "locations" && Array.isArray(value) ? value.slice(0, 1) : value);
}

describe("what a build says of its result", async () => {
  const sandbox = await createSandbox({ env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "" } });
  const registry = await startRegistry();
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const fetched = async (repository: string, path: string): Promise<Response> => {
    const response = await fetch(`${registry.url}/v2/${repository}/${path}`, { headers: { accept: accepted.join(", ") } });
    assert.equal(response.status, 200, path);
    return response;
  };
  const document = async (repository: string, tag: string): Promise<Document> => (await (await fetched(repository, `manifests/${tag}`)).json()) as Document;
  const statement = async (repository: string, { digest }: Entry): Promise<Statement> =>
    (await (await fetched(repository, `blobs/${digest}`)).json()) as Statement;
  const archived = async (path: string): Promise<ReadonlyMap<string, Buffer>> => {
    const found = new Map<string, Buffer>();
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield readFileSync(path);
    };
    for await (const { entry, content } of readTarMembers(bytes())) found.set(entry.path, Buffer.concat(await Array.fromAsync(content)));
    return found;
  };
  const simple = async (text: string, ...args: readonly string[]): Promise<string> => await sandbox.build("FROM busybox\nCOPY f /f\n", { f: text }, args);
  const member = <T>(files: ReadonlyMap<string, Buffer>, digest: string): T => JSON.parse(String(files.get(`blobs/${digest.replace(":", "/")}`))) as T;

  for (const [recorded, provenance] of [
    ["max02", "mode=max"],
    ["min02", "mode=min"],
    ["max1", "mode=max,version=v1"],
    ["min1", "mode=min,version=v1"],
  ] as const) {
    test(`provenance with ${provenance} is Docker's`, async () => {
      const context = sandbox.folder({ "a.txt": "hi\n", ".dockerignore": "skipped\n", "named/n.txt": "n\n", Dockerfile: dockerfile });
      const path = `${sandbox.directory}/${recorded}.tar`;
      const args = ["--build-arg", "VERSION=2", "--build-arg", "OTHER=3", "--label", "a=b", "--secret", "id=token,env=TOKEN", "--add-host", "h:10.0.0.1"];
      const more = ["--build-context", `named=${context}/named`, "--no-cache-filter", "tools", "-t", "example/app:1", "-o", `type=oci,dest=${path}`];
      await sandbox.ok(["build", `--provenance=${provenance}`, ...args, ...more, context], { env: { TOKEN: "sesame" } });
      const files = await archived(path);
      const [image, attestation] =
        member<Document>(files, (JSON.parse(String(files.get("index.json"))) as Document).manifests?.[0]?.digest ?? "").manifests ?? [];
      assert.deepEqual(attestation?.annotations, { "vnd.docker.reference.digest": image?.digest, "vnd.docker.reference.type": "attestation-manifest" });
      const [layer] = member<Document>(files, attestation?.digest ?? "").layers ?? [];
      const text = String(files.get(`blobs/${layer?.digest.replace(":", "/")}`));
      const found = JSON.parse(text) as Statement;
      assert.equal(layer?.annotations?.["in-toto.io/predicate-type"], found.predicateType);
      assert.deepEqual(comparable(found), JSON.parse(readFileSync(new URL(`recorded/provenance/${recorded}.json`, import.meta.url), "utf8")));
      assert.doesNotMatch(text, /sesame/);
      assert.equal(`sha256:${found.subject[0]?.digest.sha256}`, image?.digest);
    });
  }

  test("a pushed image has the shorter one, the store's image none; the image's digest is the same, and the index's from build to build", async () => {
    const name = `${registry.host}/default/app`;
    await simple("default", "-t", `${name}:1`, "--push");
    const index = await document("default/app", "1");
    assert.deepEqual(
      index.manifests?.map(({ platform }) => platform?.os),
      ["linux", "unknown"],
    );
    const [layer] = (await document("default/app", index.manifests?.[1]?.digest ?? "")).layers ?? [];
    const { predicateType, predicate } = await statement("default/app", layer as Entry);
    assert.equal(predicateType, provenanceType);
    assert.deepEqual(Object.keys(predicate["metadata"] as object), ["completeness", "reproducible", "https://mobyproject.org/buildkit@v1#metadata"]);
    await simple("default", "-t", `${name}:plain`, "--push", "--provenance=false");
    const plain = await fetched("default/app", "manifests/plain");
    assert.equal(plain.headers.get("docker-content-digest"), index.manifests?.[0]?.digest);
    await simple("default", "-t", `${name}:1`, "--push");
    assert.deepEqual(await document("default/app", "1"), index);
    await sandbox.ok(["push", `${name}:1`]);
    assert.deepEqual(await document("default/app", "1"), index, "a later push takes it along");
    await simple("default", "-o", `type=registry,name=${name}:docker,oci-mediatypes=false`);
    const docker = await fetch(`${registry.url}/v2/default/app/manifests/docker`, {
      headers: { accept: "application/vnd.docker.distribution.manifest.v2+json" },
    });
    assert.equal(docker.status, 200, "Docker's media types have no place for it");
  });

  test("each manifest of attestations has a line of progress", async () => {
    const { stderr } = await sandbox.buildPlain("FROM busybox\n", {}, ["--provenance=mode=min", "-o", `type=oci,dest=${sandbox.directory}/told.tar`]);
    assert.equal(new Set(stderr.match(/exporting attestation manifest sha256:[0-9a-f]{64}/g)).size, 1, stderr);
  });

  test("BUILDX_NO_DEFAULT_ATTESTATIONS leaves pushed images alone", async () => {
    const context = sandbox.folder({ Dockerfile: "FROM busybox\n" });
    await sandbox.ok(["build", "-t", `${registry.host}/none/app:1`, "--push", context], { env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" } });
    assert.equal((await document("none/app", "1")).manifests, undefined);
  });

  test("provenance and SBOM of the store's image go where it goes", async () => {
    const name = `${registry.host}/kept/app:1`;
    const id = await simple("kept", "-t", name, "--provenance=mode=max", "--sbom");
    assert.equal(await sandbox.ok(["run", "--rm", name, "cat", "/f"]), "kept");
    await sandbox.ok(["push", name]);
    const [image, attestation] = (await document("kept/app", "1")).manifests ?? [];
    const { layers = [] } = await document("kept/app", attestation?.digest ?? "");
    const statements = await Promise.all(layers.map(async (layer) => await statement("kept/app", layer)));
    assert.deepEqual(
      statements.map(({ predicateType }) => predicateType),
      [spdxType, provenanceType],
    );
    assert.deepEqual(
      statements.map(({ subject }) => `sha256:${subject[0]?.digest.sha256}`),
      [image?.digest, image?.digest],
    );
    const told = await sandbox.ok(["buildx", "imagetools", "inspect", "--format", "{{json .SBOM.SPDX.spdxVersion}} {{json .Provenance.SLSA.buildType}}", name]);
    assert.equal(told, '"SPDX-2.3" "https://mobyproject.org/buildkit@v1"');
    assert.equal(await simple("kept", "-t", name), id);
    await sandbox.ok(["push", name]);
    assert.equal((await document("kept/app", "1")).manifests, undefined, "built again without, it has none");
  });

  test("of several platforms each has its own", async () => {
    const context = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "several" });
    const name = `${registry.host}/several/app:1`;
    await sandbox.ok([
      "build",
      "--platform",
      "linux/amd64,linux/arm64",
      "--provenance=mode=min",
      "-t",
      name,
      "-o",
      "type=image,push=true,oci-artifact=true",
      context,
    ]);
    const { manifests = [] } = await document("several/app", "1");
    const [first, second, ...attestations] = manifests;
    assert.deepEqual(
      attestations.map(({ annotations }) => annotations?.["vnd.docker.reference.digest"]),
      [first?.digest, second?.digest],
    );
    const artifact = await document("several/app", attestations[1]?.digest ?? "");
    assert.deepEqual([artifact.artifactType, artifact.subject?.digest], ["application/vnd.docker.attestation.manifest.v1+json", second?.digest]);
  });

  test("as=referrer puts it beside the image, which stands for itself", async () => {
    const name = `${registry.host}/beside/app:1`;
    await simple("beside", "-t", name, "--push", "--attest", "type=provenance,mode=min,as=referrer", "--attest", "type=sbom,as=referrer");
    const response = await fetched("beside/app", "manifests/1");
    const image = (await response.json()) as Document;
    assert.equal(image.manifests, undefined);
    const digest = response.headers.get("docker-content-digest") ?? "";
    const { manifests = [] } = (await (await fetched("beside/app", `referrers/${digest}`)).json()) as Document;
    const found = await document("beside/app", manifests[0]?.digest ?? "");
    assert.deepEqual([found.subject?.digest, found.layers?.length], [digest, 2]);
  });

  test("--sign signs what is said, for verify --type", async () => {
    const name = `${registry.host}/signed/app:1`;
    const key = `${sandbox.directory}/release`;
    await sandbox.ok(["key", "generate", "--output", key], { env: { SLIPWAY_KEY_PASSWORD: "pw" } });
    const context = sandbox.folder({ Dockerfile: "FROM busybox\n" });
    const args = ["--provenance=mode=min,version=v1", "--sbom", "--push", "--sign", "--key", `${key}.key`];
    await sandbox.ok(["build", "-t", name, ...args, context], { env: { SLIPWAY_KEY_PASSWORD: "pw" } });
    const image = name.replace(/:1$/, `@${(await document("signed/app", "1")).manifests?.[0]?.digest}`);
    for (const type of ["slsaprovenance1", "spdxjson"]) await sandbox.ok(["verify", "--key", `${key}.pub`, "--type", type, image]);
    await sandbox.ok(["verify", "--key", `${key}.pub`, name]);
    const { buildDefinition } = JSON.parse(await sandbox.ok(["attestations", "--key", `${key}.pub`, "--type", "slsaprovenance1", image])) as {
      readonly buildDefinition: { readonly internalParameters: object };
    };
    assert.deepEqual(Object.keys(buildDefinition.internalParameters), ["builderPlatform"]);
  });

  test("--sign --keyless signs image and statements for an identity", async () => {
    await using services = await startKeylessServer();
    const name = `${registry.host}/keyless/app:1`;
    const [issuer, identity] = ["https://oidc.test", "dev@acme.test"];
    const token = identityToken({ iss: issuer, sub: identity, exp: Math.floor(Date.now() / 1000) + 600 });
    const root = `${sandbox.directory}/trusted-root.json`;
    writeFileSync(root, services.trustedRoot);
    const context = sandbox.folder({ Dockerfile: "FROM busybox\n" });
    const urls = ["--fulcio-url", services.url, "--rekor-url", services.url];
    const told = await sandbox.call(["build", "-t", name, "--push", "--sign", "--keyless", ...urls, context], { env: { SIGSTORE_ID_TOKEN: token } });
    assert.equal(told.code, 0, told.stderr);
    const image = name.replace(/:1$/, `@${(await document("keyless/app", "1")).manifests?.[0]?.digest}`);
    const trusted = ["--certificate-identity-regexp", "^dev@", "--certificate-oidc-issuer", issuer, "--trusted-root", root];
    await sandbox.ok(["verify", "--recursive", ...trusted, name]);
    await sandbox.ok(["verify", "--type", "slsaprovenance02", ...trusted, image]);
    assert.equal((await sandbox.call(["verify", "--identity", "other@acme.test", "--issuer", issuer, "--trusted-root", root, name])).code, 12);
    assert.ok(!`${told.stdout}${told.stderr}`.includes(token));
  });

  test("files have their statements beside them", async () => {
    const context = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "files" });
    const out = `${sandbox.directory}/files`;
    await sandbox.ok(["build", "--provenance=mode=min", "--sbom", "-o", `type=local,dest=${out},attestation-prefix=app.`, context]);
    const text = readFileSync(`${out}/app.provenance.json`, "utf8");
    assert.match(text, /^\{\n {2}"_type": "https:\/\/in-toto\.io\/Statement\/v0\.1",\n {2}"predicateType": [^]*\}$/);
    const { subject } = JSON.parse(text) as Statement;
    assert.deepEqual(subject, [{ name: "f", digest: { sha256: hash("sha256", "files") } }]);
    assert.equal((JSON.parse(readFileSync(`${out}/app.sbom.spdx.json`, "utf8")) as Statement).predicateType, spdxType);
    await sandbox.ok(["build", "--provenance=mode=min", "-o", `type=tar,dest=${out}.tar`, context]);
    assert.deepEqual([...(await archived(`${out}.tar`)).keys()], ["f", "provenance.json"]);
  });

  test("a context in a repository is told of, without names and passwords", async () => {
    const context = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "repository" });
    const git = (...args: readonly string[]): string =>
      execFileSync("git", ["-C", context, "-c", "user.name=a", "-c", "user.email=a@b", ...args])
        .toString()
        .trim();
    git("init", "-q");
    git("add", "-A");
    git("commit", "-qm", "first");
    git("remote", "add", "origin", "https://user:password@example.com/app.git");
    const path = `${sandbox.directory}/repository.tar`;
    const vcs = async (env: Readonly<Record<string, string>>): Promise<unknown> => {
      await sandbox.ok(["build", "--provenance=mode=min", "-o", `type=tar,dest=${path}`, context], { env });
      const { predicate } = JSON.parse(String((await archived(path)).get("provenance.json"))) as Statement;
      return ((predicate["metadata"] as Record<string, unknown>)["https://mobyproject.org/buildkit@v1#metadata"] as Record<string, unknown>)["vcs"];
    };
    const revision = git("rev-parse", "HEAD");
    const want = { "localdir:context": ".", "localdir:dockerfile": ".", revision, source: "https://example.com/app.git" };
    assert.deepEqual(await vcs({}), want);
    execFileSync("sh", ["-c", "echo changed > f"], { cwd: context });
    assert.deepEqual(await vcs({ BUILDX_GIT_CHECK_DIRTY: "1" }), { ...want, revision: `${revision}-dirty` });
    assert.equal(await vcs({ BUILDX_GIT_INFO: "false" }), undefined);
  });

  interface Bill {
    readonly name: string;
    readonly packages: readonly { readonly name: string; readonly versionInfo?: string }[];
  }
  const billsIn = (files: ReadonlyMap<string, Buffer>): Readonly<Record<string, Bill>> =>
    Object.fromEntries(
      [...files].flatMap(([name, bytes]) => (name.endsWith(".spdx.json") ? [[name, (JSON.parse(String(bytes)) as { predicate: Bill }).predicate]] : [])),
    );
  const stages = `FROM busybox AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
COPY package-lock.json /src/
FROM busybox
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY --from=build /src/package-lock.json /x
`;
  const lock = JSON.stringify({ packages: { "node_modules/left": { version: "1.2.3" } } });
  const stagesFolder = (): string => sandbox.folder({ Dockerfile: stages, "package-lock.json": lock, ignored: "", ".dockerignore": "ignored" });

  test("bills of stages and of the context are made where the Dockerfile asks for them", async () => {
    const path = `${sandbox.directory}/bills.tar`;
    await sandbox.ok(["build", "--sbom=true", "-o", `type=tar,dest=${path}`, stagesFolder()]);
    const bills = billsIn(await archived(path));
    const listed = Object.entries(bills).map(([file, { name, packages }]) => [
      file,
      [name.replace(/[0-9a-f]{64}$/, "…"), packages.filter((one) => one.name === "left").length],
    ]);
    assert.deepEqual(Object.fromEntries(listed), {
      "sbom-build.spdx.json": ["sbom-build", 1],
      "sbom-context.spdx.json": ["sbom-context", 1],
      // what has no tag has its id, as a document must have a name
      "sbom.spdx.json": ["sha256:…", 0],
    });
  });

  /** Says of each directory that it is given how many files it has. */
  const scanner = `FROM busybox
COPY --chmod=755 scan.sh /scan.sh
WORKDIR /work
ENTRYPOINT ["/scan.sh"]
CMD ["first"]
`;
  const scan = `#!/bin/sh
set -e
emit() {
  printf '{"predicateType":"https://spdx.dev/Document","subject":%s,"predicate":{"name":"%s","packages":[{"name":"%s","versionInfo":"%s"}]}}' "$3" "$(basename "$1")" "$2" "$(find "$1" -type f | wc -l)" > "$BUILDKIT_SCAN_DESTINATION/$(basename "$1").spdx.json"
}
touch "$BUILDKIT_SCAN_SOURCE/x" 2> /dev/null && exit 9
touch /tmp/x
emit "$BUILDKIT_SCAN_SOURCE" "$1 $PWD $BUILDKIT_SCAN_type $BUILDKIT_SCAN_flavour" '[{"name":"_"}]'
for one in "$BUILDKIT_SCAN_SOURCE_EXTRAS"/*; do [ ! -d "$one" ] || emit "$one" extra '[{"name":"other","digest":{"sha256":"00"}}]'; done
`;
  const buildScanner = async (text: string, tag: string): Promise<void> => {
    await sandbox.ok(["build", "-q", "--provenance=false", "-t", tag, sandbox.folder({ Dockerfile: text, "scan.sh": scan })]);
  };

  test("a scanner's image is run over the result, stages and the context, and what it writes is attested", async () => {
    await buildScanner(scanner, "scanner:1");
    const path = `${sandbox.directory}/scanned.tar`;
    const folder = stagesFolder();
    const args = ["build", "--progress=plain", "--sbom=generator=scanner:1,flavour=sweet", "-o", `type=tar,dest=${path}`, folder];
    const { stderr } = await sandbox.call(args);
    assert.match(stderr, /\[linux\/\w+\] generating sbom using docker\.io\/library\/scanner:1\n/);
    const files = await archived(path);
    const bills = billsIn(files);
    assert.deepEqual(Object.keys(bills).toSorted(), ["sbom-build.spdx.json", "sbom-context.spdx.json", "sbom.spdx.json"]);
    assert.deepEqual(bills["sbom.spdx.json"]?.packages[0]?.name, "first /work sbom sweet");
    assert.deepEqual(bills["sbom-context.spdx.json"], { name: "sbom-context", packages: [{ name: "extra", versionInfo: "3" }] });
    const subjectOf = (file: string): string | undefined => (JSON.parse(String(files.get(file))) as Statement).subject[0]?.name;
    assert.deepEqual([subjectOf("sbom-build.spdx.json"), subjectOf("sbom.spdx.json") === "other"], ["other", false]);
    const again = await sandbox.call(args);
    assert.match(again.stderr, /generating sbom using .*\n#\d+ CACHED/);
  });

  test("what a scanner writes stands in the index, the result's bill first", async () => {
    await buildScanner(scanner, "scanner:1");
    const path = `${sandbox.directory}/scanned-layout.tar`;
    await sandbox.ok(["build", "--sbom=generator=scanner:1", "-o", `type=oci,dest=${path}`, stagesFolder()]);
    const files = await archived(path);
    const [entry] = (JSON.parse(String(files.get("index.json"))) as Document).manifests ?? [];
    const attested = member<Document>(files, entry?.digest ?? "").manifests?.find(({ platform }) => platform?.os === "unknown");
    const names = (member<Document>(files, attested?.digest ?? "").layers ?? []).map(({ digest }) => member<Statement>(files, digest).predicate["name"]);
    assert.deepEqual(names, ["sbom", "sbom-build", "sbom-context"]);
  });

  test("the scanner's image is among the materials, with its digest and without a platform", async () => {
    await buildScanner(scanner, "scanner:1");
    const id = await sandbox.ok(["image", "inspect", "-f", "{{.Id}}", "scanner:1"]);
    for (const [version, key] of [
      ["v0.2", "materials"],
      ["v1", "resolvedDependencies"],
    ] as const) {
      const path = `${sandbox.directory}/materials-${version}.tar`;
      const asked = ["--sbom=generator=scanner:1", `--provenance=mode=min,version=${version}`];
      await sandbox.ok(["build", ...asked, "-o", `type=tar,dest=${path}`, sandbox.folder({ Dockerfile: "FROM busybox\n" })]);
      const { predicate } = JSON.parse(String((await archived(path)).get("provenance.json"))) as { readonly predicate: Readonly<Record<string, unknown>> };
      const materials = (predicate[key] ?? (predicate["buildDefinition"] as Readonly<Record<string, unknown>>)[key]) as readonly {
        readonly uri: string;
        readonly digest: object;
      }[];
      assert.match(materials[0]?.uri ?? "", /^pkg:docker\/busybox@latest\?platform=/);
      assert.deepEqual(materials[1], { uri: "pkg:docker/scanner@1", digest: { sha256: id.replace("sha256:", "") } });
    }
  });

  for (const [name, entrypoint, message] of [
    ["that fails", 'ENTRYPOINT ["sh", "-c", "exit 3"]', 'process "sh -c exit 3" did not complete successfully: exit code: 3'],
    ["that writes no JSON", 'ENTRYPOINT ["sh", "-c", "echo x > $BUILDKIT_SCAN_DESTINATION/a.json"]', "cannot decode in-toto statement: "],
    [
      "that writes something else",
      `ENTRYPOINT ["sh", "-c", "echo '{\\"predicateType\\":\\"https://example.com/y\\"}' > $BUILDKIT_SCAN_DESTINATION/a.json"]`,
      "bundle entry https://example.com/y does not match required predicate type https://spdx.dev/Document",
    ],
    ["that has nothing to run", "CMD []", "scanner docker.io/library/scanner:bad does not have cmd"],
  ] as const) {
    test(`a scanner ${name} ends the build`, async () => {
      await buildScanner(`FROM scratch\nCOPY --from=busybox / /\n${entrypoint}\n`, "scanner:bad");
      const { code, stderr } = await sandbox.call(["build", "--sbom=generator=scanner:bad", sandbox.folder({ Dockerfile: "FROM busybox\n" })]);
      assert.equal(code, 1);
      assert.ok(stderr.includes(message), stderr);
    });
  }

  test("--metadata-file has the provenance, shorter by default", async () => {
    const path = `${sandbox.directory}/metadata.json`;
    const keys = async (env: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const context = sandbox.folder({ Dockerfile: "FROM busybox\n" });
      await sandbox.ok(["build", "--metadata-file", path, context], { env });
      const told = JSON.parse(readFileSync(path, "utf8")) as Record<string, object | undefined>;
      return Object.keys(told["buildx.build.provenance"] ?? {});
    };
    assert.deepEqual(await keys({}), ["builder", "buildType", "materials", "invocation"]);
    assert.deepEqual(await keys({ BUILDX_METADATA_PROVENANCE: "max" }), ["builder", "buildType", "materials", "invocation", "buildConfig", "metadata"]);
    assert.deepEqual(await keys({ BUILDX_METADATA_PROVENANCE: "disabled" }), []);
  });

  for (const [name, args, message] of [
    ["an unknown type", ["--attest", "type=foo"], 'unknown attestation type "foo"'],
    ["no type", ["--attest", "mode=max"], "attestation type not specified"],
    ["no field", ["--attest", "foo"], "ERROR: invalid value foo"],
    ["an unknown mode", ["--provenance=mode=foo"], 'invalid mode "foo"'],
    ["an unknown version", ["--provenance=version=v3"], "invalid provenance SLSA version: v3"],
    [
      "Docker's archive",
      ["--provenance=mode=min", "-o", "type=docker,dest=x.tar"],
      "docker exporter does not support exporting manifest lists, use the oci exporter instead",
    ],
    ["a referrer of what is not pushed", ["--attest", "type=sbom,as=referrer"], "as=referrer is for images that are pushed"],
  ] as const) {
    test(`${name} is refused`, async () => {
      const { code, stderr } = await sandbox.call(["build", ...args, sandbox.folder({ Dockerfile: "FROM busybox\n" })]);
      assert.equal(code, 1);
      assert.ok(stderr.includes(message), stderr);
    });
  }
});
