/** Signing in by a code for an identity token: an OpenID provider in this process, the library and the program itself. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../src/base/errors.ts";
import { Slipway, type ShownCode } from "../../src/engine/index.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { pushImage, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-device-"));
const slipway = await Slipway.open({ root: path.join(root, "store") });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});

type Answer = readonly [status: number, body: object];

interface Scene {
  /** instead of what is right, or besides */
  readonly configuration?: (url: string) => object;
  readonly code?: Answer;
  /** the answers of the token's address, one after the other, the last again and again; "cut": the connection ends without one */
  readonly tokens?: readonly (Answer | "cut")[];
}

interface Issuer extends AsyncDisposable {
  readonly url: string;
  readonly forms: Readonly<Record<string, string>>[];
}

const email = "dev@acme.test";

function tokenOf(issuer: string): string {
  return identityToken({ iss: issuer, sub: email, email, email_verified: true, exp: Math.floor(Date.now() / 1000) + 600 });
}

async function startIssuer({ configuration = () => ({}), code = [200, {}], tokens }: Scene): Promise<Issuer> {
  const forms: Record<string, string>[] = [];
  let polls = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const body = Buffer.concat((await Array.fromAsync(request)) as Buffer[]).toString();
      const url = `http://${request.headers.host}`;
      if (request.method === "POST") forms.push({ path: request.url ?? "", ...Object.fromEntries(new URLSearchParams(body)) });
      const answers: Readonly<Record<string, () => Answer | "cut">> = {
        "/.well-known/openid-configuration": () => [
          200,
          { issuer: url, device_authorization_endpoint: `${url}/device`, token_endpoint: `${url}/token`, ...configuration(url) },
        ],
        "/device": () => [
          code[0],
          {
            device_code: "D",
            user_code: "AB-\u001b[31mCD",
            verification_uri: `${url}/go`,
            verification_uri_complete: `${url}/go?c=AB-CD`,
            interval: 0.01,
            ...code[1],
          },
        ],
        "/token": () => (tokens === undefined ? [200, { id_token: tokenOf(url) }] : (tokens[Math.min(polls++, tokens.length - 1)] ?? "cut")),
      };
      const answer = answers[request.url ?? ""]?.() ?? [404, {}];
      if (answer === "cut") request.socket.destroy();
      else response.writeHead(answer[0], { "content-type": "application/json" }).end(JSON.stringify(answer[1]));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forms,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const pending: Answer = [400, { error: "authorization_pending" }];
const granted: Answer = [200, { id_token: "a.b.c" }];

describe("a code is shown, and the issuer asked until somebody has signed in", () => {
  test("with a proof that the same program asks", async () => {
    await using issuer = await startIssuer({ tokens: [pending, pending, granted] });
    const shown: ShownCode[] = [];
    const token = await slipway.trust.signIn({ issuer: issuer.url, clientId: "us", clientSecret: "S", onCode: (code) => shown.push(code) });
    assert.equal(token, "a.b.c");
    assert.deepEqual(shown, [{ userCode: "AB-[31mCD", url: `${issuer.url}/go?c=AB-CD`, validSeconds: 300 }]);
    assert.deepEqual(
      issuer.forms.map((form) => [form["path"], form["client_id"], form["client_secret"], form["scope"]]),
      ["/device", "/token", "/token", "/token"].map((where) => [where, "us", "S", "openid email"]),
    );
    const [first, last] = [issuer.forms[0], issuer.forms.at(-1)];
    assert.deepEqual([last?.["grant_type"], last?.["device_code"]], ["urn:ietf:params:oauth:grant-type:device_code", "D"]);
    assert.deepEqual([first?.["code_challenge_method"], first?.["code_challenge"]], ["S256", hash("sha256", last?.["code_verifier"] ?? "", "base64url")]);
  });

  test("also when the network fails for a moment", async () => {
    await using issuer = await startIssuer({ tokens: ["cut", [503, {}], granted] });
    assert.equal(await slipway.trust.signIn({ issuer: `${issuer.url}/`, onCode: () => undefined }), "a.b.c");
  });

  test("not more often than the issuer wants: the code expires before the next time", async () => {
    await using issuer = await startIssuer({ code: [200, { expires_in: 2 }], tokens: [[400, { error: "slow_down" }], granted] });
    const signing = slipway.trust.signIn({ issuer: issuer.url, onCode: () => undefined });
    await assert.rejects(signing, (error) => isSlipwayError(error, "SIGN_IN_FAILED"));
    assert.equal(issuer.forms.length, 2);
  });

  const bad: readonly [name: string, scene: Scene, code: string, message: RegExp][] = [
    ["it was refused", { tokens: [pending, [400, { error: "access_denied" }]] }, "SIGN_IN_FAILED", /refused in the browser/],
    ["the code expired", { tokens: [[400, { error: "expired_token" }]] }, "SIGN_IN_FAILED", /nobody signed in while the code was valid/],
    ["the issuer never says so", { code: [200, { expires_in: 0.05 }], tokens: [pending] }, "SIGN_IN_FAILED", /nobody signed in/],
    ["another error", { tokens: [[400, { error: "invalid_grant", error_description: "bad\u001b[31m grant" }]] }, "SIGN_IN_FAILED", /: bad\[31m grant/],
    ["an answer without an identity token", { tokens: [[200, { access_token: "x" }]] }, "SIGN_IN_FAILED", /no identity token/],
    ["no such program", { code: [401, { error: "invalid_client", user_code: "" }] }, "SIGN_IN_UNAVAILABLE", /gave no code: invalid_client/],
    ["no code", { code: [200, { device_code: "" }] }, "SIGN_IN_UNAVAILABLE", /gave no code/],
    ["an address that is none", { code: [200, { verification_uri_complete: "javascript:alert(1)" }] }, "SIGN_IN_UNAVAILABLE", /gave no code/],
    ["no sign-in by a code", { configuration: () => ({ device_authorization_endpoint: undefined }) }, "SIGN_IN_UNAVAILABLE", /has no sign-in by a code/],
    ["another issuer", { configuration: () => ({ issuer: "https://evil.test" }) }, "SIGN_IN_UNAVAILABLE", /calls itself "https:\/\/evil.test"/],
    ["no address for tokens", { configuration: () => ({ token_endpoint: "ftp://x" }) }, "SIGN_IN_UNAVAILABLE", /cannot be used: "ftp:\/\/x"/],
  ];
  for (const [name, scene, code, message] of bad) {
    test(`fails with ${code}: ${name}`, async () => {
      await using issuer = await startIssuer(scene);
      let shown = 0;
      await assert.rejects(slipway.trust.signIn({ issuer: issuer.url, clientSecret: "hidden", onCode: () => shown++ }), (error) => {
        assert.ok(isSlipwayError(error, code), String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(JSON.stringify(error), /hidden/);
        return true;
      });
      assert.equal(shown, code === "SIGN_IN_FAILED" ? 1 : 0);
    });
  }

  test("fails with SIGN_IN_UNAVAILABLE: nobody is there", async () => {
    const nowhere = slipway.trust.signIn({ issuer: "http://127.0.0.1:1", onCode: () => undefined });
    await assert.rejects(nowhere, (error) => isSlipwayError(error, "SIGN_IN_UNAVAILABLE"));
  });
});

describe("slipway sign --keyless --fulcio-auth-flow device", () => {
  const program = path.join(import.meta.dirname, "../../bin/slipway");
  const run = (...words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> =>
    new Promise((resolve) => {
      execFile(
        program,
        ["--root", path.join(root, "store"), ...words],
        { env: { ...process.env, SIGSTORE_ID_TOKEN: "not.this.one" } },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });

  test("signs two images as whoever typed the code in, who is asked once", async () => {
    await using services = await startKeylessServer();
    await using issuer = await startIssuer({});
    await using repository = await startRepository("acme/device");
    const images = ["1", "2"].map((tag) => `${repository.name}:${tag}`);
    for (const tag of ["1", "2"]) await pushImage(repository, tag, tag);
    const where = ["--fulcio-url", services.url, "--rekor-url", services.url, "--oidc-issuer", issuer.url];
    const { code, stdout, stderr } = await run("sign", "--keyless", "--fulcio-auth-flow", "device", ...where, ...images);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.split("\n").length, 3);
    assert.match(
      stderr,
      /^Who signs is written to the log at \S+, where everybody can read it for ever\.\nEnter the verification code AB-\S+ in your browser at: http\S+\nCode will be valid for 300 seconds\n/,
    );
    assert.deepEqual(
      issuer.forms.map((form) => [form["path"], form["client_id"]]),
      [
        ["/device", "sigstore"],
        ["/token", "sigstore"],
      ],
    );
    writeFileSync(path.join(root, "root.json"), services.trustedRoot);
    for (const image of images) {
      const verified = await run("verify", "--identity", email, "--issuer", issuer.url, "--trusted-root", path.join(root, "root.json"), image);
      assert.equal(verified.code, 0, verified.stderr);
    }
  });

  test("asks nobody where there is no such image", async () => {
    await using issuer = await startIssuer({});
    await using repository = await startRepository("acme/device");
    const { code } = await run("sign", "--keyless", "--fulcio-auth-flow", "device", "--oidc-issuer", issuer.url, `${repository.name}:none`);
    assert.deepEqual([code, issuer.forms], [1, []]);
  });
});
