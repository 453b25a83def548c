/** Inspected objects as Go structs, so that templates see the fields that JSON leaves out: an image without labels has `map[]`. */
import type { ImageInspect, NetworkInspect, VolumeInspect } from "../../engine/api.ts";
import { goDurationValue, GoStruct, goValueFrom, nilList, nilMap } from "../go-value.ts";
import type { GoValue } from "../go-value.ts";
import { structFrom } from "../render.ts";

/** Go's zero values of an image's configuration, in the order of the struct. */
const emptyConfig: Readonly<Record<string, GoValue>> = {
  User: "",
  ExposedPorts: nilMap,
  Env: nilList,
  Entrypoint: nilList,
  Cmd: nilList,
  Volumes: nilMap,
  WorkingDir: "",
  Labels: nilMap,
  StopSignal: "",
  ArgsEscaped: false,
  Healthcheck: null,
  OnBuild: nilList,
  Shell: nilList,
};

/** Those of an image, which its JSON leaves out where they are empty. */
const emptyImage: Readonly<Record<string, GoValue>> = {
  Id: "",
  RepoTags: nilList,
  RepoDigests: nilList,
  Parent: "",
  Comment: "",
  Created: "",
  Container: "",
  ContainerConfig: null,
  DockerVersion: "",
  Author: "",
  Config: null,
  Architecture: "",
  Variant: "",
  Os: "",
  OsVersion: "",
  Size: 0,
  VirtualSize: 0,
  GraphDriver: null,
  RootFS: null,
  Metadata: null,
  Descriptor: null,
  Manifests: nilList,
};

/** Keys whose values are maps with keys that users or drivers choose. */
const mapKeys: ReadonlySet<string> = new Set([
  "Labels",
  "Data",
  "Ports",
  "Networks",
  "Containers",
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

/** In the order of Go's struct, without what is empty. */
function inOrder(value: object, order: readonly string[]): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value).filter(([, inner]) => !isEmpty(inner));
  return Object.fromEntries(entries.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || value === 0 || value === false;
}

const healthFields = ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] as const;

function healthShape(check: NonNullable<ImageInspect["Config"]["Healthcheck"]>): GoStruct {
  const { Test = [], Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = check;
  const [interval, timeout, startPeriod, startInterval] = [Interval, Timeout, StartPeriod, StartInterval].map(goDurationValue);
  const fields = { Test, Interval: interval, Timeout: timeout, StartPeriod: startPeriod, StartInterval: startInterval, Retries };
  return new GoStruct("container.HealthConfig", fields, { json: inOrder(check, healthFields) });
}

function configShape(config: ImageInspect["Config"]): GoStruct {
  const fields = { ...emptyConfig };
  for (const [key, value] of Object.entries(config)) if (!isEmpty(value)) fields[key] = goValueFrom(value);
  const health = config.Healthcheck === undefined ? undefined : healthShape(config.Healthcheck);
  if (health !== undefined) fields["Healthcheck"] = health;
  const json = inOrder(health === undefined ? config : { ...config, Healthcheck: health.json }, Object.keys(emptyConfig));
  return new GoStruct("container.Config", fields, { json });
}

export function imageShape(image: ImageInspect): GoValue {
  const { Config, GraphDriver, ...rest } = image;
  const shape = structFrom(rest, "image.InspectResponse", mapKeys) as GoStruct;
  const config = configShape(Config);
  const fields = {
    ...emptyImage,
    ...shape.fields,
    GraphDriver: new GoStruct("storage.DriverData", { Data: nilMap, Name: GraphDriver.Name }, { json: GraphDriver }),
    Config: config,
  };
  const order = Object.keys(emptyImage);
  const json = Object.fromEntries(Object.entries({ ...image, Config: config.json }).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  return new GoStruct(shape.typeName, fields, { json });
}

export function containerShape(container: Readonly<Record<string, unknown>>): GoValue {
  const shape = structFrom(container, "container.InspectResponse", mapKeys) as GoStruct;
  const mounts = Array.isArray(container["Mounts"]) ? container["Mounts"].map(mountShape) : nilList;
  return new GoStruct(shape.typeName, { ...shape.fields, Mounts: mounts }, { json: container });
}

/** A bind mount has neither name nor driver; its JSON leaves them out. */
function mountShape(mount: Readonly<Record<string, unknown>>): GoValue {
  const fields = Object.fromEntries(Object.entries(mount).map(([key, value]) => [key, goValueFrom(value)]));
  return new GoStruct("container.MountPoint", { Name: "", Driver: "", ...fields }, { json: mount });
}

export function volumeShape(volume: VolumeInspect): GoValue {
  return structFrom(volume, "volume.Volume", mapKeys);
}

export function networkShape(network: NetworkInspect): GoValue {
  return structFrom(network, "network.Inspect", mapKeys);
}
