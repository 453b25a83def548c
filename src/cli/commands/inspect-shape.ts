/** Inspected objects as Go structs, so that templates see the fields that JSON leaves out: an image without labels has `map[]`. */
import type { ImageInspect } from "../../engine/api.ts";
import { GoStruct, goValueFrom } from "../go-value.ts";
import type { GoValue } from "../go-value.ts";
import { structFrom } from "../render.ts";

/** Go's zero values of an image's configuration, in the order of the struct. */
const emptyConfig: Readonly<Record<string, GoValue>> = {
  User: "",
  ExposedPorts: {},
  Env: [],
  Entrypoint: [],
  Cmd: [],
  Volumes: {},
  WorkingDir: "",
  Labels: {},
  StopSignal: "",
  ArgsEscaped: false,
  Healthcheck: null,
  OnBuild: [],
  Shell: [],
};

/** Keys whose values are maps with keys that users or drivers choose. */
const mapKeys: ReadonlySet<string> = new Set([
  "Labels",
  "Data",
  "Ports",
  "Networks",
  "Volumes",
  "ExposedPorts",
  "Sysctls",
  "Options",
  "Annotations",
  "annotations",
  "DriverOpts",
  "PortBindings",
  "Tmpfs",
  "StorageOpt",
  "GraphDriver.Data",
]);

function configShape(config: ImageInspect["Config"]): GoValue {
  const set = Object.entries(config).filter(([, value]) => value !== null && value !== undefined);
  const fields = { ...emptyConfig };
  for (const [key, value] of set) fields[key] = goValueFrom(value);
  if (config.Healthcheck !== undefined) {
    const { Test = [], Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = config.Healthcheck;
    fields["Healthcheck"] = new GoStruct(
      "container.HealthConfig",
      { Test, Interval, Timeout, StartPeriod, StartInterval, Retries },
      { json: config.Healthcheck },
    );
  }
  const order = Object.keys(emptyConfig);
  const json = Object.fromEntries(set.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  return new GoStruct("container.Config", fields, { json });
}

export function imageShape(image: ImageInspect): GoValue {
  const { Config, ...rest } = image;
  const shape = structFrom(rest, "image.InspectResponse", mapKeys) as GoStruct;
  const fields = {
    ...shape.fields,
    GraphDriver: structFrom({ ...image.GraphDriver, Data: image.GraphDriver.Data ?? {} }, "storage.DriverData", mapKeys),
    Config: configShape(Config),
  };
  return new GoStruct(shape.typeName, fields, { json: image });
}

export function containerShape(container: Readonly<Record<string, unknown>>): GoValue {
  return structFrom(container, "container.InspectResponse", mapKeys);
}
