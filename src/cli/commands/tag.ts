/** `tag SOURCE TARGET`. */
import { goQuote } from "../../base/go-text.ts";
import { isSlipwayError } from "../../base/errors.ts";
import type { Handler } from "../command.ts";
import { parseReference } from "../../oci/index.ts";
import { cliError } from "../failure.ts";

/** Docker's client reads both words before it asks for anything. */
function checkWord(word: string): void {
  if (/^[0-9a-f]{64}$/.test(word)) return;
  try {
    parseReference(word);
  } catch (error) {
    if (!isSlipwayError(error, "INVALID_REFERENCE")) throw error;
    throw cliError(`Error parsing reference: ${goQuote(word)} is not a valid repository/tag: ${error.message}`, "USAGE", {}, error);
  }
}

export const runTag: Handler = async (cli, { args }) => {
  const [source, target] = args as readonly [string, string];
  for (const word of [source, target]) checkWord(word);
  const engine = await cli.open();
  engine.images.tag(source, target);
  return 0;
};
