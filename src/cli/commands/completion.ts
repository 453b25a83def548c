/** `completion SHELL` and the hidden `__complete`, which the scripts call. */
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { completeWords, completionScripts, formatCompletion } from "../completion.ts";
import type { Candidate, DynamicNames } from "../completion.ts";
import { cliError } from "../failure.ts";

export const runCompletion: Handler = async (cli, { args }) => {
  const script = Object.hasOwn(completionScripts, args[0]!) ? completionScripts[args[0]!] : undefined;
  if (script === undefined) throw cliError(`no completion for ${JSON.stringify(args[0])}: bash, zsh and fish are there`);
  cli.stdout.write(script);
  return 0;
};

/** A completion must not print errors into the line that is being typed. */
async function orNone(names: () => Promise<readonly Candidate[]>): Promise<readonly Candidate[]> {
  try {
    return await names();
  } catch {
    return [];
  }
}

function namesOf(cli: Cli): DynamicNames {
  return {
    images: () => orNone(async () => (await cli.open()).images.list().flatMap((image) => image.repoTags.map((value) => ({ value, description: "" })))),
    containers: () =>
      orNone(async () =>
        (await (await cli.open()).containers.list({ all: true })).map((container) => ({ value: container.name, description: container.image })),
      ),
    volumes: () => orNone(async () => (await cli.open()).volumes.list().map(({ Name }) => ({ value: Name, description: "" }))),
  };
}

export const runComplete: Handler = async (cli, { args, table }) => {
  cli.stdout.write(formatCompletion(await completeWords(table, args, namesOf(cli))));
  return 0;
};
