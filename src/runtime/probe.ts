/** What this machine can do; feeds `doctor` and `info`. */
import { SlipwayError } from "../base/errors.ts";

export type ProbedProgram =
  | { readonly found: true; readonly name: string; readonly path: string; readonly version: string }
  | { readonly found: false; readonly name: string; readonly neededFor: string; readonly install: string };

export type ProbedAbility =
  | { readonly works: true; readonly name: string; readonly detail: string }
  | { readonly works: false; readonly name: string; readonly reason: string; readonly remedy: string };

export type CgroupKind = "v1" | "hybrid" | "v2" | "none";

export interface Machine {
  readonly kernel: string;
  readonly arch: string;
  readonly programs: {
    readonly crun: ProbedProgram;
    readonly runc: ProbedProgram;
    readonly conmon: ProbedProgram;
    readonly pasta: ProbedProgram;
    readonly newuidmap: ProbedProgram;
    readonly git: ProbedProgram;
  };
  /** which of crun and runc runs processes here, and why; undefined when neither can */
  readonly runtime: { readonly name: "crun" | "runc"; readonly path: string; readonly reason: string } | undefined;
  readonly cgroup: { readonly kind: CgroupKind; readonly writable: boolean; readonly controllers: readonly string[] };
  readonly userNamespaces: ProbedAbility;
  readonly overlay: ProbedAbility;
  readonly seccomp: ProbedAbility;
  /** platforms that binfmt_misc runs through an emulator: "linux/arm64" … */
  readonly emulated: readonly string[];
}

/** `cacheFile` keeps what takes time to find out, keyed by binary, mtime and kernel. */
export async function probeMachine(options: { readonly storeDirectory: string; readonly cacheFile?: string }): Promise<Machine> {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", options.storeDirectory);
}
