/** A RUN as the commands that it runs and the mounts that it has, as far as they can be told from the text. */
import { SlipwayError } from "../base/errors.ts";
import type { RunInstruction, RunMount } from "./instruction.ts";
import { parseRunMount } from "./run-mount.ts";
import { splitShellCommands, type ShellCommand } from "./shell-commands.ts";

const shells = /(?:^|\/)(?:a|ba|da|k|z)?sh$/;
const shebang = /^#!\s*(?:\/usr\/bin\/env\s+)?(\S*)/;

export function commandsOfRun({ command: { form, args, heredocs } }: RunInstruction): readonly ShellCommand[] {
  if (form === "exec") {
    const [program = ""] = args;
    const script = args[args.indexOf("-c") + 1];
    return shells.test(program) && args.includes("-c") && script !== undefined ? splitShellCommands(script) : [args];
  }
  const text = args.join(" ");
  if (heredocs.length === 0 || !/^\s*[0-9]*<</.test(text)) return splitShellCommands(text);
  return heredocs.flatMap(({ content }) => {
    const interpreter = shebang.exec(content)?.[1];
    return interpreter === undefined || shells.test(interpreter) ? splitShellCommands(content) : [];
  });
}

export type SeenMount = Pick<RunMount, "type" | "target">;

/** Mounts that cannot be parsed fail the build elsewhere. */
export function mountsOfRun({ mounts }: RunInstruction, expand: (word: string) => string): readonly SeenMount[] {
  return mounts.flatMap((mount) => {
    try {
      return [parseRunMount(mount, expand)];
    } catch (error) {
      if (error instanceof SlipwayError) return [];
      throw error;
    }
  });
}
