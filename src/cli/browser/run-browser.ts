/** The layer browser on a terminal: keys in, screens out. The terminal is as before when it ends, by whatever way. */
import type { LayersReport } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { openBrowser, pressKey, resize } from "./browser-state.ts";
import { drawBrowser } from "./draw-browser.ts";
import { parseKeys } from "./keys.ts";

const enter = "\x1b[?1049h\x1b[?25l";
const leave = "\x1b[0m\x1b[?25h\x1b[?1049l";

export function canBrowse(cli: Cli): boolean {
  return cli.stdin.isTTY && cli.stdout.isTTY && cli.env["TERM"] !== "dumb";
}

export async function runBrowser(cli: Cli, report: LayersReport): Promise<void> {
  const { stdin, stdout } = cli;
  let state = openBrowser(report, stdout.columns, stdout.rows);
  const colours = (cli.env["NO_COLOR"] ?? "") === "";
  const draw = (): void => stdout.write(`\x1b[H${drawBrowser(state, { colours }).join("\r\n")}\x1b[J`);
  let open = true;
  const restore = (): void => {
    if (!open) return;
    open = false;
    stdin.setRaw(false);
    stdout.write(leave);
  };
  const undo = [
    cli.onExit(restore),
    cli.onResize(() => {
      state = resize(state, stdout.columns, stdout.rows);
      draw();
    }),
  ];
  // a reader that waits for a key does not see that the command was interrupted
  const onAbort = (): void => stdin.close();
  cli.signal.addEventListener("abort", onAbort, { once: true });
  stdin.setRaw(true);
  stdout.write(enter);
  try {
    draw();
    for await (const chunk of stdin.chunks) {
      for (const key of parseKeys(chunk)) {
        const next = pressKey(state, key);
        if (next === "quit") return;
        state = next;
      }
      draw();
    }
    cli.signal.throwIfAborted();
  } finally {
    cli.signal.removeEventListener("abort", onAbort);
    for (const step of undo) step();
    restore();
  }
}
