/** Users of an htpasswd file, with bcrypt alone, as other registries: `htpasswd -nbB ann secret`. */
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { grantToUsers, type Users } from "./users.ts";

/** Fails with HTPASSWD_INVALID (invalid_argument) for a line that is no user with a bcrypt hash. */
export function parseHtpasswd(text: string, file: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, user = "", hash = ""] = /^([^:]+):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/.exec(line.trim()) ?? [];
    if (user === "") {
      const message = `${file}:${index + 1}: not a user with a bcrypt hash`;
      throw new SlipwayError("invalid_argument", "HTPASSWD_INVALID", message, { file, line: index + 1, remedy: `htpasswd -B ${file} USER` });
    }
    users.set(user, hash);
  }
  return users;
}

/** stands in for who does not exist, so that both take as long */
const nobody = "$2b$10$mKn3qqb97Rf6ILay7B0M7OI1J3N0tCsEhiSbLHktlAkjJbLDjKQOa";

/** Reads the file now and again whenever it has changed; what was verified once is remembered until then. */
export function createHtpasswdUsers(file: string): Users {
  const key = randomBytes(32);
  const verified = new Set<string>();
  let users: ReadonlyMap<string, string> = new Map();
  let seen = "";

  function refresh(): void {
    let text: string;
    try {
      const { mtimeMs, size, ino } = statSync(file);
      const now = `${mtimeMs} ${size} ${ino}`;
      if (now === seen) return;
      text = readFileSync(file, "utf8");
      seen = now;
    } catch (error) {
      throw new SlipwayError(
        "invalid_argument",
        "INPUT_FILE",
        `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
        { file },
        error,
      );
    }
    users = parseHtpasswd(text, file);
    verified.clear();
  }

  refresh();
  return {
    grant: grantToUsers,
    async verify(user, password) {
      refresh();
      const hash = users.get(user);
      const word = createHmac("sha256", key)
        .update(JSON.stringify([user, password]))
        .digest("hex");
      if (verified.has(word)) return true;
      const { compare } = await import("bcryptjs");
      const isRight = (await compare(password, hash ?? nobody)) && hash !== undefined;
      if (isRight) verified.add(word);
      return isRight;
    },
  };
}
