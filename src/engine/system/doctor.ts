/** `doctor`: what this machine can do, what is missing, and the one command that mends it. */
import { accessSync, constants } from "node:fs";
import { errnoOf } from "../../base/errors.ts";
import type { Machine, ProbedAbility, ProbedProgram } from "../../runtime/probe.ts";
import type { Store } from "../../store/index.ts";
import type { DoctorFinding } from "../api.ts";
import { policiesFinding, type PolicyFile } from "./policies-finding.ts";
import { registriesFinding } from "./registries.ts";
import { join } from "node:path";

export async function runDoctor(store: Store, policies: readonly PolicyFile[]): Promise<readonly DoctorFinding[]> {
  const { probeMachine } = await import("../../runtime/probe.ts");
  const machine = await probeMachine({ storeDirectory: store.layout.root, cacheFile: join(store.layout.root, "programs.json") });
  return [storeFinding(store), ...findingsFrom(machine, store.ownership.privileged), await registriesFinding(), policiesFinding(policies, process.env)];
}

function storeFinding(store: Store): DoctorFinding {
  const { root } = store.layout;
  try {
    accessSync(root, constants.W_OK);
    return { name: "store", status: "ok", message: root, remedy: undefined };
  } catch (error) {
    return {
      name: "store",
      status: "missing",
      message: `${root} cannot be written: ${errnoOf(error) ?? "unknown reason"}`,
      remedy: "set SLIPWAY_ROOT to a directory of yours",
    };
  }
}

/** Pure. `privileged`: root of the machine, who needs neither user namespaces nor newuidmap. */
export function findingsFrom(machine: Machine, privileged: boolean): readonly DoctorFinding[] {
  const { crun, runc, conmon, pasta, newuidmap, git } = machine.programs;
  return [
    { name: "kernel", status: "ok", message: `${machine.kernel} ${machine.arch}`, remedy: undefined },
    runtimeFinding(machine),
    // With one that works the other is not missed.
    ...[crun, runc].filter(({ found }) => found || machine.runtime === undefined).map((program) => programFinding(program, "missing")),
    programFinding(conmon, "missing"),
    programFinding(pasta, "missing"),
    ...(privileged ? [] : [programFinding(newuidmap, "warning")]),
    programFinding(git, "warning"),
    abilityFinding(machine.userNamespaces, privileged ? "warning" : "missing"),
    abilityFinding(machine.overlay, "missing"),
    abilityFinding(machine.seccomp, "warning"),
    abilityFinding(machine.tunDevice, "missing"),
    abilityFinding(machine.init, "warning"),
    cgroupFinding(machine),
    emulationFinding(machine),
  ];
}

function runtimeFinding({ runtime, programs }: Machine): DoctorFinding {
  const name = "runtime";
  if (runtime !== undefined) return { name, status: "ok", message: `${runtime.path}: ${runtime.reason}`, remedy: undefined };
  const remedy = [programs.crun, programs.runc].flatMap((program) => (program.found ? [] : [program.install]))[0];
  return { name, status: "missing", message: "nothing here runs processes: builds without RUN work, builds with RUN and containers do not", remedy };
}

function programFinding(program: ProbedProgram, whenMissing: DoctorFinding["status"]): DoctorFinding {
  const { name } = program;
  if (program.found) return { name, status: "ok", message: program.version === "" ? program.path : `${program.version} (${program.path})`, remedy: undefined };
  return { name, status: whenMissing, message: `not installed; it is for ${program.neededFor}`, remedy: program.install };
}

function abilityFinding(ability: ProbedAbility, whenMissing: DoctorFinding["status"]): DoctorFinding {
  if (ability.works) return { name: ability.name, status: "ok", message: ability.detail, remedy: undefined };
  return { name: ability.name, status: whenMissing, message: ability.reason, remedy: ability.remedy };
}

function cgroupFinding({ cgroup }: Machine): DoctorFinding {
  const name = "cgroups";
  if (cgroup.kind === "none") return { name, status: "warning", message: "none: limits of memory and processors cannot be set", remedy: undefined };
  const controllers = cgroup.controllers.length === 0 ? "" : `, ${cgroup.controllers.join(" ")}`;
  if (cgroup.writable) return { name, status: "ok", message: `${cgroup.kind}${controllers}`, remedy: undefined };
  return { name, status: "warning", message: `${cgroup.kind}, cannot be written: limits of memory and processors cannot be set`, remedy: undefined };
}

/** linux/386 runs on amd64 by itself: only what needs an emulator shows that there is one. */
function emulationFinding({ emulated, emulationRemedy }: Machine): DoctorFinding {
  const name = "other architectures";
  const message = emulated.length === 0 ? "RUN works for this machine's architecture only" : `RUN works for ${emulated.join(", ")} too`;
  if (emulated.some((platform) => platform !== "linux/386")) return { name, status: "ok", message, remedy: undefined };
  return { name, status: "warning", message, remedy: emulationRemedy };
}
