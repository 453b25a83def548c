import { createServer } from "node:http";
import { shout } from "shout";

const server = createServer((request, response) => {
  if (request.url === "/health") return void response.end("ok\n");
  response.end(`${shout(decodeURIComponent(request.url.slice(1)) || "nobody")}\n`);
});
if (process.argv[2] === "--once") {
  console.log(shout("once"), process.env.NODE_ENV, process.cwd());
} else {
  server.listen(Number(process.env.PORT ?? 3000), () => console.log("listening"));
  process.once("SIGTERM", () => server.close(() => process.exit(0)));
}
