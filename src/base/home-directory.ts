/** The user's home directory: HOME, else the account's, as the shell and Docker's client have it; "/" for an id without an account. */
import { homedir } from "node:os";

export function homeDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const told = env["HOME"];
  if (told !== undefined && told !== "") return told;
  try {
    return homedir() || "/";
  } catch {
    return "/";
  }
}
