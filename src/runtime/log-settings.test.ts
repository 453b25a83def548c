import assert from "node:assert/strict";
import { test } from "node:test";
import { maximumLogBytes, parseLogSettings } from "./log-settings.ts";

const bounds: readonly (readonly [string, readonly string[], number | undefined])[] = [
  ["", [], undefined],
  ["json-file", [], undefined],
  ["", ["max-size=10m"], 10_000_000],
  ["json-file", ["max-size=1.5k", "max-file=3"], 4500],
  ["local", [], 100_000_000],
  ["local", ["max-file=1"], 20_000_000],
  ["none", [], 1_000_000],
];

for (const [driver, options, want] of bounds) {
  test(`--log-driver "${driver}" ${options.join(" ")}: ${want ?? "no bound"}`, () => assert.equal(maximumLogBytes(parseLogSettings(driver, options)), want));
}

const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["nosuch", [], /^error looking up logging plugin nosuch: plugin "nosuch" not found$/],
  ["syslog", [], /^logging driver "syslog" cannot be had: /],
  ["", ["foo"], /^unknown log opt 'foo' for json-file log driver$/],
  ["local", ["foo=1"], /^unknown log opt 'foo' for log driver local$/],
  ["json-file", ["labels=x"], /^log opt 'labels' cannot be had: /],
  ["none", ["max-size=1m"], /^invalid logging opts for driver none$/],
  ["", ["max-size=x"], /^failed to initialize logging driver: invalid size: 'x'$/],
  ["", ["max-size=-1"], /^failed to initialize logging driver: invalid size: '-1'$/],
  ["", ["max-size=0"], /^failed to initialize logging driver: max-size must be a positive number$/],
  ["", ["max-file=x"], /^failed to initialize logging driver: strconv\.Atoi: parsing "x": invalid syntax$/],
];

for (const [driver, options, message] of refusals) {
  test(`--log-driver "${driver}" ${options.join(" ")} is refused`, () =>
    assert.throws(() => parseLogSettings(driver, options), { code: "INVALID_LOG_SETTING", message }));
}
