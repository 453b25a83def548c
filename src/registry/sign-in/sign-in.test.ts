import assert from "node:assert/strict";
import { createVerify, generateKeyPairSync } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { anonymous, type CredentialSource } from "../credentials.ts";
import { serve, type Handler } from "../fixtures/loopback-server.ts";
import { parseProfiles } from "./aws-keys.ts";
import { signRequest } from "./aws-signature.ts";
import { parseEcrHost } from "./ecr.ts";
import type { SignInWorld } from "./ports.ts";
import { withSignIn } from "./sign-in.ts";

const nowMs = Date.UTC(2015, 7, 30, 12, 36, 0);

function world(env: Record<string, string>, files: Record<string, string> = {}, fetch: typeof globalThis.fetch = globalThis.fetch): SignInWorld {
  return { env, home: "/home/me", files: { readText: (path) => files[path], list: () => [] }, fetch, now: () => nowMs };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
}

function answer(text: (request: IncomingMessage, body: string) => string | undefined): Handler {
  return (request, response) =>
    void bodyOf(request).then((body) => {
      const said = text(request, body);
      response.writeHead(said === undefined ? 403 : 200).end(said);
    });
}

describe("AWS signatures", () => {
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", sessionToken: undefined };
  // of the signature's published test suite: get-vanilla, get-vanilla-query-order-key-case, post-vanilla
  const vectors: readonly [name: string, method: "GET" | "POST", url: string, signature: string][] = [
    ["get-vanilla", "GET", "https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "get-vanilla-query-order-key-case",
      "GET",
      "https://example.amazonaws.com/?Param2=value2&Param1=value1",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    ["post-vanilla", "POST", "https://example.amazonaws.com/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  ];
  for (const [name, method, url, signature] of vectors) {
    test(name, () => {
      const { authorization } = signRequest({ method, url: new URL(url), service: "service", region: "us-east-1", headers: {}, body: "" }, keys, nowMs);
      assert.equal(
        authorization,
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
      );
    });
  }
});

test("Amazon's hosts and their endpoints", () => {
  const endpoints: Readonly<Record<string, string | undefined>> = {
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com": "https://api.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com": "https://ecr-fips.us-gov-west-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn": "https://api.ecr.cn-north-1.amazonaws.com.cn",
    "123456789012.dkr-ecr.eu-west-1.on.aws": "https://api.ecr.eu-west-1.amazonaws.com",
    "public.ecr.aws": "https://api.ecr-public.us-east-1.amazonaws.com",
    "evil-123456789012.dkr.ecr.eu-west-1.amazonaws.com": undefined,
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example": undefined,
    "docker.io": undefined,
  };
  for (const [host, endpoint] of Object.entries(endpoints)) assert.equal(parseEcrHost(host)?.endpoint, endpoint, host);
});

test("profiles of AWS's files", () => {
  const profiles = parseProfiles("[default]\naws_access_key_id = A\n# no\n[profile ci]\nrole_arn=arn:x\n  indented = 1\n");
  assert.deepEqual(
    [...profiles].map(([name, profile]) => [name, Object.fromEntries(profile)]),
    [
      ["default", { aws_access_key_id: "A" }],
      ["ci", { role_arn: "arn:x" }],
    ],
  );
});

describe("Amazon ECR", () => {
  const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  const token = JSON.stringify({ authorizationData: [{ authorizationToken: Buffer.from("AWS:pass:word").toString("base64") }] });
  const xml = "<Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken></Credentials>";
  const json = '{"AccessKeyId":"META","SecretAccessKey":"s","Token":"t"}';
  const cases: readonly [name: string, env: (origin: string) => Record<string, string>, files: Record<string, string>, key: string][] = [
    ["keys in the environment", () => ({ AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "s" }), {}, "ENV"],
    ["a profile", () => ({ AWS_PROFILE: "ci" }), { "/home/me/.aws/credentials": "[ci]\naws_access_key_id=FILE\naws_secret_access_key=s" }, "FILE"],
    [
      "a profile's role",
      () => ({ AWS_PROFILE: "ci" }),
      {
        "/home/me/.aws/config": "[profile ci]\nrole_arn=r\nsource_profile=base",
        "/home/me/.aws/credentials": "[base]\naws_access_key_id=B\naws_secret_access_key=s",
      },
      "ROLE",
    ],
    ["a web identity", () => ({ AWS_ROLE_ARN: "r", AWS_WEB_IDENTITY_TOKEN_FILE: "/token" }), { "/token": "jwt\n" }, "ROLE"],
    ["a container", (origin) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/container`, AWS_CONTAINER_AUTHORIZATION_TOKEN: "T" }), {}, "META"],
    ["an instance", (origin) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: origin }), {}, "META"],
  ];
  for (const [name, env, files, key] of cases) {
    test(`by ${name}`, async () => {
      await using server = await serve({
        "/latest/api/token": answer((request) => (request.method === "PUT" ? "session" : undefined)),
        "/latest/meta-data/iam/security-credentials/": answer((request) => (request.headers["x-aws-ec2-metadata-token"] === "session" ? "role" : undefined)),
        "/latest/meta-data/iam/security-credentials/role": answer(() => json),
        "/container": answer((request) => (request.headers.authorization === "T" ? json : undefined)),
        "/": answer((request) => (request.method === "GET" ? xml : token)),
      });
      const origin = `http://${server.host}`;
      const source = withSignIn(anonymous, world({ AWS_ENDPOINT_URL: origin, ...env(origin) }, files));
      assert.deepEqual(await source.lookup(host, "a"), { kind: "basic", username: "AWS", password: "pass:word" });
      const last = server.requests.at(-1);
      assert.match(String(last?.headers.authorization), new RegExp(`^AWS4-HMAC-SHA256 Credential=${key}/20150830/eu-west-1/ecr/aws4_request`));
      assert.equal(last?.headers["x-amz-target"], "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
      const before = server.requests.length;
      await source.lookup(host, "b");
      assert.equal(server.requests.length, before, "asked once");
    });
  }

  test("without any: each source and why, and no secret", async () => {
    const source = withSignIn(anonymous, world({ AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1", AWS_PROFILE: "none" }));
    assert.equal(await source.lookup(host, "a"), undefined);
    assert.deepEqual(source.explain?.(host), [
      "environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
      "AWS web identity: AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set",
      "AWS profile none: is in no file",
      "AWS container credentials: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and …_FULL_URI are not set",
      "EC2 instance metadata: no answer from 127.0.0.1:1",
    ]);
  });
});

describe("Azure", () => {
  const host = "team.azurecr.io";
  const cases: readonly [name: string, env: (origin: string) => Record<string, string>, files: Record<string, string>, access: string][] = [
    [
      "a service principal",
      (origin) => ({ AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t", AZURE_CLIENT_SECRET: "s", AZURE_AUTHORITY_HOST: origin }),
      {},
      "by secret",
    ],
    [
      "a workload's identity",
      (origin) => ({ AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t", AZURE_FEDERATED_TOKEN_FILE: "/token", AZURE_AUTHORITY_HOST: origin }),
      { "/token": "jwt" },
      "by jwt",
    ],
    ["a machine's identity", (origin) => ({ IDENTITY_ENDPOINT: `${origin}/identity`, IDENTITY_HEADER: "h" }), {}, "by machine"],
  ];
  for (const [name, env, files, access] of cases) {
    test(`by ${name}`, async () => {
      await using server = await serve({
        "/t/oauth2/v2.0/token": answer((_, body) => {
          const values = new URLSearchParams(body);
          return JSON.stringify({ access_token: values.get("client_secret") === "s" ? "by secret" : `by ${values.get("client_assertion")}` });
        }),
        "/identity": answer((request) => (request.headers["x-identity-header"] === "h" ? '{"access_token":"by machine"}' : undefined)),
        "/oauth2/exchange": answer((_, body) => {
          const values = new URLSearchParams(body);
          return values.get("service") === host ? JSON.stringify({ refresh_token: `refresh ${values.get("access_token")}` }) : undefined;
        }),
      });
      const origin = `http://${server.host}`;
      const fetch: typeof globalThis.fetch = (url, init) => globalThis.fetch((url as string).replace(`https://${host}`, origin), init);
      const source = withSignIn(anonymous, world(env(origin), files, fetch));
      assert.deepEqual(await source.lookup(host, "a"), { kind: "identity", token: `refresh ${access}` });
    });
  }
});

describe("Google", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  test("by a service account's key", async () => {
    await using server = await serve({
      "/token": answer((_, body) => {
        const [head = "", claims = "", signature = ""] = (new URLSearchParams(body).get("assertion") ?? "").split(".");
        const right = createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(publicKey, signature, "base64url");
        const { iss, exp, iat } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { iss: string; exp: number; iat: number };
        return right && iss === "a@b" && exp - iat === 3600 ? '{"access_token":"T"}' : undefined;
      }),
    });
    const file = JSON.stringify({ type: "service_account", client_email: "a@b", private_key: pem, token_uri: `http://${server.host}/token` });
    const source = withSignIn(anonymous, world({ GOOGLE_APPLICATION_CREDENTIALS: "/key.json" }, { "/key.json": file }));
    assert.deepEqual(await source.lookup("europe-docker.pkg.dev", "a"), { kind: "basic", username: "oauth2accesstoken", password: "T" });
  });

  test("by a user's own file, and by the metadata server", async () => {
    await using server = await serve({
      "/token": answer((_, body) => (new URLSearchParams(body).get("refresh_token") === "R" ? '{"access_token":"U"}' : undefined)),
      "/computeMetadata/v1/instance/service-accounts/default/token": answer((request) =>
        request.headers["metadata-flavor"] === "Google" ? '{"access_token":"M"}' : undefined,
      ),
    });
    const path = "/home/me/.config/gcloud/application_default_credentials.json";
    const file = JSON.stringify({ type: "authorized_user", client_id: "c", client_secret: "s", refresh_token: "R", token_uri: `http://${server.host}/token` });
    assert.deepEqual(await withSignIn(anonymous, world({}, { [path]: file })).lookup("gcr.io", "a"), {
      kind: "basic",
      username: "oauth2accesstoken",
      password: "U",
    });
    const machine = withSignIn(anonymous, world({ GCE_METADATA_HOST: server.host }));
    assert.deepEqual(await machine.lookup("eu.gcr.io", "a"), { kind: "basic", username: "oauth2accesstoken", password: "M" });
  });

  test("a key that cannot sign is told without what is in it", async () => {
    const file = JSON.stringify({ type: "service_account", client_email: "a@b", private_key: "SECRET" });
    const source = withSignIn(anonymous, world({ GOOGLE_APPLICATION_CREDENTIALS: "/key.json", GCE_METADATA_HOST: "127.0.0.1:1" }, { "/key.json": file }));
    assert.equal(await source.lookup("gcr.io", "a"), undefined);
    assert.deepEqual(source.explain?.("gcr.io"), [
      "Google credentials file: /key.json holds no private key that can sign",
      "Google metadata server: no answer from 127.0.0.1:1",
    ]);
  });
});

describe("pipelines", () => {
  const cases: readonly [host: string, env: Record<string, string>, username: string, password: string][] = [
    ["ghcr.io", { GITHUB_TOKEN: "T", GITHUB_ACTOR: "me" }, "me", "T"],
    ["registry.gitlab.com", { CI_REGISTRY: "registry.gitlab.com", CI_REGISTRY_USER: "u", CI_REGISTRY_PASSWORD: "p" }, "u", "p"],
    ["gitlab.example:5050", { CI_REGISTRY: "gitlab.example:5050", CI_JOB_TOKEN: "J" }, "gitlab-ci-token", "J"],
  ];
  for (const [host, env, username, password] of cases)
    test(host, async () => assert.deepEqual(await withSignIn(anonymous, world(env)).lookup(host, "a"), { kind: "basic", username, password }));
});

test("what is configured wins, other hosts ask nobody", async () => {
  const own: CredentialSource = { lookup: async (host) => (host === "ghcr.io" ? { kind: "basic", username: "own", password: "x" } : undefined) };
  const never = (): never => assert.fail("nobody is to be asked");
  const source = withSignIn(own, world({ GITHUB_TOKEN: "T", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" }, {}, never));
  assert.deepEqual(await source.lookup("ghcr.io", "a"), { kind: "basic", username: "own", password: "x" });
  assert.equal(await source.lookup("docker.io", "a"), undefined);
});
