/** `tag SOURCE TARGET`. */
import { isSlipwayError } from "../../base/errors.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";

export const runTag: Handler = async (cli, { args }) => {
  const [source, target] = args as readonly [string, string];
  const engine = await cli.open();
  try {
    engine.images.tag(source, target);
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_REFERENCE")) throw error;
    const text = error.details["got"] === source ? source : target;
    throw cliError(`Error parsing reference: ${JSON.stringify(text)} is not a valid repository/tag: ${error.message}`, "USAGE", {}, error);
  }
  return 0;
};
