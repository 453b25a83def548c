/** The pages under docs/cli, made from the table of commands. */
import type { Command, CommandTable } from "./command.ts";
import { shownType } from "./flag-value.ts";
import type { FlagSpec } from "./flags.ts";
import { usageLine } from "./usage-line.ts";

/** The path that people type: the one with the fewest words. */
export function shortestPath(command: Command): string {
  return command.paths.toSorted((a, b) => a.split(" ").length - b.split(" ").length || command.paths.indexOf(a) - command.paths.indexOf(b))[0]!;
}

function fileName(command: Command): string {
  return `${shortestPath(command).replaceAll(" ", "-")}.md`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", "<br>");
}

function flagRow(flag: FlagSpec): string {
  const type = shownType(flag.type);
  const names = `${flag.short === undefined ? "" : `\`-${flag.short}\`, `}\`--${flag.name}\``;
  const note = flag.noEffect === undefined ? "" : ` *(accepted, ignored: ${flag.noEffect})*`;
  const shown = flag.default === undefined || ["[]", "map[]", "false"].includes(flag.default) ? "" : `\`${flag.default.replaceAll('"', "")}\``;
  return `| ${names} | ${type} | ${shown} | ${cell(flag.usage)}${cell(note)} |\n`;
}

function optionsSection(flags: readonly FlagSpec[]): string {
  const shown = flags.filter((flag) => flag.hidden !== true);
  return shown.length === 0 ? "" : `\n## Options\n\n| Option | Value | Default | Meaning |\n|---|---|---|---|\n${shown.map(flagRow).join("")}`;
}

function examplesSection(command: Command): string {
  if (command.examples === undefined) return "";
  return `\n## Examples\n${command.examples.map((example) => `\n${example.text}:\n\n\`\`\`sh\n${example.command}\n\`\`\`\n`).join("")}`;
}

function aliasesSection(command: Command, path: string): string {
  const others = command.paths.filter((other) => other !== path);
  return others.length === 0 ? "" : `\n## Also called\n\n${others.map((other) => `\`slipway ${other}\``).join(", ")}\n`;
}

function commandPage(command: Command): string {
  const path = shortestPath(command);
  return (
    `# slipway ${path}\n\n${command.short}.\n\n## Synopsis\n\n\`\`\`\n${usageLine(command, path)}\n\`\`\`\n` +
    (command.long === undefined ? "" : `\n## Description\n\n${command.long}\n`) +
    optionsSection(command.flags) +
    examplesSection(command) +
    aliasesSection(command, path)
  );
}

function indexPage(table: CommandTable, commands: readonly Command[]): string {
  const rows = commands.map((command) => `| [slipway ${shortestPath(command)}](${fileName(command)}) | ${cell(command.short)} |\n`);
  return `# Commands\n\n\`\`\`\nslipway [OPTIONS] COMMAND\n\`\`\`\n\n| Command | What it does |\n|---|---|\n${rows.join("")}${optionsSection(table.globals)}
## Exit codes

| Code | Meaning |
|---|---|
| 0 | done |
| 1 | it failed |
| 64 | \`inspect\`: the template cannot be read |
| 125 | a flag cannot be read; \`run\`, \`create\`: the container could not be made |
| 126, 127 | \`run\`, \`exec\`: the command cannot be executed, is not found |
| 130 | interrupted |
| other | \`run\`, \`exec\`: the exit code of the command |
`;
}

/** File name to text. */
export function documentationPages(table: CommandTable): ReadonlyMap<string, string> {
  const commands = table.commands.filter((command) => command.hidden !== true).toSorted((a, b) => (shortestPath(a) < shortestPath(b) ? -1 : 1));
  return new Map([["README.md", indexPage(table, commands)], ...commands.map((command) => [fileName(command), commandPage(command)] as const)]);
}
