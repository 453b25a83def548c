import assert from "node:assert/strict";
import { createHash, createVerify, generateKeyPairSync } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { anonymous, type CredentialSource } from "../credentials.ts";
import { serve, type Handler } from "../fixtures/loopback-server.ts";
import { parseProfiles } from "./aws-keys.ts";
import { signRequest } from "./aws-signature.ts";
import { parseEcrHost } from "./ecr.ts";
import type { SignInWorld } from "./ports.ts";
import { createCommandRunner } from "./run-command.ts";
import { withSignIn } from "./sign-in.ts";

const nowMs = Date.UTC(2015, 7, 30, 12, 36, 0);

function world(env: Record<string, string>, files: Record<string, string> = {}, fetch: typeof globalThis.fetch = globalThis.fetch): SignInWorld {
  return {
    env,
    home: "/home/me",
    files: { readText: (path) => files[path], list: () => [] },
    fetch,
    run: createCommandRunner({ PATH: "/usr/bin:/bin" }),
    now: () => nowMs,
  };
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

const ssoCache = (key: string): string => `/home/me/.aws/sso/cache/${createHash("sha1").update(key).digest("hex")}.json`;

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
    [
      "a sign-in with SSO",
      () => ({ AWS_PROFILE: "sso" }),
      {
        "/home/me/.aws/config": "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = dev\n[sso-session corp]\nsso_region = eu-west-1\n",
        [ssoCache("corp")]: '{"accessToken":"SSO","expiresAt":"2015-08-30T13:00:00Z"}',
      },
      "SIGNED",
    ],
    [
      "a sign-in with SSO, as it was written once",
      () => ({ AWS_PROFILE: "sso" }),
      {
        "/home/me/.aws/config": "[profile sso]\nsso_start_url = https://corp\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = dev\n",
        [ssoCache("https://corp")]: '{"accessToken":"SSO","expiresAt":"2015-08-30T13:00:00Z"}',
      },
      "SIGNED",
    ],
    [
      "a program",
      () => ({ AWS_PROFILE: "p" }),
      { "/home/me/.aws/config": `[profile p]\ncredential_process = echo '{"Version":1,"AccessKeyId":"PRINTED","SecretAccessKey":"s"}'\n` },
      "PRINTED",
    ],
    [
      "a GitHub Actions job",
      (origin) => ({ AWS_ROLE_ARN: "r", ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/identity?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "job" }),
      {},
      "ROLE",
    ],
    ["an instance", (origin) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: origin }), {}, "META"],
  ];
  for (const [name, env, files, key] of cases) {
    test(`by ${name}`, async () => {
      await using server = await serve({
        "/latest/api/token": answer((request) => (request.method === "PUT" ? "session" : undefined)),
        "/latest/meta-data/iam/security-credentials/": answer((request) => (request.headers["x-aws-ec2-metadata-token"] === "session" ? "role" : undefined)),
        "/latest/meta-data/iam/security-credentials/role": answer(() => json),
        "/federation/credentials": answer((request) =>
          request.headers["x-amz-sso_bearer_token"] === "SSO" && String(request.url).endsWith("?role_name=dev&account_id=1")
            ? '{"roleCredentials":{"accessKeyId":"SIGNED","secretAccessKey":"s","sessionToken":"t"}}'
            : undefined,
        ),
        "/identity": answer((request) =>
          request.headers.authorization === "Bearer job" && String(request.url).endsWith("?v=1&audience=sts.amazonaws.com") ? '{"value":"jwt"}' : undefined,
        ),
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

  const refusals: readonly [name: string, files: Record<string, string>, why: string][] = [
    ["nobody signed in", {}, "nobody signed in: run aws sso login --profile x"],
    [
      "a sign-in that is over",
      { [ssoCache("u")]: '{"accessToken":"SECRET","expiresAt":"2015-08-30T12:00:00Z"}' },
      "the sign-in is over: run aws sso login --profile x",
    ],
  ];
  for (const [name, files, why] of refusals) {
    test(name, async () => {
      const config = { "/home/me/.aws/config": "[profile x]\nsso_start_url = u\nsso_account_id = 1\nsso_role_name = r\n" };
      const source = withSignIn(anonymous, world({ AWS_EC2_METADATA_DISABLED: "true", AWS_PROFILE: "x" }, { ...config, ...files }));
      assert.equal(await source.lookup(host, "a"), undefined);
      assert.ok(source.explain?.(host).includes(`AWS profile x: ${why}`), source.explain?.(host).join("\n"));
    });
  }

  test("a program that fails is told without what it prints", async () => {
    const config = { "/home/me/.aws/config": "[profile x]\ncredential_process = echo printed-part; false\n" };
    const source = withSignIn(anonymous, world({ AWS_EC2_METADATA_DISABLED: "true", AWS_PROFILE: "x" }, config));
    assert.equal(await source.lookup(host, "a"), undefined);
    assert.ok(source.explain?.(host).includes("AWS profile x: its credential_process failed"));
    assert.doesNotMatch(JSON.stringify(source.explain?.(host)), /printed-part/);
  });

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
    [
      "a GitHub Actions job",
      (origin) => ({
        AZURE_CLIENT_ID: "c",
        AZURE_TENANT_ID: "t",
        AZURE_AUTHORITY_HOST: origin,
        ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/job`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "job",
      }),
      {},
      "by job's",
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
        "/job": answer((request) => (String(request.url).endsWith("?audience=api%3A%2F%2FAzureADTokenExchange") ? `{"value":"job's"}` : undefined)),
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

  const external = (origin: string, source: object, more: object = {}): string =>
    JSON.stringify({
      type: "external_account",
      audience: "//iam/pool",
      subject_token_type: "type",
      token_url: `${origin}/sts`,
      credential_source: source,
      ...more,
    });
  const identities: readonly [name: string, file: (origin: string) => string, env: Record<string, string>, password: string][] = [
    ["an identity in a file", (origin) => external(origin, { file: "/jwt" }), {}, "for jwt"],
    ["a field of a file", (origin) => external(origin, { file: "/json", format: { type: "json", subject_token_field_name: "t" } }), {}, "for field"],
    ["an identity at an address", (origin) => external(origin, { url: `${origin}/subject`, headers: { "X-Key": "k" } }), {}, "for address"],
    [
      "an identity that acts for a service account",
      (origin) => external(origin, { file: "/jwt" }, { service_account_impersonation_url: `${origin}/act` }),
      {},
      "acting with for jwt",
    ],
    [
      "AWS keys",
      (origin) => external(origin, { environment_id: "aws1", regional_cred_verification_url: "https://sts.{region}.example/?Action=GetCallerIdentity" }),
      { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s" },
      "for sts.eu-west-1.example",
    ],
    [
      "a user who acts for a service account",
      (origin) =>
        JSON.stringify({
          type: "impersonated_service_account",
          service_account_impersonation_url: `${origin}/act`,
          source_credentials: { type: "authorized_user", refresh_token: "R", token_uri: `${origin}/token` },
        }),
      {},
      "acting with U",
    ],
  ];
  for (const [name, file, env, password] of identities) {
    test(`by ${name}`, async () => {
      const subjectOf = (subject: string): string => {
        if (!subject.startsWith("%7B")) return subject;
        const request = JSON.parse(decodeURIComponent(subject)) as { url: string; headers: { key: string; value: string }[] };
        const target = request.headers.find(({ key }) => key === "x-goog-cloud-target-resource")?.value;
        const signed = request.headers.find(({ key }) => key === "authorization")?.value ?? "";
        return target === "//iam/pool" && signed.includes("/eu-west-1/sts/aws4_request") ? new URL(request.url).host : "nobody";
      };
      await using server = await serve({
        "/sts": answer((_, body) => {
          const values = new URLSearchParams(body);
          return values.get("audience") === "//iam/pool" ? JSON.stringify({ access_token: `for ${subjectOf(values.get("subject_token") ?? "")}` }) : undefined;
        }),
        "/subject": answer((request) => (request.headers["x-key"] === "k" ? "address\n" : undefined)),
        "/act": answer((request) => JSON.stringify({ accessToken: `acting with ${String(request.headers.authorization).slice(7)}` })),
        "/token": answer((_, body) => (new URLSearchParams(body).get("refresh_token") === "R" ? '{"access_token":"U"}' : undefined)),
      });
      const files = { "/key.json": file(`http://${server.host}`), "/jwt": "jwt\n", "/json": '{"t":"field"}' };
      const source = withSignIn(anonymous, world({ GOOGLE_APPLICATION_CREDENTIALS: "/key.json", ...env }, files));
      assert.deepEqual(await source.lookup("europe-docker.pkg.dev", "a"), { kind: "basic", username: "oauth2accesstoken", password });
    });
  }

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
