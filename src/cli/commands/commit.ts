/** `commit`: an image of what a container is now. */
import type { Handler } from "../command.ts";

export const runCommit: Handler = async (cli, { flags, args }) => {
  const [name = "", reference] = args;
  const { containers } = await cli.open();
  const id = await containers.commit(name, {
    ...(reference === undefined ? {} : { reference }),
    author: flags.string("author"),
    message: flags.string("message"),
    changes: flags.list("change"),
    pause: flags.bool("pause"),
  });
  cli.stdout.write(`${id}\n`);
  return 0;
};
