/** An authority for time stamps, made with openssl: it stamps as often as it is asked, and answers notation over HTTP. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Issued } from "./certificates.ts";

export const stampUsage = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=critical,timeStamping"];

let count = 0;

/** `form`: the whole answer, or the token in it. `by`: who signs, with its files in the directory. */
export function stamp(directory: string, by: Issued, question: Buffer, form: "answer" | "token", digest = "sha256"): Buffer {
  const file = (name: string): string => path.join(directory, name);
  const settings = [
    ["serial", file(`${by.name}.serial`)],
    ["signer_digest", digest],
    ["default_policy", "1.2.3.4.1"],
    ["digests", "sha256, sha384, sha512"],
    ["ordering", "no"],
    ["tsa_name", "no"],
    ["ess_cert_id_chain", "no"],
    ["ess_cert_id_alg", "sha256"],
  ];
  writeFileSync(file("tsa.cnf"), `[tsa]\ndefault_tsa = t\n[t]\n${settings.map((words) => words.join(" = ")).join("\n")}\n`);
  writeFileSync(file(`${by.name}.serial`), `${(++count + 16).toString(16).toUpperCase().padStart(4, "0")}\n`);
  const [asked, answered] = [file(`question${count}`), file(`answer${count}`)];
  writeFileSync(asked, question);
  const words = [
    "-config",
    file("tsa.cnf"),
    "-queryfile",
    asked,
    "-signer",
    file(`${by.name}.crt`),
    "-inkey",
    file(`${by.name}.key`),
    "-chain",
    file(`${by.name}.chain`),
  ];
  execFileSync("openssl", ["ts", "-reply", ...words, "-out", answered, ...(form === "token" ? ["-token_out"] : [])], { stdio: "pipe" });
  return readFileSync(answered);
}

export async function startStamping(directory: string, by: Issued): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    void (async () => {
      const question = Buffer.concat((await Array.fromAsync(request)) as Buffer[]);
      response.writeHead(200, { "content-type": "application/timestamp-reply" }).end(stamp(directory, by, question, "answer"));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
