/** `--builder`: a name for the one builder. */
import type { BuilderSummary, SlipwayApi } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";

/** What `--builder` or BUILDX_BUILDER names; neither means the current one. Fails with NO_SUCH_BUILDER. */
export function builderFrom({ env }: Cli, engine: SlipwayApi, word: string | undefined): BuilderSummary | undefined {
  const name = word === undefined || word === "" ? (env["BUILDX_BUILDER"] ?? "") : word;
  return name === "" ? undefined : engine.builders.inspect(name);
}

/** A misspelt builder is told as buildx tells it. Fails with NO_SUCH_BUILDER (not_found). */
export function checkBuilder(cli: Cli, engine: SlipwayApi, word: string | undefined): void {
  builderFrom(cli, engine, word);
}
