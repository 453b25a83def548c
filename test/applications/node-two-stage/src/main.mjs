import { createServer } from "node:http";
import { userInfo } from "node:os";

const [command, code = "0"] = process.argv.slice(2);
if (command === "serve") {
  createServer((request, response) => response.end(request.url === "/health" ? "ok" : "version __VERSION__\n")).listen(Number(process.env.PORT));
  process.once("SIGTERM", () => process.exit(0));
} else if (command === "whoami") {
  console.log(userInfo().username, userInfo().uid, "version __VERSION__", process.env.NODE_ENV);
} else {
  console.error(`unknown command ${command}`);
  process.exitCode = Number(code);
}
