/** A kept step with what can be done with it. */
import { createNetworkPool, type NetworkPool } from "../../runtime/network-pool.ts";
import type { KeptStep, Store } from "../../store/index.ts";
import { openStep } from "../../solver/open-step.ts";
import { keptSteps, type StepRecord } from "../../solver/step-record.ts";
import type { Failure, ShellOptions } from "../debug-api.ts";
import { BuildSecrets } from "../build/step-secrets.ts";
import { compareFiles } from "../files/compare-files.ts";
import { listFiles } from "../files/list-files.ts";
import { readFile } from "../files/read-file.ts";
import { storeFiles } from "../files/store-files.ts";
import { writeBundle } from "./bundle.ts";
import { describeStep } from "./describe-step.ts";
import { stepChain } from "./settle-step.ts";

export function createFailure(store: Store, opened: KeptStep<StepRecord>): Failure {
  // its root may have become layers meanwhile
  const current = (): KeptStep<StepRecord> => keptSteps(store).get(opened.id) ?? opened;
  const named = opened.id.slice(0, 12);
  return {
    step: describeStep(opened),
    shell: (options = {}) => runShell(store, current(), options),
    files: async (path = "/", { recursive = false } = {}) => await listFiles(storeFiles(store, stepChain(store, current())), named, path, recursive),
    readFile: (path) => readFile(storeFiles(store, stepChain(store, current())), named, path),
    save: () => writeBundle(store, current()),
    changes: async () => {
      const chain = stepChain(store, current());
      return compareFiles(await storeFiles(store, chain.slice(0, -1)).whole(), await storeFiles(store, chain).whole());
    },
  };
}

async function runShell(store: Store, step: KeptStep<StepRecord>, options: ShellOptions): Promise<{ readonly exitCode: number }> {
  const { command = [], terminal = false, lendShell = false, stdin, signal, onOutput = () => {}, onNote = () => {} } = options;
  let networks: NetworkPool | undefined;
  using secrets = new BuildSecrets(options.secrets ?? [], options.ssh ?? [], (label) => store.lease().temporaryPath(label));
  try {
    const { exitCode } = await openStep(store, step, {
      command,
      terminal,
      lendShell,
      onOutput,
      onNote,
      secrets,
      signal,
      ...(stdin === undefined ? {} : { stdin }),
      networks: () => (networks ??= createNetworkPool({ directory: store.layers.workDirectory("networks"), onWarning: onNote })),
      variable: (name) => process.env[name],
    });
    return { exitCode };
  } finally {
    await networks?.close();
  }
}
