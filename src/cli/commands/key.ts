/** `key generate` and `key import`: the pairs of files that images are signed with. */
import path from "node:path";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { generateKey, importKey, keyTypes, type WrittenKey, type KeyType } from "../../engine/signing/keys.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { NewKeyPasswords } from "./key-password.ts";
import { readSmallFile } from "./small-file.ts";

function typeOf(text: string): KeyType {
  const type = keyTypes.find((one) => one === text);
  if (type === undefined) throw cliError(`unknown --type ${JSON.stringify(text)}: want ${keyTypes.join(", ")}`);
  return type;
}

function outputOf(cli: Cli, flags: ParsedFlags): string {
  const output = flags.string("output").replace(/\.(?:key|pub)$/, "");
  if (output === "" || output.endsWith("/")) throw cliError("--output wants the name of two files, without .key and .pub");
  return path.resolve(cli.cwd, output);
}

function tell(cli: Cli, quiet: boolean, { privatePath, publicPath, fingerprint }: WrittenKey): number {
  const shown = (file: string): string => path.relative(cli.cwd, file).replace(/^\.\.\/.*/, file);
  if (quiet) cli.stdout.write(`sha256:${fingerprint}\n`);
  else cli.stdout.write(`Private key: ${shown(privatePath)}\nPublic key:  ${shown(publicPath)}\nFingerprint: sha256:${fingerprint}\n`);
  return 0;
}

export const runKeyGenerate: Handler = async (cli, { flags }) => {
  const passwords = new NewKeyPasswords(cli);
  const type = typeOf(flags.string("type"));
  const key = await generateKey({ type, output: outputOf(cli, flags), force: flags.bool("force"), password: () => passwords.ofNew() });
  return tell(cli, flags.bool("quiet"), key);
};

/** The new file's password was tried for the old one: who did not mean that is told how to say it. */
function withOldPassword({ env }: Cli, file: string, error: unknown): unknown {
  if (!isSlipwayError(error, "KEY_PASSWORD") || env["SLIPWAY_IMPORT_PASSWORD"] !== undefined) return error;
  const remedy = `SLIPWAY_IMPORT_PASSWORD is the password of ${file}, where the new file is to have another one`;
  return new SlipwayError(error.kind, error.code, error.message, { ...error.details, remedy }, error);
}

export const runKeyImport: Handler = async (cli, { flags, args: [file = ""] }) => {
  const passwords = new NewKeyPasswords(cli);
  const text = readSmallFile(cli, file);
  const output = outputOf(cli, flags);
  const options = { output, force: flags.bool("force"), password: () => passwords.ofNew() };
  const key = await importKey(text, file, () => passwords.ofSource(file), options).catch((error: unknown) => {
    throw withOldPassword(cli, file, error);
  });
  return tell(cli, flags.bool("quiet"), key);
};
