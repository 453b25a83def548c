/** The address under which this machine reaches the world; what host-gateway stands for. */
import { readFileSync } from "node:fs";

/** IPv4 address of the interface that has the default route; undefined where there is none. */
export function hostAddress(): string | undefined {
  const name = defaultInterface(readRoutes());
  if (name === undefined) return undefined;
  return process
    .getBuiltinModule("node:os")
    .networkInterfaces()
    [name]?.find((address) => address.family === "IPv4")?.address;
}

/** From the text of /proc/net/route: the interface of the route to 0.0.0.0/0 with the smallest metric. */
export function defaultInterface(routes: string): string | undefined {
  const defaults = routes
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [name = "", destination, , , , , metric = "0", mask] = line.split("\t");
      return destination === "00000000" && mask === "00000000" ? [{ name, metric: Number(metric) }] : [];
    });
  return defaults.sort((left, right) => left.metric - right.metric)[0]?.name;
}

function readRoutes(): string {
  try {
    return readFileSync("/proc/net/route", "utf8");
  } catch {
    return "";
  }
}
