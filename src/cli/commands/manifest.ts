/** `manifest`: Docker's command for lists of images, with its words. */
import { asSlipwayError } from "../../base/errors.ts";
import type { Handler } from "../command.ts";
import { failureLine } from "../failure.ts";
import { escapeHtml } from "../json.ts";

export const runManifestCreate: Handler = async (cli, { flags, args }) => {
  const [list, ...images] = args;
  const engine = await cli.open();
  const options = { amend: flags.bool("amend"), insecure: flags.bool("insecure"), signal: cli.signal };
  cli.stdout.write(`Created manifest list ${await engine.transfer.manifests.create(list!, images, options)}\n`);
  return 0;
};

export const runManifestAnnotate: Handler = async (cli, { flags, args }) => {
  const engine = await cli.open();
  engine.transfer.manifests.annotate(args[0]!, args[1]!, {
    os: flags.string("os"),
    architecture: flags.string("arch"),
    variant: flags.string("variant"),
    osVersion: flags.string("os-version"),
    osFeatures: flags.list("os-features"),
  });
  return 0;
};

/** Lists are indented by three blanks, all else by tabs, as Docker does. */
export const runManifestInspect: Handler = async (cli, { flags, args }) => {
  const [first, second] = args;
  const engine = await cli.open();
  const options = { verbose: flags.bool("verbose"), insecure: flags.bool("insecure"), signal: cli.signal, ...(second === undefined ? {} : { list: first! }) };
  const { list, value } = await engine.transfer.manifests.inspect(second ?? first!, options);
  cli.stdout.write(`${escapeHtml(JSON.stringify(value, null, list ? "   " : "\t"))}\n`);
  return 0;
};

/** Each is tried; what failed is told at the end. */
export const runManifestRm: Handler = async (cli, { args }) => {
  const engine = await cli.open();
  let code = 0;
  for (const list of args) {
    try {
      engine.transfer.manifests.remove(list);
    } catch (error) {
      cli.stderr.write(`${failureLine(asSlipwayError(error))}\n`);
      code = 1;
    }
  }
  return code;
};

export const runManifestPush: Handler = async (cli, { flags, args }) => {
  const engine = await cli.open();
  const options = { purge: flags.bool("purge"), insecure: flags.bool("insecure"), signal: cli.signal };
  const { manifests, digest } = await engine.transfer.manifests.push(args[0]!, options);
  cli.stdout.write(manifests.map((pushed) => `Pushed ref ${pushed.ref} with digest: ${pushed.digest}\n`).join(""));
  cli.stdout.write(`${digest}\n`);
  return 0;
};
